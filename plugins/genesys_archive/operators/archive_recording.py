"""archive_recording: one recording into the lake, by the same engine as a night's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from genesys_archive.defaults import archive_settings, derivative_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.lineage import NamesDatasets, at_source, in_lake
from genesys_archive.metrics import AirflowMetrics
from include.lake.layout import manifest_prefix, media_day_prefix
from include.lake.tombstone import read_shard_plan
from include.transfer.single import archive_single, media_downloader
from include.transfer.single_plan import SinglePlanned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class ArchiveRecordingOperator(NamesDatasets, BaseOperator):
    """Archives one recording and leaves its manifest; safe to clear, and nothing to do where the lake holds it."""

    template_fields: Sequence[str] = ("planned",)
    ui_color = "#fce8e6"

    def __init__(self, *, planned: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.planned = planned

    def execute(self, context: Context) -> dict[str, object] | None:  # noqa: ARG002 - Airflow's signature
        """Archive and return the manifest's key with counts; nothing where nothing was to be done."""
        planned = SinglePlanned.from_json(self.planned)
        if not planned.shard_key:
            self.log.info("%s", planned.sentence())
            return None
        settings, hook = archive_settings(), GenesysHook()
        lake, connection = recording_lake(settings), hook.genesys_connection()
        plan = read_shard_plan(lake, planned.shard_key)
        self.reads = (at_source(connection),)
        self.writes = tuple(
            in_lake(lake, prefix) for prefix in (media_day_prefix(plan.org, plan.date), manifest_prefix(plan.date))
        )
        with hook.client(settings) as source, media_downloader(source, settings) as downloader:
            report = archive_single(
                source,
                lake,
                downloader,
                settings,
                plan,
                planned,
                metrics=AirflowMetrics(),
                wishes=derivative_settings(),
            )
        self.log.info("%d parts archived, %d bytes. See %s", report.archived, report.bytes, report.manifest_key)
        return report.to_json()
