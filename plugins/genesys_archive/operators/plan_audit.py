"""plan_audit: which days to look at again, and what of them to ask for."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from genesys_archive.defaults import archive_settings, journal_key
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.operators.each_day import DayTroubles, has_tries_left
from genesys_archive.operators.planned import DAYS_KEY, TRUE, hand_over
from include.transfer.audited import audited_days, look_of
from include.transfer.day_plan import plan_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from include.transfer.day_plan import DayPlanned


class PlanAuditOperator(BaseOperator):
    """Plans the days of an audit as ``PlanDayOperator`` plans a night's, with a second look at what is settled."""

    template_fields: Sequence[str] = (
        "start_date_text", "end_date_text", "partition_key", "offsets", "only_failed", "ask_each", "accept_empty",
    )  # fmt: skip
    ui_color = "#e8f0fe"

    def __init__(
        self,
        *,
        start_date_text: str,
        end_date_text: str,
        partition_key: str,
        offsets: str,
        only_failed: bool | str,
        ask_each: bool | str,
        accept_empty: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.start_date_text = start_date_text
        self.end_date_text = end_date_text
        self.partition_key = partition_key
        self.offsets = offsets
        self.only_failed = only_failed
        self.ask_each = ask_each
        self.accept_empty = accept_empty

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Plan each day, the oldest first, and return the shards to map over."""
        settings = archive_settings()
        lake = recording_lake(settings)
        only_failed = str(self.only_failed) == TRUE
        hook = GenesysHook()
        org = hook.genesys_connection().org_id
        days = audited_days(
            lake,
            settings,
            org,
            dates=(self.start_date_text, self.end_date_text),
            night=self.partition_key,
            offsets=self.offsets,
            now=datetime.now(UTC),
            accept_empty=str(self.accept_empty) == TRUE,
        )
        if not days:
            self.log.info("No day is archived yet, so there is none to look at.")
            context["ti"].xcom_push(DAYS_KEY, [])
            return []
        planned: list[DayPlanned] = []
        troubles = DayTroubles(context)
        with hook.client(settings, names_may_wait=has_tries_left(context)) as source:
            look = look_of(source, settings, only_failed=only_failed, ask_each=str(self.ask_each) == TRUE)
            shards_max = max(1, settings.shards_max // len(days))
            for day in days:
                with troubles.of(str(day)):
                    plan = plan_day(
                        source,
                        lake,
                        settings,
                        org,
                        day,
                        shards_max=shards_max,
                        only_failed=only_failed,
                        look=look,
                        key=journal_key(),
                    )
                    planned.append(plan)
                    self.log.info("%s", plan.sentence())
            self.log.info("%s", source.counts.sentence())
        hand_over(context, planned, troubles)
        return [asdict(shard) for item in planned for shard in item.shards]
