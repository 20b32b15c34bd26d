"""request_recording: which recording it is, and a wait without a worker until the source has it ready."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import BaseOperator

from genesys_archive.defaults import archive_settings, derivative_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.operators.planned import DAYS_KEY
from include.transfer.single import seconds_until_ready
from include.transfer.single_plan import SinglePlanned, SingleWish, plan_single

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from include.transfer.submit import JobMemory

WAIT_KEY = "waiting"
"""Where the plan and its deadline are remembered while the task is deferred."""


class RequestRecordingOperator(BaseOperator):
    """Plans one recording and asks for it; returns ids and keys, and pushes its day for the tasks after it.

    The wait is Airflow's own trigger on a moment: it asks nobody anything, so it may run twice.
    """

    template_fields: Sequence[str] = ("media_id", "conversation_id", "recording_id", "date", "output_format")
    ui_color = "#e8f0fe"

    def __init__(
        self,
        *,
        media_id: str,
        conversation_id: str,
        recording_id: str,
        date: str,
        output_format: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.media_id = media_id
        self.conversation_id = conversation_id
        self.recording_id = recording_id
        self.date = date
        self.output_format = output_format

    def execute(self, context: Context) -> dict[str, object]:
        """Plan; refuses what names no recording before anything is called."""
        settings, hook = archive_settings(), GenesysHook()
        connection = hook.genesys_connection()
        wish = SingleWish(
            contract=connection.contract,
            conversation_id=self.conversation_id.strip().lower(),
            recording_id=self.recording_id.strip().lower(),
            media_id=self.media_id.strip().lower(),
            date=self.date,
            output_format=self.output_format,
        )
        with hook.client(settings) as source:
            lake = recording_lake(settings)
            planned = plan_single(source, lake, settings, connection.org_id, wish, datetime.now(UTC))
        self.log.info("%s", planned.sentence())
        return self._when_ready(context, planned, time.time() + settings.job_deadline_seconds)

    def resume(self, context: Context, event: object, waiting: dict[str, Any] | None = None) -> dict[str, object]:
        """Ask again; until the deadline, a Unix time."""
        del event  # the moment that came is all it says
        # `airflow dags test` drops the arguments of a deferral, and hands over the event alone.
        known = waiting or cast("dict[str, Any]", cast("JobMemory", context["task_state_store"]).get(WAIT_KEY))
        return self._when_ready(context, SinglePlanned.from_json(known["planned"]), known["deadline"])

    def _when_ready(self, context: Context, planned: SinglePlanned, deadline: float) -> dict[str, object]:
        settings, hook = archive_settings(), GenesysHook()
        with hook.client(settings) as source:
            seconds = seconds_until_ready(
                source,
                recording_lake(settings),
                hook.genesys_connection().org_id,
                planned,
                poll_seconds=settings.poll_seconds,
                wishes=derivative_settings(),
            )
        if seconds is not None and time.time() + seconds < deadline:
            self.log.info("The source is preparing it; asked again in %.1f s", seconds)
            waiting: dict[str, object] = {"planned": planned.to_json(), "deadline": deadline}
            cast("JobMemory", context["task_state_store"]).set(WAIT_KEY, waiting)
            moment = datetime.now(UTC) + timedelta(seconds=seconds)
            trigger = DateTimeTrigger(target_time=moment)
            self.defer(trigger=trigger, method_name="resume", kwargs={"waiting": waiting})
        if seconds is not None:
            self.log.warning("The source was not ready with everything in time; what it has is taken")
        context["ti"].xcom_push(DAYS_KEY, [{"date": planned.date, "plan_key": planned.plan_key}])
        return planned.to_json()
