"""Polls a shard's batch jobs in the triggerer, so that waiting holds no worker."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from airflow.triggers.base import BaseTrigger, TriggerEvent

from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.metrics import AirflowMetrics
from include.audit.metrics import measure_calls
from include.errors import PermanentError, RecordingGone, RetriableError
from include.genesys.call_counts import CallCounts
from include.genesys.client import GenesysClient
from include.genesys.waiting import JobWatch, poll_pause_seconds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from include.genesys.connection import GenesysConnection
    from include.settings import ArchiveSettings


class BatchJobsTrigger(BaseTrigger):
    """Fires when every job is finished, or at the deadline with what is not; it changes nothing, so it may run twice.

    ``deadline`` is a Unix time: it stays where it is when the triggerer restarts. The event holds ids and counts.
    """

    def __init__(self, genesys_conn_id: str, job_ids: list[str], poll_seconds: float, deadline: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves it unannotated
        self.genesys_conn_id = genesys_conn_id
        self.job_ids = job_ids
        self.poll_seconds = poll_seconds
        self.deadline = deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and arguments that Airflow stores; no token and no URL is among them."""
        return (
            "genesys_archive.triggers.batch_jobs.BatchJobsTrigger",
            {
                "genesys_conn_id": self.genesys_conn_id,
                "job_ids": self.job_ids,
                "poll_seconds": self.poll_seconds,
                "deadline": self.deadline,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until the watch is over; what a person must repair is an event too, with the sentence that says so."""
        try:
            payload = await self._wait()
        except PermanentError as error:
            payload = {"error": str(error)}
        yield _event(payload)

    async def _wait(self) -> dict[str, object]:
        settings, began = archive_settings(), time.monotonic()
        watch = JobWatch.over(self.job_ids, settings.stable_polls)
        connection = await GenesysHook(self.genesys_conn_id).genesys_connection_async()
        shared = _shared_source(connection, settings)
        shared.watches.add(watch)
        while not watch.is_over and time.time() < self.deadline:
            await self._poll(shared.client, watch)
            shared.measure()
            if not watch.is_over:
                pause = self._pause(settings, shared.open_jobs(), connection.requests_per_minute)
                await asyncio.sleep(min(pause, max(0.0, self.deadline - time.time())))
        return {**watch.to_json(), "waited_seconds": round(time.monotonic() - began)}

    async def _poll(self, client: GenesysClient, watch: JobWatch) -> None:
        """Ask once for every open job; a passing failure is no news about the job."""
        for job_id in list(watch.open_jobs):
            # A source that is down uses up minutes for each job: without this, all of them would be added up.
            if time.time() >= self.deadline:
                return
            try:
                watch.saw(await asyncio.to_thread(client.batch_status, job_id))
            except RecordingGone:
                watch.lost(job_id)
            except RetriableError as error:
                self.log.warning("Job %s could not be asked, again later: %s", job_id, error)

    def _pause(self, settings: ArchiveSettings, open_jobs: int, requests_per_minute: int) -> float:
        spread = settings.poll_jitter_fraction
        pause = poll_pause_seconds(self.poll_seconds, open_jobs, requests_per_minute)
        return pause * random.uniform(1 - spread, 1 + spread)  # noqa: S311 - spreads polls, no secret


def _event(payload: dict[str, object]) -> TriggerEvent:
    return TriggerEvent(payload)  # type: ignore[no-untyped-call]  # Airflow leaves it unannotated


@dataclass(frozen=True, slots=True)
class _SharedSource:
    """What all triggers of this process have in common: a token, and an allowance that their polls divide."""

    client: GenesysClient
    watches: WeakSet[JobWatch] = field(default_factory=WeakSet)
    measured: list[CallCounts] = field(default_factory=lambda: [CallCounts()])

    def measure(self) -> None:
        """Report what was asked of the API since the last time, whichever trigger asked it."""
        counts = self.client.counts
        measure_calls(AirflowMetrics(), counts.since(self.measured[-1]))
        self.measured[-1] = counts

    def open_jobs(self) -> int:
        return sum(len(watch.open_jobs) for watch in self.watches)


@lru_cache(maxsize=8)
def _shared_source(connection: GenesysConnection, settings: ArchiveSettings) -> _SharedSource:
    """Return one client for all triggers of this process, so that they need no token call each."""
    return _SharedSource(GenesysClient(connection, settings))
