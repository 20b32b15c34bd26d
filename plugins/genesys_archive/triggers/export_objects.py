"""Waits in the triggerer until the native export holds something that is not settled, or a message says so."""

from __future__ import annotations

import asyncio
import time
from datetime import date
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from genesys_archive.defaults import GENESYS_CONN_ID, archive_settings, export_settings
from genesys_archive.hooks.export import connections_async, event_queue, export_bucket
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from include.errors import PermanentError, RetriableError
from include.transfer.export_listing import Window, has_news

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class ExportObjectsTrigger(BaseTrigger):
    """Fires when something between two UTC dates (ISO 8601) is new, or at ``deadline``, a Unix time, with nothing.

    With ``notified`` it asks the queue whether it holds a message, and lists only at the end, for what no message
    told. It lists and reads, consumes no message and changes nothing, so it may run twice.
    """

    def __init__(self, first: str, last: str, poll_seconds: float, deadline: float, notified: bool = False) -> None:  # noqa: FBT001, FBT002 - one of its stored arguments
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves it unannotated
        self.first = first
        self.last = last
        self.poll_seconds = poll_seconds
        self.deadline = deadline
        self.notified = notified

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and arguments that Airflow stores; no credential is among them."""
        names = ("first", "last", "poll_seconds", "deadline", "notified")
        return (
            "genesys_archive.triggers.export_objects.ExportObjectsTrigger",
            {name: getattr(self, name) for name in names},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll; what a person must repair is an event too, with the sentence that says so."""
        try:
            payload: dict[str, object] = {"found": await self._wait()}
        except PermanentError as error:
            payload = {"error": str(error)}
        yield TriggerEvent(payload)  # type: ignore[no-untyped-call]  # Airflow leaves it unannotated

    async def _wait(self) -> bool:
        window = Window(date.fromisoformat(self.first), date.fromisoformat(self.last))
        org = (await GenesysHook(GENESYS_CONN_ID).genesys_connection_async()).org_id
        of_lake, of_export = await connections_async()
        lake = await asyncio.to_thread(recording_lake, archive_settings(), connection=of_lake)
        export = await asyncio.to_thread(export_bucket, export_settings(), of_export)
        queue = await asyncio.to_thread(event_queue, export_settings(), of_export) if self.notified else None
        while True:
            left = self.deadline - time.time()
            try:
                if queue is not None and await asyncio.to_thread(queue.waiting) > 0:
                    return True
                # The last look lists in any case: also where the triggerer came to it only after the deadline.
                if (queue is None or left <= 0) and await asyncio.to_thread(has_news, export, lake, org, window):
                    return True
            except RetriableError as error:
                self.log.warning("Not answered, again later: %s", error)
            if left <= 0:
                return False
            await asyncio.sleep(min(self.poll_seconds, left))
