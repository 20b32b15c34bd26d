"""wait_for_batches: defers until the shard's jobs are done or the deadline has passed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from genesys_archive.defaults import GENESYS_CONN_ID, archive_settings
from genesys_archive.triggers.batch_jobs import BatchJobsTrigger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class WaitForBatchesSensor(BaseOperator):
    """Holds no worker while it waits; returns which jobs finished and which did not, and fails for neither.

    Not a ``BaseSensorOperator``: its ``timeout`` fails the task, while here the finished part of a shard must go on.
    """

    template_fields: Sequence[str] = ("submitted",)
    ui_color = "#fef7e0"

    def __init__(self, *, submitted: Any, genesys_conn_id: str = GENESYS_CONN_ID, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.submitted = submitted
        self.genesys_conn_id = genesys_conn_id

    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow's signature
        """Defer to the triggerer."""
        settings = archive_settings()
        self.defer(
            trigger=BatchJobsTrigger(
                genesys_conn_id=self.genesys_conn_id,
                job_ids=[job["job_id"] for job in self.submitted["jobs"]],
                poll_seconds=settings.poll_seconds,
                deadline=time.time() + settings.job_deadline_seconds,
            ),
            method_name="resume",
        )

    def resume(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - Airflow's signature
        """Pass on what the trigger saw.

        Raises:
            AirflowFailException: when the source refuses our credentials; the sentence says what to do.
        """
        if event.get("error"):
            raise AirflowFailException(event["error"])
        self.log.info(
            "%d finished, %d unfinished, %d gone after %d polls",
            *(len(event[name]) for name in ("finished", "unfinished", "gone")),
            event["polls"],
        )
        return event
