"""What the last two tasks take over from plan_day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

DAYS_KEY = "days"
"""The XCom key under which plan_day leaves the days' counts and plan keys."""
TRUE = "True"
"""How a template renders a true parameter."""


def planned_days(context: Context, plan_task_id: str, *, plan_only: bool) -> Sequence[dict[str, Any]]:
    """Return the planned days.

    Pulled here and not by a templated argument: a missing XCom would fail the rendering, which Airflow retries, where
    this must fail at once with the sentence that sends the reader to the right log.

    Raises:
        AirflowSkipException: in a dry run, which ends after the plan.
        AirflowFailException: when there is no plan. These tasks also run after failures, so that finished shards are
            committed, and a skip here would colour the whole run green.
    """
    if plan_only:
        raise AirflowSkipException("A dry run ends after the plan; its counts are in plan_day's log and XCom.")
    days = context["ti"].xcom_pull(task_ids=plan_task_id, key=DAYS_KEY)
    if not days:
        raise AirflowFailException("plan_day did not finish, so there is nothing to commit: look at its log first.")
    return cast("Sequence[dict[str, Any]]", days)
