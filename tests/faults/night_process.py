"""One run of a small day in a process of its own, step by step as Airflow would take them.

What Airflow remembers between two tries of a task (the results of finished tasks, the ids of submitted jobs) stands in
``memory``; without that folder, a run begins anew with nothing but the lake.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
import time_machine

from include.genesys.client import GenesysClient
from include.genesys.connection import GenesysConnection
from include.genesys.waiting import JobWatch
from include.lake.plan import ShardPlan
from include.lake.store import LakeStore, Writing, client_config
from include.settings import ArchiveSettings, LakeLocation
from include.transfer.archive import archive_shard
from include.transfer.catalog import catalog_day
from include.transfer.day import commit_day, reconcile_day
from include.transfer.day_plan import plan_day
from include.transfer.download import MediaDownloader
from include.transfer.submit import SubmittedShard, submit_shard
from tests.story.night import DAY, ZONE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

BATCH_ITEMS = 4


@dataclass(frozen=True)
class Order:
    """Everything that a run is told; ``at`` is what time it shall be throughout, ``None`` for the true time.

    Objects above ``multipart_bytes`` go in parts.
    """

    s3: dict[str, str]
    location: LakeLocation
    connection: dict[str, Any]
    memory: Path
    at: datetime | None
    multipart_bytes: int


class FileMemory:
    """What Airflow's task state store is: it survives a retry of the task, and the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = json.loads(path.read_text()) if path.exists() else {}

    def get(self, key: str) -> object:
        """Return what was remembered, ``None`` where nothing was."""
        return self._known.get(key)

    def set(self, key: str, value: object) -> None:
        """Remember, whole or not at all."""
        self._known[key] = value
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps(self._known))
        beside.replace(self._path)


def run_night(order: Order) -> None:
    """Run what is left of the day; whatever it says goes to a file."""
    order.memory.mkdir(parents=True, exist_ok=True)
    out = os.open(order.memory / "said", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    with ExitStack() as stack:
        if order.at is not None:
            stack.enter_context(time_machine.travel(order.at, tick=False))
        client = boto3.client("s3", **order.s3, config=client_config())
        lake = LakeStore(client, order.location, Writing(multipart_bytes=order.multipart_bytes))
        settings = ArchiveSettings(
            lake=order.location, timezone=ZONE, batch_items=BATCH_ITEMS, state_dir=order.memory / "state"
        )
        connection = GenesysConnection.from_fields(name="genesys_cloud", host="mypurecloud.com", **order.connection)
        source = stack.enter_context(GenesysClient(connection, settings))
        downloader = stack.enter_context(MediaDownloader(settings, connection.media_hosts))
        _Night(source, lake, downloader, settings, FileMemory(order.memory / "tasks.json")).run(connection.org_id)
    sys.stdout.flush()


@dataclass
class _Night:
    source: GenesysClient
    lake: LakeStore
    downloader: MediaDownloader
    settings: ArchiveSettings
    tasks: FileMemory

    def run(self, org: str) -> None:
        plan_key, shard_keys = self._once("plan", lambda: self._plan(org))
        for key in shard_keys:
            shard = ShardPlan.read(self.lake, key)
            submitted = SubmittedShard.from_json(self._once(f"submit {key}", lambda: self._submit(shard)))  # noqa: B023 - called at once
            self._once(f"wait {key}", lambda: self._wait(submitted))  # noqa: B023 - called at once
            self._once(f"archive {key}", lambda: self._archive(shard, submitted))  # noqa: B023 - called at once
        self._once("commit", lambda: commit_day(self.lake, org, DAY, [plan_key])[0].version)
        self._once("catalog", lambda: catalog_day(self.lake, org, DAY).sentence())
        self._once("reconcile", lambda: reconcile_day(self.lake, org, DAY, [plan_key])[1])

    def _once(self, task: str, work: Callable[[], Any]) -> Any:
        if self.tasks.get(task) is None:
            self.tasks.set(task, work())
        return self.tasks.get(task)

    def _plan(self, org: str) -> list[object]:
        planned = plan_day(self.source, self.lake, self.settings, org, DAY, shards_max=250)
        return [planned.plan_key, [shard.plan_key for shard in planned.shards]]

    def _submit(self, shard: ShardPlan) -> dict[str, object]:
        memory = FileMemory(self.settings.state_dir.parent / f"{shard.shard}.json")
        return submit_shard(self.source, shard, memory, output_format=None, now=datetime.now(UTC)).to_json()

    def _wait(self, submitted: SubmittedShard) -> dict[str, object]:
        watch = JobWatch.over([job.job_id for job in submitted.jobs], self.settings.stable_polls)
        while not watch.is_over:
            for job_id in list(watch.open_jobs):
                watch.saw(self.source.batch_status(job_id))
        return watch.to_json()

    def _archive(self, shard: ShardPlan, submitted: SubmittedShard) -> str:
        report = archive_shard(
            self.source, self.lake, self.downloader, self.settings, shard, submitted, unfinished=frozenset()
        )
        return report.sentence()
