"""One night as a test runs it: a sandbox, a lake, and the steps that Airflow would run, one call each."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from threading import Event
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from include.genesys.client import GenesysClient
from include.genesys.connection import GenesysConnection
from include.genesys.waiting import JobWatch
from include.lake.key_reading import MediaKey
from include.lake.plan import ShardPlan
from include.local_day import LocalDay
from include.sandbox.config import SandboxConfig
from include.sandbox.server import running
from include.settings import ArchiveSettings
from include.transfer.archive import archive_shard
from include.transfer.day import commit_day, reconcile_day
from include.transfer.day_plan import plan_day
from include.transfer.download import MediaDownloader
from include.transfer.halving import Wait, in_smaller_jobs
from include.transfer.submit import submit_shard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from include.audit.reconcile import DayState
    from include.genesys.models import BatchStatus
    from include.lake.store import LakeStore
    from include.sandbox.server import Sandbox
    from include.transfer.archive import ShardReport
    from include.transfer.day_plan import DayPlanned
    from include.transfer.submit import SubmittedShard

ZONE = ZoneInfo("Europe/Berlin")
DAY = LocalDay(date(2026, 3, 2), ZONE)
PATIENCE_SECONDS = 20.0
MEDIA = "GET /recordings/{part}"
ZIP = "GET /exports/{jobId}.zip"


class Memory(dict):
    """What Airflow's task state store is: it survives a retry of the task."""

    def set(self, key: str, value: dict[str, object]) -> None:
        """Remember."""
        self[key] = value


@dataclass
class Night:
    """The parts of one run; ``run()`` is the whole of it."""

    box: Sandbox
    lake: LakeStore
    settings: ArchiveSettings
    connection: GenesysConnection
    source: GenesysClient
    downloader: MediaDownloader
    reports: list[ShardReport] = field(default_factory=list)

    def plan(self, **options: object) -> DayPlanned:
        """Plan the day."""
        options.setdefault("shards_max", 250)
        return plan_day(self.source, self.lake, self.settings, self.box.org_id, DAY, **options)

    def shard(self, planned: DayPlanned, number: int = 0) -> ShardPlan:
        """Read a planned shard from the lake."""
        return ShardPlan.read(self.lake, planned.shards[number].plan_key)

    def submit(self, shard: ShardPlan, memory: Memory | None = None, now: datetime | None = None) -> SubmittedShard:
        """Submit a shard's batches."""
        memory = Memory() if memory is None else memory
        return submit_shard(self.source, shard, memory, output_format=None, now=now or datetime.now(UTC))

    def wait(
        self, submitted: SubmittedShard, enough: Callable[[Mapping[str, BatchStatus]], bool] = lambda _: False
    ) -> JobWatch:
        """Poll until every job is finished, or until what they say is enough for the test."""
        watch = JobWatch.over([job.job_id for job in submitted.jobs], self.settings.stable_polls)
        seen: dict[str, BatchStatus] = {}
        deadline, pause = time.monotonic() + PATIENCE_SECONDS, Event()
        while not watch.is_over and not (seen and enough(seen)):
            assert time.monotonic() < deadline, f"jobs did not come to an end: {seen}"
            for job_id in list(watch.open_jobs):
                seen[job_id] = self.source.batch_status(job_id)
                watch.saw(seen[job_id])
            pause.wait(0.01)
        return watch

    def ready(self, planned: DayPlanned, number: int = 0) -> tuple[ShardPlan, SubmittedShard]:
        """Submit a planned shard and wait for its jobs: what there is just before it is archived."""
        shard = self.shard(planned, number)
        submitted = self.submit(shard)
        self.wait(submitted)
        return shard, submitted

    def wait_in_halves(self, submitted: SubmittedShard, seconds: float = 0.4) -> Wait:
        """Wait as the sensor does, so many seconds a round, and ask again in smaller jobs for what is stuck."""
        wait: Wait | None = Wait(submitted, tuple(job.job_id for job in submitted.jobs), seconds)
        while wait is not None:
            watch, pause = JobWatch.over(wait.waiting, self.settings.stable_polls), Event()
            deadline = time.monotonic() + seconds
            while not watch.is_over and time.monotonic() < deadline:
                for job_id in list(watch.open_jobs):
                    watch.saw(self.source.batch_status(job_id))
                pause.wait(0.01)
            over = wait.over(watch.to_json())
            wait = in_smaller_jobs(self.source, over, Memory(), now=datetime.now(UTC), deadline=seconds)
        return over

    def archive(
        self, shard: ShardPlan, submitted: SubmittedShard, unfinished: frozenset[str] = frozenset()
    ) -> ShardReport:
        """Archive a shard."""
        return archive_shard(
            self.source, self.lake, self.downloader, self.settings, shard, submitted, unfinished=unfinished
        )

    def run(self, **options: object) -> tuple[DayPlanned, DayState]:
        """Run the whole night; the shards' reports are in ``reports`` afterwards."""
        planned = self.plan(**options)
        self.reports = []
        for number in range(len(planned.shards)):
            shard = self.shard(planned, number)
            submitted = self.submit(shard)
            watch = self.wait(submitted)
            self.reports.append(self.archive(shard, submitted, frozenset(watch.open_jobs)))
        commit_day(self.lake, self.box.org_id, DAY, [planned.plan_key])
        state, _ = reconcile_day(self.lake, self.box.org_id, DAY, [planned.plan_key])
        return planned, state

    def downloads(self) -> list[str]:
        """Return the paths of the media and zips fetched so far, one per request."""
        return [call.path for call in self.box.journal if call.line in {MEDIA, ZIP}]


@contextmanager
def night(lake: LakeStore, folder: Path, **config: object) -> Iterator[Night]:
    """Open a sandbox with short recordings, and everything that a run needs beside it."""
    config = {"conversations": 24, "audio_seconds": (1, 1), "job_seconds": 0.0, "rate_limit": 100_000} | config
    with running(SandboxConfig(dates=(DAY.date,), timezone=ZONE.key, **config)) as box, opened(box, lake, folder) as it:
        yield it


@contextmanager
def clean(lake: LakeStore, folder: Path, **config: object) -> Iterator[Night]:
    """Open a day on which every conversation can be archived."""
    with night(lake, folder, **({"conversations": 9, "scenario": "clean"} | config)) as tonight:
        yield tonight


@contextmanager
def opened(box: Sandbox, lake: LakeStore, folder: Path, media_hosts: str = "127.0.0.1") -> Iterator[Night]:
    """Open what a run needs, for a sandbox that is there already; no wait between attempts ever sleeps."""
    settings = ArchiveSettings(lake=lake.location, timezone=ZONE, state_dir=folder)
    connection = connection_to(box, media_hosts)
    with (
        GenesysClient(connection, settings, lambda _: None) as source,
        MediaDownloader(settings, connection.media_hosts, lambda _: None) as downloader,
    ):
        yield Night(box, lake, settings, connection, source, downloader)


def connection_to(box: Sandbox, media_hosts: str = "127.0.0.1") -> GenesysConnection:
    """Return the stored connection as Airflow would hand it over."""
    extra = {
        "contract": box.world.config.contract,
        "api_base_url": box.api_base_url,
        "login_base_url": box.login_base_url,
        "org_id": box.org_id,
        "media_hosts": media_hosts,
        "requests_per_minute": 10_000,
    }
    return GenesysConnection.from_fields(
        name="genesys_cloud", host="mypurecloud.com", login=box.client_id, password=box.client_secret, extra=extra
    )


def classes_of(box: Sandbox) -> dict[str, str]:
    """Return what the sandbox itself says each conversation must come to."""
    return {item.conversation_id: item.outcome for item in box.truth(DAY.date).conversations}


def audio_of(box: Sandbox) -> set[tuple[str, str, str]]:
    """Return conversation, recording and SHA-256 of every part that the sandbox says must be archived."""
    return {
        (item.conversation_id, part.recording_id, part.sha256)
        for item in box.truth(DAY.date).conversations
        for part in item.parts
        if part.outcome == "archived"
    }


def audio_in(lake: LakeStore) -> set[tuple[str, str, str]]:
    """Return the same of every audio object in the bucket, the SHA-256 being the bucket's own."""
    found = set()
    for key in media_keys(lake):
        parsed = MediaKey.parse(key)
        stored = lake.head(key)
        assert parsed.sha256 == stored.sha256
        found.add((parsed.identity.conversation_id, parsed.identity.recording_id, stored.sha256))
    return found


def media_keys(lake: LakeStore) -> list[str]:
    """Return the keys of all audio objects."""
    return [key for key in lake.list_keys("media/") if not key.endswith(".metadata.json")]


def classes_in(state: DayState) -> dict[str, str]:
    """Return the class of each conversation of a day."""
    return {key: str(value) for key, value in state.outcomes.items()}


def everything_in(lake: LakeStore) -> dict[str, tuple[str, int]]:
    """Return SHA-256 and size of every object of the lake."""
    return {key: (found.sha256, found.bytes) for key in lake.list_keys("") if (found := lake.head(key))}


def remove(lake: LakeStore, key: str) -> None:
    """Remove an object, as if it had never been written: the archive itself never does."""
    lake._client.delete_object(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/{key}")
