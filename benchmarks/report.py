"""Writes ``docs/performance.md`` and its chart from one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.chart import draw
from benchmarks.table import bars_table, numbers_table

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.story import Results

_PAGE = """# Performance

Written by `make bench`; do not edit the tables by hand.

{facts}

![How many times faster than each rival](performance.png)

## Bars

{bars}

{shortfalls}

## All numbers

GB and MB are powers of ten; medians; CPU is the contender's own, `+ … server` that of the S3 server meanwhile; `spread` is
the slowest run over the fastest. Only rows of one leg may be compared.

{numbers}

## Where the time goes

{profile}

## What stops it

{ceilings}
"""


def write_report(folder: Path, results: Results) -> list[Path]:
    """Write page and chart, and return their paths."""
    page, chart = folder / "performance.md", folder / "performance.png"
    draw(chart, results.legs)
    page.write_text(
        _PAGE.format(
            facts=_facts(results),
            bars=bars_table(results.legs, results.limits),
            shortfalls=_shortfalls(results),
            numbers=numbers_table(results.legs),
            profile=_profile(results),
            ceilings=_ceilings(results),
        ),
        "utf-8",
    )
    return [page, chart]


def _facts(results: Results) -> str:
    return str(results.machine)


def _shortfalls(results: Results) -> str:
    return ""


def _profile(results: Results) -> str:
    return ""


def _ceilings(results: Results) -> str:
    return ""
