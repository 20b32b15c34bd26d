"""What the archive's own code is given here: settings as shipped, a lake, and a job that is already done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from benchmarks.store_under_test import BUCKET, REGION
from demo.ports import LOOPBACK
from include.genesys.models import BatchStatus, RecordingMetadata, RecordingResult
from include.lake.plan import ShardPlan
from include.lake.store import LakeStore, client_config
from include.secret import PresignedUrl
from include.settings import ArchiveSettings, LakeLocation
from include.transfer.download import MediaDownloader
from include.transfer.submit import SubmittedJob, SubmittedShard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DAY = "2026-01-02"
ORG = "benchmark"


@dataclass(frozen=True, slots=True)
class FinishedJobs:
    """A source whose jobs are complete: their results are the inputs."""

    jobs: Mapping[str, tuple[RecordingResult, ...]]

    def batch_status(self, job_id: str) -> BatchStatus:
        """Return the job."""
        results = self.jobs[job_id]
        count = len(results)
        return BatchStatus(
            job_id, completed=True, expected_count=count, result_count=count, error_count=0, results=results
        )

    def recording_metadata(self, conversation_id: str) -> tuple[RecordingMetadata, ...]:
        """Nothing may be missing, so nobody may ask."""
        raise AssertionError(f"nothing is missing of {conversation_id}")


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard as a task has it when its jobs are done."""

    source: FinishedJobs
    plan: ShardPlan
    submitted: SubmittedShard


def settings_for(folder: str, prefix: str = "none") -> ArchiveSettings:
    """Return the settings as they are shipped; only the places are ours."""
    return ArchiveSettings(lake=LakeLocation(BUCKET, prefix), state_dir=Path(folder))


def downloader_for(settings: ArchiveSettings) -> MediaDownloader:
    """Return a downloader that may contact loopback."""
    return MediaDownloader(settings, (LOOPBACK,))


def lake_at(task: Mapping[str, Any], settings: ArchiveSettings) -> LakeStore:
    """Return the lake of a task, with the client configuration that the archive uses."""
    client = boto3.client(
        "s3",
        endpoint_url=task["endpoint"],
        aws_access_key_id=task["access_key"],
        aws_secret_access_key=task["secret_key"],
        region_name=REGION,
        config=client_config(),
    )
    return LakeStore(client, settings.lake)


def shard_of(jobs: Sequence[Mapping[str, Any]]) -> Shard:
    """Build a shard from jobs: the conversations of each, and its results."""
    results = {f"job-{number}": _results(job) for number, job in enumerate(jobs)}
    batches = tuple(tuple(job["conversations"]) for job in jobs)
    facts: dict[str, dict[str, object]] = {item: {"conversation_id": item} for batch in batches for item in batch}
    plan = ShardPlan(ORG, DAY, "UTC", batches, facts)
    submitted = tuple(SubmittedJob(key, batch) for key, batch in zip(results, batches, strict=True))
    return Shard(FinishedJobs(results), plan, SubmittedShard(plan.key, submitted, ()))


def _results(job: Mapping[str, Any]) -> tuple[RecordingResult, ...]:
    return tuple(
        RecordingResult(row["conversation"], row["recording"], PresignedUrl(row["url"]), row["type"])
        for row in job["results"]
    )
