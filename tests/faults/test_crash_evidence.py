"""The long form: every crash point, first, middle and last item, retried and cleared."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.faults.crash_points import POINTS, SPOILED, items_of
from tests.faults.ground import Ground, crash_and_run_again

MODES = ("retried", "cleared")


def print_row(row: object) -> None:
    """Print a line of the table as soon as it is known."""
    print(row, flush=True)  # noqa: T201 - the table is what the evidence is for


@pytest.mark.evidence
@pytest.mark.timeout(5400)
def test_every_crash_point(ground: Ground, spoiled_ground: Ground) -> None:
    """Two runs after a kill the lake is that of an uninterrupted run, whatever was killed and however it goes on."""
    wrong, needed = [], Counter()
    for place, points in ((ground, POINTS), (spoiled_ground, SPOILED)):
        for point in points:
            count = place.undisturbed().seen[point.kind]
            assert count, f"nothing of the day is a {point.kind}"
            for number in items_of(count):
                for mode in MODES:
                    end = crash_and_run_again(place, point, number, mode)
                    needed[end.runs] += 1
                    state = f"DIFFERS {end.differences}" if end.differences else f"lake of {end.same_as}"
                    print_row(f"{point!s:34} {number + 1:3}/{count:<3} {mode}: {end.runs} run(s), {state}")
                    wrong += [end] if end.differences else []
    print_row(f"{len(POINTS) + len(SPOILED)} points, {needed.total()} kills, runs needed: {dict(needed)}")
    assert [] == wrong
