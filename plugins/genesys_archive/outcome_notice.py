"""Tells people how a run ended, through the Apprise connection of the settings; off where none is named.

Callbacks of a DAG run in the DAG processor, which has connections and XComs, but no task. What fails here is in that
component's log, and no run is the worse for it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from genesys_archive.operators.planned import OUTCOMES_KEY
from include.audit.notice import EVERY_RUN, NoticeSettings, notice_of, title_of

if TYPE_CHECKING:
    from airflow.sdk import Context

VERDICT, SINGLE_VERDICT = "reconcile_day", "confirm_recording"


class OutcomeNotice:
    """One callback: the connection's name is all that it knows before it is called."""

    def __init__(self, conn_id: str, *, succeeded: bool) -> None:
        self.conn_id = conn_id
        self.succeeded = succeeded

    def __call__(self, context: Context) -> None:
        """Send the day's sentence. A run that never came to a task has no task instance to ask."""
        # Imported where it is used: Apprise is large, and a DAG file is parsed every half minute.
        from airflow.providers.apprise.hooks.apprise import AppriseHook  # noqa: PLC0415
        from apprise import NotifyType  # noqa: PLC0415

        instance = context.get("ti")
        days = instance.xcom_pull(task_ids=VERDICT, key=OUTCOMES_KEY) if instance is not None else None
        single = None
        if instance is not None and not days:
            single = instance.xcom_pull(task_ids=SINGLE_VERDICT, key=OUTCOMES_KEY)
        AppriseHook(self.conn_id).notify(
            title=title_of(context["dag"].dag_id, succeeded=self.succeeded),
            body=notice_of(str(context["run_id"]), days or (), single),
            notify_type=NotifyType.SUCCESS if self.succeeded else NotifyType.FAILURE,
        )


def outcome_callbacks() -> dict[str, Any]:
    """Return the arguments of a DAG that make it tell people, none where nobody is to be told.

    Raises:
        ConfigurationError: when a variable is wrong; the message names it.
    """
    settings = NoticeSettings.from_environment(os.environ)
    if not settings.notify_conn_id:
        return {}
    callbacks = {"on_failure_callback": OutcomeNotice(settings.notify_conn_id, succeeded=False)}
    if settings.notify_on == EVERY_RUN:
        callbacks["on_success_callback"] = OutcomeNotice(settings.notify_conn_id, succeeded=True)
    return callbacks
