"""A job that never finishes is asked for again in smaller ones, until the conversation that holds it is alone.

Pure but for the two verbs of the source. Nothing here waits: the sensor defers between two rounds.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, cast

from include.errors import ArchiveError, RecordingGone
from include.genesys.waiting import is_done
from include.lake.layout import shard_digest
from include.settings import BATCH_ITEMS_LIMIT
from include.transfer.submit import SubmittedShard, submit_once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from include.genesys.models import BatchStatus
    from include.genesys.recording import BatchSubmitted
    from include.transfer.submit import JobMemory, SubmittedJob

log = logging.getLogger(__name__)

ROUNDS_MAX = BATCH_ITEMS_LIMIT.bit_length()
"""Halving a full batch this often leaves one conversation."""
JOBS_MAX = 16
"""New jobs of one shard in one round: enough for eight conversations that each hold a job."""
JOBS_WITHOUT_PROGRESS = 4
"""A round of more jobs than this of which none finished speaks against the source, not against a conversation."""


class HalvingSource(Protocol):
    """What asking again needs of the source."""

    def batch_status(self, job_id: str) -> BatchStatus:
        """Return the job as it stands."""

    def submit_batches(self, conversation_ids: Sequence[str], output_format: str | None = None) -> BatchSubmitted:
        """Submit one batch; ids that the source calls malformed are left out and named."""


@dataclass(frozen=True, slots=True)
class Wait:
    """One round of waiting: the shard with its jobs as they are now, and which of them are waited for.

    ``deadline`` is a Unix time. ``finished``, ``unfinished`` and ``gone`` are the jobs that earlier rounds left behind;
    ``moved`` says whether any finished in the last one.
    """

    shard: SubmittedShard
    waiting: tuple[str, ...]
    deadline: float
    number: int = 0
    finished: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    polls: int = 0
    moved: bool = False

    @property
    def worth_splitting(self) -> tuple[SubmittedJob, ...]:
        """The stuck jobs of more than one conversation; none where asking again would not help."""
        stuck = [job for job in self.shard.jobs if job.job_id in self.unfinished and len(job.conversation_ids) > 1]
        is_hopeless = self.number >= ROUNDS_MAX or (len(stuck) > JOBS_WITHOUT_PROGRESS and not self.moved)
        return () if is_hopeless else tuple(stuck)

    def to_json(self) -> dict[str, object]:
        """Return it as Airflow stores it between two rounds: ids and numbers."""
        return {
            "shard": self.shard.to_json(),
            "waiting": list(self.waiting),
            "deadline": self.deadline,
            "number": self.number,
            "finished": list(self.finished),
            "unfinished": list(self.unfinished),
            "gone": list(self.gone),
            "polls": self.polls,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Wait:
        """Read what ``to_json`` wrote."""

        def ids(name: str) -> tuple[str, ...]:
            return tuple(cast("list[str]", document[name]))

        return cls(
            shard=SubmittedShard.from_json(cast("dict[str, object]", document["shard"])),
            waiting=ids("waiting"),
            deadline=cast("float", document["deadline"]),
            number=cast("int", document["number"]),
            finished=ids("finished"),
            unfinished=ids("unfinished"),
            gone=ids("gone"),
            polls=cast("int", document["polls"]),
        )

    def over(self, event: Mapping[str, object]) -> Wait:
        """Return what is known at the end of the round, nothing being waited for; ``event`` is the trigger's."""
        told = {name: tuple(cast("list[str]", event[name])) for name in ("finished", "unfinished", "gone")}
        return replace(
            self,
            waiting=(),
            finished=self.finished + told["finished"],
            unfinished=self.unfinished + told["unfinished"],
            gone=self.gone + told["gone"],
            polls=self.polls + cast("int", event["polls"]),
            moved=bool(told["finished"]),
        )

    def outcome(self) -> dict[str, object]:
        """Return the end of it all for XCom; ``shard`` is ``None`` where the jobs are still those of the submission."""
        return {
            "finished": sorted(self.finished),
            "unfinished": sorted(self.unfinished),
            "gone": sorted(self.gone),
            "polls": self.polls,
            "shard": self.shard.to_json() if self.number else None,
        }


def in_smaller_jobs(
    source: HalvingSource, wait: Wait, memory: JobMemory, *, now: datetime, deadline: float
) -> Wait | None:
    """Submit what unfinished jobs hold in smaller jobs and return the next round; ``None`` where there is none.

    ``wait`` is a round that is over. What a stuck job has delivered goes into a job of its own, without the suspects:
    only a finished job tells that nothing more belongs to a conversation. The suspects, of which it delivered nothing,
    go into two halves. A conversation that is alone is not asked for again: it is the one.

    A source that refuses or does not answer costs the halves, not the shard: what has finished must go on.
    """
    replaced: dict[str, tuple[SubmittedJob, ...]] = {}
    refused: list[str] = []
    output_format = wait.shard.output_format
    began = 0
    for job in wait.worth_splitting:
        try:
            groups = _groups(job, source.batch_status(job.job_id))
            if not groups or began + len(groups) > JOBS_MAX:
                continue
            began += len(groups)
            parts = [
                submit_once(source, f"smaller-{shard_digest(ids)}", ids, memory, output_format=output_format, now=now)
                for ids in groups
            ]
        except RecordingGone:
            continue
        except ArchiveError as error:
            log.warning("Job %s could not be split, its conversations stay pending: %s", job.job_id, error)
            continue
        replaced[job.job_id] = tuple(one for jobs, _ in parts for one in jobs)
        refused += [one for _, ids in parts for one in ids]
    if not replaced:
        return None
    return _next_round(wait, replaced, refused, deadline)


def _next_round(
    wait: Wait, replaced: Mapping[str, tuple[SubmittedJob, ...]], refused: Sequence[str], deadline: float
) -> Wait:
    jobs = tuple(one for job in wait.shard.jobs for one in replaced.get(job.job_id, (job,)))
    return replace(
        wait,
        shard=replace(wait.shard, jobs=jobs, refused=(*wait.shard.refused, *refused)),
        waiting=tuple(job.job_id for new in replaced.values() for job in new),
        deadline=deadline,
        number=wait.number + 1,
        unfinished=tuple(job_id for job_id in wait.unfinished if job_id not in replaced),
    )


def _groups(job: SubmittedJob, status: BatchStatus) -> list[tuple[str, ...]]:
    """Return what to ask for together: what came, and two halves of what did not; nothing of a job that is done."""
    if is_done(status, finished=False):
        return []
    named = {result.conversation_id for result in status.results}
    came = tuple(one for one in job.conversation_ids if one in named)
    suspects = tuple(one for one in job.conversation_ids if one not in named)
    if not suspects:
        came, suspects = (), job.conversation_ids
    middle = -(-len(suspects) // 2)
    return [group for group in (came, suspects[:middle], suspects[middle:]) if group]
