"""reconcile_day: expected against archived and excluded; the task whose colour is the day's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from genesys_archive.defaults import RECORDINGS_ASSET, archive_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.operators.planned import TRUE, planned_days
from include.lake.layout import report_key
from include.local_day import LocalDay
from include.transfer.day import reconcile_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context
    from pydantic import JsonValue


class ReconcileDayOperator(BaseOperator):
    """Writes the reports, announces complete days as an Asset event, and is red while anything is open."""

    template_fields: Sequence[str] = ("plan_only",)
    ui_color = "#e4f7fb"

    def __init__(self, *, plan_task_id: str, plan_only: bool | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan_task_id = plan_task_id
        self.plan_only = plan_only

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Reconcile and return the days' counts.

        Raises:
            AirflowFailException: when something is pending or quarantined, with how many and where to look. Retrying
                would not change it; the next run, or one with ``only_failed``, does.
        """
        days = planned_days(context, self.plan_task_id, plan_only=str(self.plan_only) == TRUE)
        settings = archive_settings()
        lake = recording_lake(settings)
        org = GenesysHook().genesys_connection().org_id
        summaries, red = [], []
        for planned in days:
            day = LocalDay.of(planned["date"], settings.timezone)
            state, sentence = reconcile_day(lake, org, day, [planned["plan_key"]])
            address = lake.uri(report_key(str(day), "report.md"))
            self.log.info("%s See %s", sentence, address)
            summaries.append({"date": str(day), **state.summary()})
            if not state.is_complete:
                red.append(f"{sentence} Each is named with its reason in {address}")
        if red:
            raise AirflowFailException(" ".join(red) + ". Run the day again with only_failed.")
        context["outlet_events"][RECORDINGS_ASSET].extra = {"days": cast("JsonValue", summaries)}
        return summaries
