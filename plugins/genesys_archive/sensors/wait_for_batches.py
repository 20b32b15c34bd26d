"""wait_for_batches: defers until the shard's jobs are done, and asks again in smaller jobs for what is stuck."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from genesys_archive.defaults import GENESYS_CONN_ID, archive_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.metrics import AirflowMetrics
from genesys_archive.triggers.batch_jobs import BatchJobsTrigger
from include.audit.metrics import JOBS_WAIT
from include.transfer.halving import Wait, in_smaller_jobs
from include.transfer.submit import SubmittedShard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from include.transfer.submit import JobMemory

WAIT_KEY = "wait"
"""Where the round is remembered: a retry of the task goes on with it, and its deadline stays where it was."""


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

    def execute(self, context: Context) -> None:
        """Defer to the triggerer: for the round that an earlier try was in, else for the first."""
        shard = SubmittedShard.from_json(self.submitted)
        deadline = time.time() + archive_settings().job_deadline_seconds
        first = Wait(shard, tuple(job.job_id for job in shard.jobs), deadline)
        self._defer(context, _remembered(context, first) or first)

    def resume(self, context: Context, event: dict[str, Any], wait: dict[str, Any] | None = None) -> dict[str, object]:
        """Ask again for what is stuck and defer once more, or pass on what became of all jobs.

        Raises:
            AirflowFailException: when the source refuses our credentials; the sentence says what to do.
        """
        if event.get("error"):
            raise AirflowFailException(event["error"])
        AirflowMetrics().duration(JOBS_WAIT.of(), event.get("waited_seconds", 0))
        # `airflow dags test` drops the arguments of a deferral, and hands over the event alone.
        known = wait or cast("dict[str, Any]", cast("JobMemory", context["task_state_store"]).get(WAIT_KEY))["wait"]
        over = Wait.from_json(known).over(event)
        again = self._in_smaller_jobs(context, over) if over.worth_splitting else None
        if again is not None:
            self.log.info("%d jobs are stuck; asked again in %d", len(over.worth_splitting), len(again.waiting))
            self._defer(context, again)
        counts = (len(over.finished), len(over.unfinished), len(over.gone))
        self.log.info("%d finished, %d unfinished, %d gone after %d polls", *counts, over.polls)
        return over.outcome()

    def _in_smaller_jobs(self, context: Context, over: Wait) -> Wait | None:
        settings = archive_settings()
        with GenesysHook(self.genesys_conn_id).client(settings) as source:
            return in_smaller_jobs(
                source,
                over,
                cast("JobMemory", context["task_state_store"]),
                now=datetime.now(UTC),
                deadline=time.time() + settings.resubmit_deadline_seconds,
            )

    def _defer(self, context: Context, wait: Wait) -> None:
        stored = wait.to_json()
        cast("JobMemory", context["task_state_store"]).set(WAIT_KEY, {"submitted": self._job_ids(), "wait": stored})
        self.defer(
            trigger=BatchJobsTrigger(
                genesys_conn_id=self.genesys_conn_id,
                job_ids=list(wait.waiting),
                poll_seconds=archive_settings().poll_seconds,
                deadline=wait.deadline,
            ),
            method_name="resume",
            kwargs={"wait": stored},
        )

    def _job_ids(self) -> list[str]:
        return [job["job_id"] for job in self.submitted["jobs"]]


def _remembered(context: Context, first: Wait) -> Wait | None:
    """Return the round that an earlier try was in, if it is one over these very jobs and not over yet."""
    known = cast("JobMemory", context["task_state_store"]).get(WAIT_KEY)
    if not isinstance(known, dict) or known.get("submitted") != list(first.waiting):
        return None
    wait = Wait.from_json(known["wait"])
    return wait if wait.deadline > time.time() else None
