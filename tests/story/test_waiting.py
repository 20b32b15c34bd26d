"""When a batch job may be read: a table of polls, because equal counters alone are no proof."""

from __future__ import annotations

import pytest

from include.genesys.models import BatchStatus, RecordingResult
from include.genesys.waiting import JobWatch, poll_pause_seconds
from include.secret import PresignedUrl

DONE, BUSY, SILENT = True, False, None
ARCHIVE = (RecordingResult(None, None, PresignedUrl("https://media.example.net/1.zip"), None),)


def watch_over(polls: list[tuple[bool | None, int, int]], stable_polls: int = 3) -> JobWatch:
    """Show a watch over one job these polls: what ``status`` said, results, expected; stop when it is over."""
    watch = JobWatch.over(["job"], stable_polls)
    for completed, results, expected in polls:
        assert not watch.is_over
        watch.saw(BatchStatus("job", completed, expected, results, 0, ARCHIVE))
    return watch


@pytest.mark.parametrize(
    ("polls", "over"),
    [
        ([(DONE, 0, 0)], True),
        ([(DONE, 3, 5)], True),
        ([(BUSY, 5, 5)] * 9, False),
        ([(SILENT, 0, 0)] * 9, False),
        ([(SILENT, 5, 5)] * 2, False),
        ([(SILENT, 5, 5)] * 3, True),
        ([(SILENT, 40, 40), (SILENT, 40, 40), (SILENT, 40, 100), (SILENT, 40, 40), (SILENT, 40, 40)], False),
        ([(SILENT, 40, 40)] * 2 + [(SILENT, 40, 100)] + [(SILENT, 100, 100)] * 3, True),
        ([(SILENT, 6, 5)] * 9, False),
        ([(SILENT, 5, 5), (BUSY, 5, 5), (BUSY, 5, 5), (BUSY, 5, 5), (DONE, 5, 5)], True),
        ([(SILENT, 0, 0), (SILENT, 1, 2), (SILENT, 2, 2), (DONE, 2, 2)], True),
    ],
    ids=[
        "completed-with-nothing",
        "completed-with-fewer",
        "status-says-busy-though-counts-agree",
        "nothing-of-nothing-is-never-finished",
        "equal-too-briefly",
        "equal-for-three-polls",
        "equality-broken-starts-anew",
        "equal-at-last",
        "more-than-expected",
        "status-appears-later",
        "completed-before-stable",
    ],
)
def test_when_a_job_is_over(polls: list[tuple[bool | None, int, int]], *, over: bool) -> None:
    """``status`` decides where it is stated; counters must agree above zero for several polls in a row."""
    watch = watch_over(polls)
    assert over == watch.is_over
    assert (["job"] if over else []) == watch.finished
    assert len(polls) == watch.polls


def test_equal_counters_change_nothing_when_the_number_moves() -> None:
    """Agreement counts poll by poll, also while both counters grow together."""
    assert watch_over([(SILENT, 1, 1), (SILENT, 2, 2), (SILENT, 3, 3)]).is_over


def test_counters_without_a_result_are_no_end() -> None:
    """Counters that agree before there is anything to fetch do not count; the polls start when it is there."""
    watch = JobWatch.over(["job"], 3)
    for results in ((), (), (), (), ARCHIVE, ARCHIVE):
        watch.saw(BatchStatus("job", SILENT, 5, 5, 0, results))
        assert not watch.is_over
    watch.saw(BatchStatus("job", SILENT, 5, 5, 0, ARCHIVE))
    assert watch.is_over


def test_one_job_of_several() -> None:
    """A watch is over when its last job is finished or gone, and says which was which."""
    watch = JobWatch.over(["a", "b", "c"], 1)
    watch.saw(BatchStatus("a", DONE, 1, 1, 0))
    watch.lost("b")
    assert not watch.is_over
    assert {"finished": ["a"], "gone": ["b"], "unfinished": ["c"], "polls": 2} == watch.to_json()
    watch.saw(BatchStatus("c", SILENT, 2, 2, 0, ARCHIVE))
    assert watch.is_over


def test_no_jobs_is_over_at_once() -> None:
    """A shard whose conversations were all refused waits for nothing."""
    assert JobWatch.over([], 3).is_over


@pytest.mark.parametrize(
    ("jobs", "allowance", "seconds"),
    [(1, 300, 10.0), (25, 300, 10.0), (26, 300, 10.4), (250, 300, 100.0), (3, 1, 360.0)],
)
def test_many_jobs_are_polled_less_often(jobs: int, allowance: int, seconds: float) -> None:
    """Polling never takes more than half of the allowance."""
    assert seconds == pytest.approx(poll_pause_seconds(10.0, jobs, allowance))
