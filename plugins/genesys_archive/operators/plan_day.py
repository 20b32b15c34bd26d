"""plan_day: which conversations to ask for, in shards."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from genesys_archive.defaults import GENESYS_CONN_ID, archive_settings, derivative_settings, journal_key
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.operators.each_day import DayTroubles, has_tries_left
from genesys_archive.operators.planned import TRUE, hand_over
from genesys_archive.triggers.analytics_jobs import AnalyticsJobsTrigger
from include.genesys.analytics import LargeIntervalError
from include.local_day import LocalDay, requested_days
from include.transfer.day_plan import DayPlanned, plan_day
from include.transfer.large_days import Analytics, DaySource, fulfilled_jobs, wants_jobs
from include.transfer.rendition import Rendition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context


class PlanDayOperator(BaseOperator):
    """Plans every requested day; returns the shards to map over, and pushes the days' counts under ``days``.

    Large days and backfills wait for the source's analytics jobs without holding a worker.
    """

    template_fields: Sequence[str] = (
        "start_date_text", "end_date_text", "partition_key", "only_failed", "plan_only", "output_format", "channels",
        "analytics", "is_backfill",
    )  # fmt: skip
    ui_color = "#e8f0fe"

    def __init__(  # noqa: PLR0913 - each parameter of a run by its name
        self,
        *,
        start_date_text: str,
        end_date_text: str,
        partition_key: str,
        only_failed: bool | str,
        plan_only: bool | str,
        output_format: str,
        channels: str,
        analytics: str = Analytics.AUTO,
        is_backfill: bool | str = False,
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
        self.analytics = analytics
        self.is_backfill = is_backfill

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
        if wants_jobs(self.analytics, is_backfill=str(self.is_backfill) == TRUE):
            return self._request_jobs(days)
        return self._ask_by_query(context, days)

    def _ask_by_query(self, context: Context, days: Sequence[LocalDay]) -> list[dict[str, Any]]:
        rows_max = archive_settings().analytics_jobs_from if self.analytics == Analytics.AUTO else None
        try:
            return self._plan(context, days, {}, rows_max)
        except LargeIntervalError:
            self.log.info("More than %d conversations on a day: asking by analytics job", rows_max)
        return self._request_jobs(days)

    def resume_submitting(self, context: Context, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Submit the jobs whose data have arrived; where they have not, ask by the query, which lags less."""
        days = self._days(event)
        if not event["available"]:
            self.log.warning("The jobs' data did not reach the end of %s in time; the query is asked instead", days[-1])
            return self._plan(context, days, {}, None)
        return self._submit_jobs(days)

    def resume_planning(self, context: Context, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Plan from what the jobs found."""
        days = self._days(event)
        return self._plan(context, days, fulfilled_jobs(days, event["jobs"], event["states"]), None)

    def _request_jobs(self, days: Sequence[LocalDay]) -> NoReturn:
        settings = archive_settings()
        last = max(day.end for day in days)
        with GenesysHook().client(settings) as source:
            available = source.details_available_until()
        if available >= last:
            self._submit_jobs(days)
        self.log.info("The jobs' data reach %s; waiting for %s", available.isoformat(), last.isoformat())
        self._wait("resume_submitting", {str(day): "" for day in days}, available_until=last.isoformat())

    def _submit_jobs(self, days: Sequence[LocalDay]) -> NoReturn:
        with GenesysHook().client(archive_settings()) as source:
            jobs = {str(day): source.submit_details_job(day.start, day.end) for day in days}
        self.log.info("Analytics jobs: %s", ", ".join(f"{date} {job_id}" for date, job_id in jobs.items()))
        self._wait("resume_planning", jobs)

    def _wait(self, then: str, jobs: dict[str, str], *, available_until: str = "") -> NoReturn:
        settings = archive_settings()
        self.defer(
            trigger=AnalyticsJobsTrigger(
                genesys_conn_id=GENESYS_CONN_ID,
                jobs=jobs,
                available_until=available_until,
                poll_seconds=settings.poll_seconds,
                deadline=time.time() + settings.job_deadline_seconds,
            ),
            method_name=then,
        )

    def _days(self, event: dict[str, Any]) -> list[LocalDay]:
        """Return the days of before the wait: yesterday may be another day by now.

        Raises:
            AirflowFailException: when the source refuses our credentials; the sentence says what to do.
        """
        if event.get("error"):
            raise AirflowFailException(event["error"])
        zone = archive_settings().timezone
        return [LocalDay.of(date, zone) for date in sorted(event["jobs"])]

    def _plan(
        self, context: Context, days: Sequence[LocalDay], jobs: Mapping[datetime, str], rows_max: int | None
    ) -> list[dict[str, Any]]:
        settings = archive_settings()
        hook = GenesysHook()
        org = hook.genesys_connection().org_id
        lake = recording_lake(settings)
        plan_only = str(self.plan_only) == TRUE
        planned: list[DayPlanned] = []
        troubles = DayTroubles(context)
        with hook.client(settings, names_may_wait=has_tries_left(context)) as client:
            for day in days:
                with troubles.of(str(day)):
                    plan = plan_day(
                        DaySource(client, jobs, rows_max),
                        lake,
                        settings,
                        org,
                        day,
                        shards_max=max(1, settings.shards_max // len(days)),
                        only_failed=str(self.only_failed) == TRUE,
                        dry_run=plan_only,
                        key=journal_key(),
                    )
                    planned.append(plan)
                    self.log.info("%s", plan.sentence())
            self.log.info("%s", client.counts.sentence())
        hand_over(context, planned, troubles)
        return [] if plan_only else [asdict(shard) for item in planned for shard in item.shards]
