"""Writes what people and dashboards read of a day: two documents, a page and a picture, each only where it changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from include.audit.figures import DayFigures
from include.audit.report import report_document, report_markdown, sentence
from include.canonical import canonical_json, read_document
from include.errors import IntegrityError
from include.lake import layout
from include.lake.commit import read_head
from include.lake.plan import named_by, shortfall_of
from include.lake.store import JSON_TYPE
from include.transfer.custody import day_latency

if TYPE_CHECKING:
    from include.audit.reconcile import DayState
    from include.lake.commit import Commit
    from include.lake.store import LakeStore
    from include.local_day import LocalDay

TRAILING_DAYS = 30
READERS = 8
REPORT, PAGE, FIGURES, CHART = "report.json", "report.md", "figures.json", "completeness.png"
MEDIA_TYPES = {
    REPORT: JSON_TYPE,
    PAGE: "text/markdown; charset=utf-8",
    FIGURES: JSON_TYPE,
    CHART: "image/png",
}
"""Every file of a day's report, with what it is served as."""


def write_reports(lake: LakeStore, commit: Commit, state: DayState) -> DayFigures:
    """Write a day's reports and return its figures.

    Reads at most thirty small documents and a sample of the day's metadata, however large the day is. The picture
    shows the days before this one and none after it, so that reports of equal days are equal whenever they are made.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: as the lake raises them.
    """
    # Not at the top: matplotlib takes seconds and 60 MB, and only this task draws.
    from include.audit.chart import draw_completeness  # noqa: PLC0415

    day = str(commit.day)
    told = shortfall_of(lake, commit.plans)
    figures = replace(
        DayFigures.of(day, state, day_latency(lake, state), commit.key),
        unreadable=len(told.unreadable),
        without_names=tuple(sorted(told.without_names)),
    )
    arguments = (commit.org, day, commit.key, state, figures)
    files = {
        REPORT: canonical_json(report_document(*arguments)),
        PAGE: report_markdown(*arguments).encode(),
        FIGURES: canonical_json(figures.to_json()),
        CHART: draw_completeness(figures, earlier_figures(lake, day), sentence(day, state)),
    }
    for name, body in files.items():
        lake.put_latest(layout.report_key(day, name), body, MEDIA_TYPES[name])
    return figures


def day_figures(lake: LakeStore, day: str) -> DayFigures:
    """Return the figures that the last report of a day was written with: one small read.

    Raises:
        IntegrityError: when there are none, or what is there is something else.
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    figures = _figures_of(lake, day)
    if figures is None:
        raise IntegrityError(f"{lake.uri(layout.report_key(day, FIGURES))} is missing or spoiled; reconcile the day.")
    return figures


def is_measured(lake: LakeStore, org: str, day: LocalDay) -> bool:
    """Whether some plan of the day asked what calls there were: otherwise nobody knows what it lacks.

    Raises:
        IntegrityError, LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    head = read_head(lake, org, day)
    return head is not None and any(not named_by(lake, key) for key in head.plans)


def is_reported(lake: LakeStore, day: str, head: Commit) -> bool:
    """Whether the day's report speaks of this commit; raises as ``earlier_figures`` does."""
    figures = _figures_of(lake, day)
    return figures is not None and figures.commit == head.key


def earlier_figures(lake: LakeStore, day: str, days_back: int = TRAILING_DAYS - 1) -> list[DayFigures]:
    """Return the figures of the days before, oldest first; a day without any, or with damaged ones, is left out.

    Raises:
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    last = date.fromisoformat(day)
    days = [str(last - timedelta(days=back)) for back in range(days_back, 0, -1)]
    with ThreadPoolExecutor(READERS, thread_name_prefix="figures") as pool:
        return [found for found in pool.map(lambda name: _figures_of(lake, name), days) if found is not None]


def _figures_of(lake: LakeStore, day: str) -> DayFigures | None:
    body = lake.read(layout.report_key(day, FIGURES))
    try:
        figures = DayFigures.from_json(read_document(body or b""))
    except (KeyError, TypeError, ValueError):
        # A view that somebody spoiled must not keep another day from its report; its own run writes it anew.
        return None
    return figures if figures.date == day else None
