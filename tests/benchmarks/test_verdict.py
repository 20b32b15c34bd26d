"""Medians, ratios, and what becomes of a bar."""

from __future__ import annotations

import pytest

from benchmarks.clock import Sample
from benchmarks.table import bars_table, numbers_table
from benchmarks.verdict import ONE_TASK, OURS, Bar, LegResult, Limit, Row


def row(name: str, *seconds: float, missing: str = "") -> Row:
    """Return a contender with these wall clocks."""
    return Row(name, tuple(Sample(item, cpu_seconds=item / 2, rss_bytes=1_000_000) for item in seconds), missing)


def leg(*rows: Row, bars: tuple[Bar, ...] = ()) -> LegResult:
    """Return a leg that moves 1 GB."""
    return LegResult("leg", "the leg", 1_000_000_000, rows, bars)


def test_one_slow_run_changes_nothing() -> None:
    """The median is compared, so a single disturbed run of either side does not decide."""
    result = leg(row(OURS, 1.0, 1.0, 9.0), row("curl", 2.0, 40.0, 2.0))

    assert 2.0 == result.ratio(result.row("curl"))


@pytest.mark.parametrize(
    ("times", "met"), [(1.9, True), (2.0, True), (2.1, False)], ids=["above the bar", "on the bar", "below the bar"]
)
def test_bar(times: float, met: bool) -> None:  # noqa: FBT001 - the expectation
    """A bar is met from its own number on."""
    result = leg(row(OURS, 1.0), row("curl", 2.0), bars=(Bar(times, ("curl",)),))

    assert [met] == [verdict.met for verdict in result.verdicts]


def test_the_best_rival_counts() -> None:
    """Against several rivals the fastest one decides, whatever the order of the rows."""
    rows = (row(OURS, 1.0), row("slow", 5.0), row("fast", 0.8), row("middling", 3.0))
    (verdict,) = leg(*rows, bars=(Bar(1.0, ("slow", "fast", "middling")),)).verdicts

    assert ("fast", 0.8, False) == (verdict.best, verdict.ratio, verdict.met)


def test_missing_rival_is_named_and_decides_nothing() -> None:
    """A rival that is not installed stands in the table; a bar without any rival is neither met nor missed."""
    result = leg(row(OURS, 1.0), row("aria2c", missing="not installed: aria2c"), bars=(Bar(1.0, ("aria2c",)),))

    assert None is result.verdicts[0].met
    assert "not measured" in bars_table([result], [])
    assert "| aria2c | not installed: aria2c |" in numbers_table([result])


def test_a_rival_outside_the_bar_does_not_count() -> None:
    """A rival that a bar does not name cannot save or spoil it."""
    rows = (row(OURS, 1.0), row("named", 2.0), row("unnamed", 0.1))
    (verdict,) = leg(*rows, bars=(Bar(1.5, ("named",)),)).verdicts

    assert (True, "named") == (verdict.met, verdict.best)


def test_one_task_is_no_rival() -> None:
    """The archive in a single task stands in the table with its ratio, and nowhere else."""
    result = leg(row(OURS, 1.0), row(ONE_TASK, 1.5), row("curl", 2.0), bars=(Bar(1.0, ("curl",)),))

    assert ["curl"] == [rival.name for rival in result.rivals]
    assert f"| leg | {ONE_TASK} | 667 | 0.75 | 1 | 1.50 x | 1 | 1.00 |" in numbers_table([result])
    assert ONE_TASK not in bars_table([result], [])


def test_numbers() -> None:
    """A line holds MB/s, CPU seconds for each GB, peak MB, ratio, rounds and spread."""
    text = numbers_table([leg(row(OURS, 2.0, 4.0, 2.0), row("a | b", 3.0))])

    assert f"| leg | {OURS} | 500 | 1.00 | 1 |  | 3 | 2.00 |" in text
    assert "| leg | a \\| b | 333 | 1.50 | 1 | 1.50 x | 1 | 1.00 |" in text


def test_limit() -> None:
    """A number that must be small is met up to its limit."""
    limits = [Limit("memory", "memory", 150.0, 150.0, "MB"), Limit("growth", "growth", 10.5, 10.0, "%")]

    assert ["met", "**not met**"] == [limit.word for limit in limits]
    assert "| growth | ≤ 10 % | 10.5 % | **not met** |" in bars_table([], limits)
