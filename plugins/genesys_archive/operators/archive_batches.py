"""archive_batches: from the jobs' results to verified, write-once objects and the shard's manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.lineage import NamesDatasets, at_source, in_lake
from genesys_archive.metrics import AirflowMetrics
from include.audit.metrics import measure_recordings
from include.lake.layout import manifest_prefix, media_day_prefix
from include.lake.tombstone import read_shard_plan
from include.transfer.archive import archive_shard
from include.transfer.download import MediaDownloader
from include.transfer.submit import SubmittedShard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class ArchiveBatchesOperator(NamesDatasets, BaseOperator):
    """Archives a shard; safe to clear, since it begins by asking the lake what it already holds."""

    template_fields: Sequence[str] = ("submitted", "waited")
    ui_color = "#fce8e6"

    def __init__(self, *, submitted: Any, waited: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.submitted = submitted
        self.waited = waited

    def execute(self, context: Context) -> dict[str, object]:  # noqa: ARG002 - Airflow's signature
        """Archive and return the manifest's key with counts."""
        settings = archive_settings()
        lake = recording_lake(settings)
        hook = GenesysHook()
        submitted = SubmittedShard.from_json(self.waited["shard"] or self.submitted)
        plan = read_shard_plan(lake, submitted.plan_key)
        connection = hook.genesys_connection()
        self.reads = (at_source(connection),)
        self.writes = tuple(
            in_lake(lake, prefix) for prefix in (media_day_prefix(plan.org, plan.date), manifest_prefix(plan.date))
        )
        with (
            hook.client(settings) as source,
            MediaDownloader(
                settings, connection.media_hosts, private_media_hosts=connection.private_media_hosts
            ) as downloader,
        ):
            report = archive_shard(
                source,
                lake,
                downloader,
                settings,
                plan,
                submitted,
                unfinished=frozenset(self.waited["unfinished"]),
                metrics=AirflowMetrics(),
            )
        measure_recordings(AirflowMetrics(), report.outcomes)
        self.log.info("%s", report.sentence())
        return report.to_json()
