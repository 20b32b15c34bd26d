"""What the last two tasks take over from plan_day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

if TYPE_CHECKING:
    from collections.abc import Sequence

TRUE = "True"
"""How a template renders a true parameter."""


def planned_days(days: Any, *, plan_only: bool) -> Sequence[dict[str, Any]]:
    """Return the planned days.

    Raises:
        AirflowSkipException: in a dry run, which ends after the plan.
        AirflowFailException: when there is no plan. These tasks also run after failures, so that finished shards are
            committed, and a skip here would colour the whole run green.
    """
    if plan_only:
        raise AirflowSkipException("A dry run ends after the plan; its counts are in plan_day's log and XCom.")
    if not days:
        raise AirflowFailException("plan_day did not finish, so there is nothing to commit: look at its log first.")
    return cast("Sequence[dict[str, Any]]", days)
