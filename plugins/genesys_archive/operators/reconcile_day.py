"""reconcile_day: expected against archived and excluded; the task whose colour is the day's."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import AssetAlias

from genesys_archive.defaults import RECORDINGS_ASSET, journal_key
from genesys_archive.lineage import NamesDatasets, in_lake
from genesys_archive.links.report import ReportLink
from genesys_archive.metrics import AirflowMetrics
from genesys_archive.operators.after_plan import ClosingOperator
from genesys_archive.operators.planned import OUTCOMES_KEY, days_not_planned
from genesys_archive.operators.run_downloads import report_downloads
from include.audit.metrics import measure_day, measure_days
from include.audit.reconcile import NOT_PROCESSED
from include.audit.standing import Stage
from include.lake.layout import commit_prefix, report_key
from include.local_day import LocalDay
from include.transfer.day import reconcile_day
from include.transfer.day_report import day_figures, earlier_figures, is_measured

if TYPE_CHECKING:
    from collections import Counter

    from airflow.sdk import Asset, Context
    from pydantic import JsonValue

    from genesys_archive.operators.after_plan import PlannedWork
    from include.audit.reconcile import DayState

WATCHED_DAYS = 60
"""How many days back the metrics count open and held ones: twice as far as the audit looks."""


def what_to_do(state: DayState, address: str) -> str:
    """Return what a person does about a day that is not done, empty for one that is; the report is at ``address``."""
    if state.stage is Stage.OPEN:
        return _about_open_work(state.open_reasons(), address)
    if state.stage is not Stage.HELD:
        return ""
    few = "If so few are right, run genesys_archive_audit for the day, named by start_date, with accept_empty."
    unseen = (
        "Run genesys_archive_audit for the day, named by start_date, with RECORDING_ARCHIVE_AUDIT_LOOKUPS_MAX above "
        "its conversations; with ask_each off what is archived is taken as it is."
    )
    standing = state.standing
    return " ".join([*([few] if standing.is_doubted else []), *([unseen] if standing.not_looked_up else [])])


def _about_open_work(reasons: Counter[str], address: str) -> str:
    """Return the reasons, each a row of the runbook, and what helps; why a shard broke stands in its own log."""
    words = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
    again = "Run the day again with only_failed."
    if NOT_PROCESSED in reasons:
        broken = "clear the red export_shard with Downstream; where none is red, run the day again."
        again = f"For {NOT_PROCESSED}: {broken}{f' Else: {again}' if len(reasons) > 1 else ''}"
    return f"Reasons: {words}. Each is named in {address}. {again}"


class ReconcileDayOperator(NamesDatasets, ClosingOperator):
    """Writes the reports, announces complete days as an Asset event, and is red while anything is open or held.

    With an asset's alias for an outlet only those days are announced of which some run asked what calls there were.
    """

    operator_extra_links = (ReportLink(),)
    ui_color = "#e4f7fb"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.report_day = ""
        """The day that the link on the task leads to: the first that wants a look, else the last."""

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Reconcile and return the days' counts.

        Raises:
            AirflowFailException: when something is pending or quarantined, with how many and where to look, when a day
                is held, or when a day broke. Retrying would not change it; the next run, or one with ``only_failed``,
                does.
        """
        work = self.planned_work(context)
        red = days_not_planned(context, self.plan_task_id)
        summaries = work.each(partial(self._reconcile, work, red))
        # Of all recent days and not of the run's own: the next run would otherwise hide a day that still waits.
        today = datetime.now(work.settings.timezone).date()
        measure_days(AirflowMetrics(), earlier_figures(work.lake, str(today), WATCHED_DAYS))
        report_downloads(context)
        context["ti"].xcom_push(OUTCOMES_KEY, summaries)
        work.finish(also=red)
        for outlet in self.outlets:
            self._announce(context, outlet, work, summaries)
        return summaries

    def _announce(
        self, context: Context, outlet: Asset | AssetAlias, work: PlannedWork, days: list[dict[str, Any]]
    ) -> None:
        event = context["outlet_events"][outlet]
        if not isinstance(outlet, AssetAlias):
            event.extra = {"days": cast("JsonValue", days)}
            return
        zone = work.settings.timezone
        measured = [day for day in days if is_measured(work.lake, work.org, LocalDay.of(day["date"], zone))]
        if measured:
            event.add(RECORDINGS_ASSET, extra={"days": cast("JsonValue", measured)})
        else:
            self.log.info("Not announced: no run has asked yet what calls there were on these days.")

    def _reconcile(self, work: PlannedWork, red: list[str], day: LocalDay, planned: dict[str, Any]) -> dict[str, Any]:
        """Reconcile one day; a sentence about what is left to do joins ``red``."""
        lake, rules = work.lake, self.rules(work.settings, day, planned)
        state, sentence = reconcile_day(lake, work.org, day, [planned["plan_key"]], rules, journal_key())
        self.reads += (in_lake(lake, commit_prefix(str(day))),)
        self.writes += (in_lake(lake, report_key(str(day), "")),)
        address = lake.uri(report_key(str(day), "report.md"))
        self.log.info("%s See %s", sentence, address)
        figures = day_figures(lake, str(day))
        measure_day(AirflowMetrics(), figures, (datetime.now(UTC) - day.end).total_seconds())
        # The first day that wants a look keeps the link; until there is one, the last day has it.
        self.report_day = self.report_day if red and self.report_day else str(day)
        if to_do := what_to_do(state, address):
            red.append(f"{sentence} {to_do}")
        return figures.event()
