"""submit_batches: one batch job for every 100 conversations of a shard."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn, cast

from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import BaseOperator

from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from include.errors import RateLimited
from include.lake.erasures import erasures_of
from include.lake.tombstone import read_shard_plan
from include.transfer.submit import submit_shard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from include.transfer.submit import JobMemory


DEADLINE_KEY = "submit_deadline"
"""Beside the batches, where ``airflow dags test`` loses the arguments of a deferral."""


class SubmitBatchesOperator(BaseOperator):
    """Submits a shard's batches and returns the job ids; a retry finds the jobs of the try before it.

    Where the source takes no more for now, such as while many jobs of ours are under way, it waits deferred for as
    long as it is told and goes on: that costs no try. At the deadline of the jobs it fails, and Airflow tries again.
    """

    template_fields: Sequence[str] = ("shard",)
    ui_color = "#e6f4ea"

    def __init__(self, *, shard: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard

    def execute(self, context: Context) -> dict[str, object]:
        """Submit and return ids."""
        return self._submit(context, time.time() + archive_settings().job_deadline_seconds)

    def resume(self, context: Context, event: object, deadline: float | None = None) -> dict[str, object]:
        """Go on with the batches that were not taken; until the deadline, a Unix time."""
        del event  # the moment that came is all it says
        known = cast("dict[str, float]", _memory(context).get(DEADLINE_KEY) or {})
        return self._submit(context, deadline or known["deadline"])

    def _submit(self, context: Context, deadline: float) -> dict[str, object]:
        settings = archive_settings()
        lake = recording_lake(settings)
        plan = read_shard_plan(lake, self.shard["plan_key"])
        with GenesysHook().client(settings) as source:
            try:
                submitted = submit_shard(
                    source,
                    plan,
                    _memory(context),
                    # Never a format: what is archived is what the source keeps. Copies come afterwards, beside it.
                    output_format=None,
                    now=datetime.now(UTC),
                    erased=erasures_of(lake, plan.date).anywhere,
                )
            except RateLimited as error:
                if time.time() + error.retry_after_seconds >= deadline:
                    raise
                self._wait(context, error.retry_after_seconds, deadline)
        self.log.info("%d jobs for %d conversations", len(submitted.jobs), len(plan.conversation_ids))
        return submitted.to_json()

    def _wait(self, context: Context, seconds: float, deadline: float) -> NoReturn:
        self.log.info("The source takes no more batches for now; asked again in %.1f s", seconds)
        _memory(context).set(DEADLINE_KEY, {"deadline": deadline})
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        self.defer(trigger=DateTimeTrigger(target_time=moment), method_name="resume", kwargs={"deadline": deadline})


def _memory(context: Context) -> JobMemory:
    return cast("JobMemory", context["task_state_store"])
