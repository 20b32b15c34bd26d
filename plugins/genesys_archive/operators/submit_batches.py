"""submit_batches: one batch job for every 100 conversations of a shard."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseOperator

from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from include.lake.erasures import erasures_of
from include.lake.tombstone import read_shard_plan
from include.transfer.submit import submit_shard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from include.transfer.submit import JobMemory


class SubmitBatchesOperator(BaseOperator):
    """Submits a shard's batches and returns the job ids; a retry finds the jobs of the try before it."""

    template_fields: Sequence[str] = ("shard",)
    ui_color = "#e6f4ea"

    def __init__(self, *, shard: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard

    def execute(self, context: Context) -> dict[str, object]:
        """Submit and return ids."""
        settings = archive_settings()
        lake = recording_lake(settings)
        plan = read_shard_plan(lake, self.shard["plan_key"])
        with GenesysHook().client(settings) as source:
            submitted = submit_shard(
                source,
                plan,
                cast("JobMemory", context["task_state_store"]),
                # Never a format: what is archived is what the source keeps. Copies come afterwards, beside it.
                output_format=None,
                now=datetime.now(UTC),
                erased=erasures_of(lake, plan.date).anywhere,
            )
        self.log.info("%d jobs for %d conversations", len(submitted.jobs), len(plan.conversation_ids))
        return submitted.to_json()
