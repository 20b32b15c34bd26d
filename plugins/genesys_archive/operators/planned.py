"""What the last tasks take over from the plan."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.transfer.closing import ClosingRules, audit_rules, nightly_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from genesys_archive.operators.each_day import DayTroubles
    from include.local_day import LocalDay
    from include.settings import ArchiveSettings
    from include.transfer.day_plan import DayPlanned

DAYS_KEY = "days"
"""The XCom key under which the plan leaves the days' counts and plan keys."""
BROKEN_KEY = "broken"
"""The XCom key under which the plan leaves a sentence for each day that it could not plan, if others could be."""
OUTCOMES_KEY = "outcomes"
"""The XCom key under which the verdict leaves the days' counts, also where it ends red."""
TRUE = "True"
"""How a template renders a true parameter."""


def hand_over(context: Context, planned: Sequence[DayPlanned], troubles: DayTroubles) -> None:
    """Push the planned days for the tasks after this one; with at least one planned, the others are named at the end.

    Raises:
        ArchiveError, AirflowFailException: when something may pass on another try, or no day could be planned.
    """
    troubles.retry_what_may_pass()
    if not planned:
        troubles.fail_if_any()
    context["ti"].xcom_push(DAYS_KEY, [item.without_shards() for item in planned])
    context["ti"].xcom_push(BROKEN_KEY, troubles.sentences)


def planned_days(context: Context, plan_task_id: str, *, plan_only: bool) -> Sequence[dict[str, Any]]:
    """Return the planned days.

    Pulled here and not by a templated argument: a missing XCom would fail the rendering, which Airflow retries, where
    this must fail at once with the sentence that sends the reader to the right log.

    Raises:
        AirflowSkipException: in a dry run, which ends after the plan, and where there is no day to look at.
        AirflowFailException: when there is no plan. These tasks also run after failures, so that finished shards are
            committed, and a skip here would colour the whole run green.
    """
    if plan_only:
        raise AirflowSkipException("A dry run ends after the plan; its counts are in plan_day's log and XCom.")
    days = context["ti"].xcom_pull(task_ids=plan_task_id, key=DAYS_KEY)
    if days is None:
        raise AirflowFailException(
            f"{plan_task_id} did not finish, so there is nothing to commit: look at its log first."
        )
    if not days:
        raise AirflowSkipException("No day is archived yet, so there is none to look at.")
    return cast("Sequence[dict[str, Any]]", days)


def days_not_planned(context: Context, plan_task_id: str) -> list[str]:
    """Return the sentences about days that could not even be planned while others could."""
    return cast("list[str]", context["ti"].xcom_pull(task_ids=plan_task_id, key=BROKEN_KEY) or [])


def rules_for(
    settings: ArchiveSettings, day: LocalDay, planned: Mapping[str, Any], *, is_audit: object, accept_empty: object
) -> ClosingRules:
    """Return how this run judges a day, from what its plan came to; the switches as templates render them."""
    if str(is_audit) != TRUE:
        return nightly_rules(settings)
    return audit_rules(
        settings,
        day,
        datetime.now(UTC),
        accept_empty=str(accept_empty) == TRUE,
        not_looked_up=planned.get("not_looked_up"),
    )
