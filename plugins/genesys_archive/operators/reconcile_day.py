"""reconcile_day: expected against archived and excluded; the task whose colour is the day's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseOperator

from genesys_archive.defaults import archive_settings, journal_key
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.lineage import NamesDatasets, in_lake
from genesys_archive.links.report import ReportLink
from genesys_archive.metrics import AirflowMetrics
from genesys_archive.operators.each_day import DayTroubles
from genesys_archive.operators.planned import OUTCOMES_KEY, TRUE, days_not_planned, planned_days, rules_for
from genesys_archive.operators.run_downloads import report_downloads
from include.audit.metrics import measure_day
from include.audit.standing import Stage
from include.lake.layout import commit_prefix, report_key
from include.local_day import LocalDay
from include.transfer.day import reconcile_day
from include.transfer.day_report import day_figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context
    from pydantic import JsonValue


TO_DO = {
    Stage.OPEN: "Each is named with its reason in {address}. Run the day again with only_failed.",
    Stage.HELD: "If so few are right, run genesys_archive_audit for the day with accept_empty.",
}
"""What a person does about a day that is not done."""


class ReconcileDayOperator(NamesDatasets, BaseOperator):
    """Writes the reports, announces complete days as an Asset event, and is red while anything is open or held.

    ``is_audit`` and ``accept_empty`` as for ``CommitDayOperator``.
    """

    operator_extra_links = (ReportLink(),)
    template_fields: Sequence[str] = ("plan_only", "is_audit", "accept_empty")
    ui_color = "#e4f7fb"

    def __init__(
        self,
        *,
        plan_task_id: str,
        plan_only: bool | str,
        is_audit: bool | str = False,
        accept_empty: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.is_audit = is_audit
        self.accept_empty = accept_empty
        self.plan_task_id = plan_task_id
        self.plan_only = plan_only
        self.report_day = ""
        """The day that the link on the task leads to: the first that wants a look, else the last."""

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Reconcile and return the days' counts.

        Raises:
            AirflowFailException: when something is pending or quarantined, with how many and where to look, when a day
                is held, or when a day broke. Retrying would not change it; the next run, or one with ``only_failed``,
                does.
        """
        days = planned_days(context, self.plan_task_id, plan_only=str(self.plan_only) == TRUE)
        settings = archive_settings()
        lake = recording_lake(settings)
        org = GenesysHook().genesys_connection().org_id
        summaries, red = [], days_not_planned(context, self.plan_task_id)
        troubles = DayTroubles(context)
        for planned in days:
            with troubles.of(planned["date"]):
                day = LocalDay.of(planned["date"], settings.timezone)
                rules = rules_for(settings, day, is_audit=self.is_audit, accept_empty=self.accept_empty)
                state, sentence = reconcile_day(lake, org, day, [planned["plan_key"]], rules, journal_key())
                self.reads += (in_lake(lake, commit_prefix(str(day))),)
                self.writes += (in_lake(lake, report_key(str(day), "")),)
                address = lake.uri(report_key(str(day), "report.md"))
                self.log.info("%s See %s", sentence, address)
                figures = day_figures(lake, str(day))
                measure_day(AirflowMetrics(), figures, (datetime.now(UTC) - day.end).total_seconds())
                summaries.append(figures.event())
                # The first day that wants a look keeps the link; until there is one, the last day has it.
                self.report_day = self.report_day if red and self.report_day else str(day)
                if what_to_do := TO_DO.get(state.stage):
                    red.append(f"{sentence} {what_to_do.format(address=address)}")
        report_downloads(context)
        context["ti"].xcom_push(OUTCOMES_KEY, summaries)
        troubles.retry_what_may_pass()
        troubles.fail_if_any(also=red)
        for asset in self.outlets:
            context["outlet_events"][asset].extra = {"days": cast("JsonValue", summaries)}
        return summaries
