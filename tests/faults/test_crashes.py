"""A run that is killed with SIGKILL, wherever it stands, leaves nothing that the next one does not make whole."""

from __future__ import annotations

import pytest

from tests.faults.crash_points import KINDS, POINTS, SPOILED, CrashPoint, When
from tests.faults.ground import Ground, crash_and_run_again


def test_every_kind_of_request_is_known() -> None:
    """There are more than two dozen crash points, each once, and each of a kind that the gates can tell."""
    points = POINTS + SPOILED
    assert len(points) == len(set(points)) >= 25
    assert {point.kind for point in points} <= {kind for kind, _, _ in KINDS}


def test_undisturbed_day(ground: Ground) -> None:
    """The second and the third run of a settled day write nothing."""
    whole = ground.undisturbed()
    assert whole.listings[0] == whole.listings[1] == whole.listings[2]


@pytest.mark.parametrize(
    ("point", "number", "mode"),
    [
        (CrashPoint("submit", When.AFTER), 1, "cleared"),
        (CrashPoint("media", When.HALF_SENT), 2, "cleared"),
        (CrashPoint("complete upload", When.AFTER), 1, "retried"),
        (CrashPoint("metadata", When.BEFORE), 4, "retried"),
        (CrashPoint("manifest", When.AFTER), 1, "cleared"),
        (CrashPoint("commit", When.AFTER), 0, "cleared"),
    ],
    ids=str,
)
def test_killed(ground: Ground, point: CrashPoint, number: int, mode: str) -> None:
    """The next run comes to the lake of an uninterrupted one, key by key and byte by byte."""
    end = crash_and_run_again(ground, point, number, mode, runs_max=1)
    assert ((), 1) == (end.differences, end.same_as)
