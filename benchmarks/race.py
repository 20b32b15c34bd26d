"""Runs a leg: every contender once in each round, beginning with another one each time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.verdict import OURS, LegResult, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.clock import Sample
    from benchmarks.legs_download import Leg


SLOW_TIMES, SLOW_ROUNDS = 4.0, 2
"""A rival that takes so many times as long as the archive needs no more rounds than these to be told apart."""


def race(leg: Leg, repeats: int, say: Callable[[str], None]) -> LegResult:
    """Measure a leg.

    Raises:
        WrongResultError: when anybody's result is wrong; a fast wrong answer is worth nothing.
    """
    begun = time.monotonic()
    ready = [contender for contender in leg.contenders if not contender.missing]
    samples: dict[str, list[Sample]] = {contender.name: [] for contender in ready}
    for turn in range(repeats):
        if turn == SLOW_ROUNDS:
            ready = [contender for contender in ready if not _is_hopeless(samples, contender.name)]
        first = turn % len(ready)
        for contender in (*ready[first:], *ready[:first]):
            samples[contender.name].append(contender.run())
    rows = tuple(
        Row(contender.name, tuple(samples.get(contender.name, ())), contender.missing) for contender in leg.contenders
    )
    result = LegResult(leg.key, leg.title, leg.moved_bytes, rows, leg.bars)
    words = ", ".join(_word(result, row) for row in rows)
    say(f"{leg.key}: {words} ({time.monotonic() - begun:.0f} s)")
    return result


def _is_hopeless(samples: dict[str, list[Sample]], name: str) -> bool:
    ours, theirs = (min(sample.seconds for sample in samples[one]) for one in (OURS, name))
    return theirs > SLOW_TIMES * ours


def _word(result: LegResult, row: Row) -> str:
    if not row.samples:
        return f"{row.name}: {row.missing}"
    rate = result.moved_bytes / 1e6 / row.seconds
    ratio = result.ratio(row) or 0.0
    return f"{row.name} {rate:.0f} MB/s (we: {ratio:.2f} x, {row.cpu_seconds / result.moved_bytes * 1e9:.2f} cpu s/GB)"
