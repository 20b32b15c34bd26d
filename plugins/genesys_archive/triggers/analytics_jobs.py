"""Waits in the triggerer until analytics jobs may be submitted, or until they are over."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.genesys import GenesysHook
from include.errors import PermanentError, RecordingGone, RetriableError
from include.genesys.client import GenesysClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from include.genesys.connection import GenesysConnection
    from include.settings import ArchiveSettings


class AnalyticsJobsTrigger(BaseTrigger):
    """Fires when the jobs' data reach ``available_until`` (ISO 8601), where that is given; else when all jobs are over.

    At ``deadline``, a Unix time, it fires with what is known. It changes nothing, so it may run twice. The event holds
    ``available``, or ``states``: job id to what is wrong with it, nothing for a fulfilled one. ``jobs`` (date to job
    id, empty ids while there are none) comes back in it: ``airflow dags test`` loses the arguments of a deferral.
    """

    def __init__(
        self, genesys_conn_id: str, jobs: dict[str, str], available_until: str, poll_seconds: float, deadline: float
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves it unannotated
        self.genesys_conn_id = genesys_conn_id
        self.jobs = jobs
        self.available_until = available_until
        self.poll_seconds = poll_seconds
        self.deadline = deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and arguments that Airflow stores; no token and no URL is among them."""
        names = ("genesys_conn_id", "jobs", "available_until", "poll_seconds", "deadline")
        return (
            "genesys_archive.triggers.analytics_jobs.AnalyticsJobsTrigger",
            {name: getattr(self, name) for name in names},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll; what a person must repair is an event too, with the sentence that says so."""
        try:
            payload = await self._wait()
        except PermanentError as error:
            payload = {"error": str(error)}
        yield TriggerEvent({**payload, "jobs": self.jobs})  # type: ignore[no-untyped-call]  # Airflow leaves it unannotated

    async def _wait(self) -> dict[str, object]:
        connection = await GenesysHook(self.genesys_conn_id).genesys_connection_async()
        client = _client_of(connection, archive_settings())
        states: dict[str, str] = {}
        while True:
            try:
                if self.available_until:
                    until = await asyncio.to_thread(client.details_available_until)
                    if until >= datetime.fromisoformat(self.available_until):
                        return {"available": True}
                else:
                    await asyncio.to_thread(self._ask, client, states)
                    if len(states) == len(self.jobs):
                        return {"states": states}
            except RetriableError as error:
                self.log.warning("The analytics jobs could not be asked, again later: %s", error)
            left = self.deadline - time.time()
            if left <= 0:
                return {"available": False, "states": states}
            await asyncio.sleep(min(self.poll_seconds, left))

    def _ask(self, client: GenesysClient, states: dict[str, str]) -> None:
        for job_id in self.jobs.values():
            if job_id in states:
                continue
            try:
                found = client.details_job_state(job_id)
            except RecordingGone:
                states[job_id] = "the source does not know it"
                continue
            if found.is_over:
                states[job_id] = "" if found.is_fulfilled else found.said or found.state


@lru_cache(maxsize=8)
def _client_of(connection: GenesysConnection, settings: ArchiveSettings) -> GenesysClient:
    """Return one client for all triggers of this process, so that they need no token call each."""
    return GenesysClient(connection, settings)
