"""Turns a shard's batches into jobs, once: a retry finds the jobs that the try before it submitted."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, cast

from include.lake.key_reading import dates_in

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from include.genesys.recording import BatchSubmitted
    from include.lake.plan import ShardPlan

REUSE_FOR = timedelta(minutes=45)
"""How long a remembered job is used again. Its result URLs live at most 60 minutes
(``recordingBatchDownloadUrlTtl``, Genesys SDK), and a person who clears a finished task wants new ones."""


class BatchSource(Protocol):
    """What submitting needs of the source."""

    def submit_batches(self, conversation_ids: Sequence[str], output_format: str | None = None) -> BatchSubmitted:
        """Submit one batch; ids that the source calls malformed are left out and named."""


class JobMemory(Protocol):
    """Airflow's task state store, or a dictionary: survives a retry of the task."""

    def get(self, key: str) -> object:
        """Return what was remembered, ``None`` where nothing was."""

    def set(self, key: str, value: dict[str, object]) -> None:
        """Remember."""


@dataclass(frozen=True, slots=True)
class SubmittedJob:
    """A job and the conversations that it was asked for, as it travels through XCom.

    ``submitted_at`` is ISO 8601, and the try's that did submit it.
    """

    job_id: str
    conversation_ids: tuple[str, ...]
    submitted_at: str | None = None

    def without(self, erased: Collection[str]) -> SubmittedJob:
        """Return the job without conversations that were erased since: what it delivers of them is left out."""
        return replace(self, conversation_ids=tuple(item for item in self.conversation_ids if item not in erased))


@dataclass(frozen=True, slots=True)
class SubmittedShard:
    """A shard's jobs, the format they were asked for, and the conversations that the source refused to take."""

    plan_key: str
    jobs: tuple[SubmittedJob, ...]
    refused: tuple[str, ...]
    output_format: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return it for XCom, in lists: Airflow stores a tuple as a class of Python's, which its UI cannot show.

        With the day of the plan, which labels the tasks that take it over; empty where there is no plan.
        """
        return {
            "date": "".join(dates_in([self.plan_key])),
            "plan_key": self.plan_key,
            "jobs": [asdict(job) | {"conversation_ids": list(job.conversation_ids)} for job in self.jobs],
            "refused": list(self.refused),
            "output_format": self.output_format,
        }

    @classmethod
    def from_json(cls, document: dict[str, object]) -> SubmittedShard:
        """Read what ``to_json`` wrote."""
        jobs = cast("list[dict[str, object]]", document["jobs"])
        return cls(
            plan_key=str(document["plan_key"]),
            jobs=tuple(
                SubmittedJob(
                    str(job["job_id"]),
                    tuple(cast("list[str]", job["conversation_ids"])),
                    cast("str | None", job.get("submitted_at")),
                )
                for job in jobs
            ),
            refused=tuple(cast("list[str]", document["refused"])),
            output_format=cast("str | None", document.get("output_format")),
        )


def submit_shard(
    source: BatchSource,
    plan: ShardPlan,
    memory: JobMemory,
    *,
    output_format: str | None,
    now: datetime,
    erased: Collection[str] = (),
) -> SubmittedShard:
    """Submit every batch of the shard that was not submitted by an earlier try, and return all its jobs.

    ``erased`` are conversations that were erased since the shard was planned: nobody asks for them again.

    Raises:
        RetriableError, PermanentError: as the source raises them; what was submitted before is remembered.
    """
    jobs: list[SubmittedJob] = []
    refused: list[str] = []
    for number, planned in enumerate(plan.batches):
        batch = tuple(item for item in planned if item not in erased)
        if not batch:
            continue
        taken, left_out = submit_once(source, f"batch-{number}", batch, memory, output_format=output_format, now=now)
        jobs += taken
        refused += left_out
    return SubmittedShard(plan.key, tuple(jobs), tuple(refused), output_format)


def submit_once(
    source: BatchSource,
    place: str,
    batch: Sequence[str],
    memory: JobMemory,
    *,
    output_format: str | None,
    now: datetime,
) -> tuple[tuple[SubmittedJob, ...], tuple[str, ...]]:
    """Submit one batch unless an earlier try did, and return its jobs and the ids that the source refused.

    ``place`` is what the batch is remembered under.

    Raises:
        RetriableError, PermanentError: as the source raises them.
    """
    answer = _remembered(memory.get(place), batch, now)
    if answer is None:
        submitted = source.submit_batches(batch, output_format)
        answer = {
            "submitted_at": now.isoformat(),
            "jobs": [[job.job_id, list(job.conversation_ids)] for job in submitted.jobs],
            "refused": list(submitted.poisoned),
        }
        memory.set(place, answer)
    moment = str(answer["submitted_at"])
    jobs = cast("list[tuple[str, list[str]]]", answer["jobs"])
    refused = cast("list[str]", answer["refused"])
    return tuple(SubmittedJob(job_id, tuple(ids), moment) for job_id, ids in jobs), tuple(refused)


def _remembered(value: object, batch: Sequence[str], now: datetime) -> dict[str, object] | None:
    """Return what an earlier try remembered, if it is young and of this very batch: a day may be planned anew."""
    if not isinstance(value, dict) or "submitted_at" not in value:
        return None
    covered = {item for _, ids in value["jobs"] for item in ids} | set(value["refused"])
    is_young = now - datetime.fromisoformat(str(value["submitted_at"])) < REUSE_FOR
    return value if is_young and covered == set(batch) else None
