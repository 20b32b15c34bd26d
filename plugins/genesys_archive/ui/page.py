"""HTML around a report; pure. Whatever comes from the lake is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from include.audit.chart_words import bytes_word, seconds_word

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from include.audit.figures import DayFigures

_READER = MarkdownIt("commonmark", {"html": False}).enable("table")
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1200px;margin:1.5rem auto;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse;margin:1rem 0;font-variant-numeric:tabular-nums}
td,th{border-bottom:1px solid #ddd;padding:.3rem .8rem;text-align:left;overflow-wrap:anywhere}
td.n,th.n{text-align:right}img{max-width:100%}a{color:#0072b2}.open{color:#a33f00;font-weight:bold}
"""


def report_page(day: date, markdown: str, before: date | None = None, after: date | None = None) -> str:
    """Return a day's page: its report, and the ways to the days beside it, where there are any."""
    ways = [
        f'<a href="../{before}/">&larr; {before}</a>' if before else "",
        '<a href="../">all days</a>',
        f'<a href="../{after}/">{after} &rarr;</a>' if after else "",
        '<a href="report.json">report.json</a>',
    ]
    nav = " &middot; ".join(filter(None, ways))
    return _page(f"Recordings of {day}", f"<nav>{nav}</nav>{_READER.render(markdown)}")


def absent_page(sentence: str, index: str) -> str:
    """Return what stands where no report is: why, and the way to those that are."""
    way = f'<p><a href="{escape(index)}">all days</a></p>'
    return _page("Recording archive", f"<h1>Recording archive</h1><p>{escape(sentence)}</p>{way}")


def index_page(days: Sequence[DayFigures]) -> str:
    """Return the table of the latest days, youngest first."""
    if not days:
        return _page("Recording archive", "<p>No day of the last thirty has a report.</p>")
    head = "".join(
        f'<th class="n">{word}</th>' for word in ("completeness", "expected", "open", "archived", "half within")
    )
    rows = "".join(map(_row, reversed(days)))
    table = f"<table><thead><tr><th>day</th><th>state</th>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return _page("Recording archive", f"<h1>Recording archive</h1>{table}")


def _row(day: DayFigures) -> str:
    mark = ' class="open"' if day.open else ""
    latency = seconds_word(day.latency.median_seconds) if day.latency else ""
    cells = (day.completeness_percent, f"{day.expected:,}", f"{day.open:,}", bytes_word(day.bytes), latency)
    numbers = "".join(f'<td class="n">{escape(cell)}</td>' for cell in cells)
    link = f'<a href="{escape(day.date)}/">{escape(day.date)}</a>'
    return f"<tr><td>{link}</td><td{mark}>{escape(day.state)}</td>{numbers}</tr>"


def _page(title: str, content: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{content}</body></html>"
    )
