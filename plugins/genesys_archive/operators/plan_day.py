"""plan_day: which conversations to ask for, in shards."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from genesys_archive.defaults import archive_settings, derivative_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.operators.each_day import DayTroubles
from genesys_archive.operators.planned import TRUE, hand_over
from include.local_day import requested_days
from include.transfer.day import DayPlanned, plan_day
from include.transfer.rendition import Rendition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class PlanDayOperator(BaseOperator):
    """Plans every requested day; returns the shards to map over, and pushes the days' counts under ``days``."""

    template_fields: Sequence[str] = (
        "start_date_text", "end_date_text", "partition_key", "only_failed", "plan_only", "output_format", "channels",
    )  # fmt: skip
    ui_color = "#e8f0fe"

    def __init__(
        self,
        *,
        start_date_text: str,
        end_date_text: str,
        partition_key: str,
        only_failed: bool | str,
        plan_only: bool | str,
        output_format: str,
        channels: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.start_date_text = start_date_text
        self.end_date_text = end_date_text
        self.partition_key = partition_key
        self.only_failed = only_failed
        self.plan_only = plan_only
        self.output_format = output_format
        self.channels = channels

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Plan; refuses bad dates and unknown renditions before anything is called."""
        settings = archive_settings()
        # Said now, not after a night's work: these two are built to be checked.
        Rendition(self.output_format, self.channels), derivative_settings()
        days = requested_days(
            self.start_date_text or self.partition_key,
            self.end_date_text or self.partition_key,
            now=datetime.now(UTC),
            zone=settings.timezone,
            days_max=settings.days_max,
        )
        hook = GenesysHook()
        connection = hook.genesys_connection()
        lake = recording_lake(settings)
        plan_only = str(self.plan_only) == TRUE
        planned: list[DayPlanned] = []
        troubles = DayTroubles(context)
        with hook.client(settings) as source:
            for day in days:
                with troubles.of(str(day)):
                    plan = plan_day(
                        source,
                        lake,
                        settings,
                        connection.org_id,
                        day,
                        shards_max=max(1, settings.shards_max // len(days)),
                        only_failed=str(self.only_failed) == TRUE,
                        dry_run=plan_only,
                    )
                    planned.append(plan)
                    self.log.info("%s", plan.sentence())
            self.log.info("%s", source.counts.sentence())
        hand_over(context, planned, troubles)
        return [] if plan_only else [asdict(shard) for item in planned for shard in item.shards]
