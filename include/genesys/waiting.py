"""When a batch job may be read: pure, one poll at a time.

``status`` decides where the source states it. Where only the counters speak, equality must be above zero and hold for
several polls, because the expected count moves while recordings are being discovered (Genesys SDK,
``BatchDownloadJobStatusResult.expectedResultCount``). What a job then still misses is found by reconciliation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

POLL_SHARE = 0.5
"""The part of the request allowance that polling may use; the rest is for submitting, names and metadata."""

if TYPE_CHECKING:
    from collections.abc import Iterable

    from include.genesys.models import BatchStatus


def poll_pause_seconds(poll_seconds: float, open_jobs: int, requests_per_minute: int) -> float:
    """Return the pause between two polls of each job: the wish, or longer where the allowance would not stand it.

    >>> poll_pause_seconds(10.0, 3, 300), poll_pause_seconds(10.0, 250, 300)
    (10.0, 100.0)
    """
    return max(poll_seconds, open_jobs * 60 / (requests_per_minute * POLL_SHARE))


def is_done(status: BatchStatus, *, finished: bool) -> bool:
    """Whether nothing more can come of a job: it says so, or has only counters and expects nothing at all.

    ``finished``, what the wait came to, does not outweigh a job that says it is still at work.

    Counters of 0 and 0 never count as finished while waiting (they also stand there before a job has begun); at the
    deadline they mean a batch that Genesys answers with silence, as it does for conversations we may not see.
    """
    if status.completed is not None:
        return status.completed
    return finished or status.expected_count == 0


@dataclass(slots=True, eq=False, weakref_slot=True)
class JobWatch:
    """The jobs of one shard while they are being waited for."""

    stable_polls: int
    open_jobs: dict[str, int]
    """Job id to the number of polls in a row in which its counters agreed."""
    finished: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    polls: int = 0

    @classmethod
    def over(cls, job_ids: Iterable[str], stable_polls: int) -> JobWatch:
        """Return a watch over these jobs, all of them open."""
        return cls(stable_polls=stable_polls, open_jobs=dict.fromkeys(job_ids, 0))

    def saw(self, status: BatchStatus) -> None:
        """Take note of one answer."""
        self.polls += 1
        # Under the guide's contract the counters may agree while the archive is still being built.
        agreed = self.open_jobs[status.job_id] + 1 if status.counts_agree and status.results else 0
        self.open_jobs[status.job_id] = agreed
        if status.completed or (status.completed is None and agreed >= self.stable_polls):
            del self.open_jobs[status.job_id]
            self.finished.append(status.job_id)

    def lost(self, job_id: str) -> None:
        """Take note that the source no longer knows the job."""
        self.polls += 1
        del self.open_jobs[job_id]
        self.gone.append(job_id)

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to wait for."""
        return not self.open_jobs

    def to_json(self) -> dict[str, object]:
        """Return the end of the wait, for XCom: ids and a count."""
        return {
            "finished": sorted(self.finished),
            "gone": sorted(self.gone),
            "unfinished": sorted(self.open_jobs),
            "polls": self.polls,
        }
