"""export_shard: the mapped middle of a day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import task_group

from genesys_archive.defaults import API_POOL, DOWNLOAD_POOL
from genesys_archive.operators.archive_batches import ArchiveBatchesOperator
from genesys_archive.operators.submit_batches import SubmitBatchesOperator
from genesys_archive.sensors.wait_for_batches import WaitForBatchesSensor

if TYPE_CHECKING:
    from airflow.sdk.definitions.xcom_arg import XComArg

SUBMIT_TIMEOUT = timedelta(minutes=30)
WAIT_STEP_TIMEOUT = timedelta(minutes=10)
"""Of each stretch on a worker; the wait itself is bounded by ``RECORDING_ARCHIVE_JOB_DEADLINE_SECONDS``."""
ARCHIVE_TIMEOUT = timedelta(hours=4)
LABEL = "{{ task.submitted.date }} / {{ ti.map_index }}"
"""What stands on a square: a run over several days, such as each audit, has shards of all of them side by side."""


def export_shards(shards: XComArg) -> Any:
    """Map submit → wait → archive over the planned shards; each shard streams through on its own."""

    @task_group(group_id="export_shard", tooltip="One shard: up to a few hundred conversations")
    def export_shard(shard: Any) -> None:
        submit = SubmitBatchesOperator(
            task_id="submit_batches",
            shard=shard,
            map_index_template="{{ task.shard.date }} / {{ ti.map_index }}",
            pool=API_POOL,
            execution_timeout=SUBMIT_TIMEOUT,
        )
        wait = WaitForBatchesSensor(
            task_id="wait_for_batches",
            submitted=submit.output,
            map_index_template=LABEL,
            execution_timeout=WAIT_STEP_TIMEOUT,
        )
        ArchiveBatchesOperator(
            task_id="archive_batches",
            submitted=submit.output,
            map_index_template=LABEL,
            waited=wait.output,
            pool=DOWNLOAD_POOL,
            execution_timeout=ARCHIVE_TIMEOUT,
        )

    return export_shard.expand(shard=shards)
