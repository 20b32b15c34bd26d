"""submit_batches: one batch job for every 100 conversations of a shard."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseOperator

from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from include.lake.tombstone import erased_conversations, read_shard_plan
from include.transfer.rendition import Rendition
from include.transfer.submit import submit_shard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from include.transfer.submit import JobMemory


class SubmitBatchesOperator(BaseOperator):
    """Submits a shard's batches and returns the job ids; a retry finds the jobs of the try before it."""

    template_fields: Sequence[str] = ("shard", "output_format")
    ui_color = "#e6f4ea"

    def __init__(self, *, shard: Any, output_format: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard
        self.output_format = output_format

    def execute(self, context: Context) -> dict[str, object]:
        """Submit and return ids."""
        settings = archive_settings()
        lake = recording_lake(settings)
        plan = read_shard_plan(lake, self.shard["plan_key"])
        hook = GenesysHook()
        wanted = Rendition(self.output_format).requested_format(hook.genesys_connection().contract)
        with hook.client(settings) as source:
            submitted = submit_shard(
                source,
                plan,
                cast("JobMemory", context["task_state_store"]),
                output_format=wanted,
                now=datetime.now(UTC),
                erased=erased_conversations(lake, plan.date),
            )
        self.log.info("%d jobs for %d conversations", len(submitted.jobs), len(plan.conversation_ids))
        return submitted.to_json()
