"""What the tasks behind a plan share: the planned days, the lake, and a loop that one broken day does not end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import BaseOperator

from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.operators.each_day import DayTroubles
from genesys_archive.operators.planned import TRUE, planned_days, rules_for
from include.local_day import LocalDay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow.sdk import Context

    from include.lake.store import LakeStore
    from include.settings import ArchiveSettings
    from include.transfer.closing import ClosingRules

Done = TypeVar("Done")
WHO = "{{ run_id }}{{ ' of ' ~ dag_run.triggering_user_name if dag_run.triggering_user_name else '' }}"
"""The run and, where a person started it, their account in Airflow; rendered as every templated field."""


@dataclass(frozen=True, slots=True)
class PlannedWork:
    """The planned days of a run, and what working on them takes."""

    planned: Sequence[dict[str, Any]]
    settings: ArchiveSettings
    lake: LakeStore
    org: str
    troubles: DayTroubles

    def each(self, work: Callable[[LocalDay, dict[str, Any]], Done]) -> list[Done]:
        """Do each day's work, from the day and what the plan says of it; the days that broke are left out.

        They are told by ``finish``.
        """
        done = []
        for planned in self.planned:
            with self.troubles.of(planned["date"]):
                done.append(work(LocalDay.of(planned["date"], self.settings.timezone), planned))
        return done

    def finish(self, also: Sequence[str] = ()) -> None:
        """End the task as the days went; ``also`` are sentences about days without an error.

        Raises:
            ArchiveError, AirflowFailException: as ``DayTroubles`` does.
        """
        self.troubles.retry_what_may_pass()
        self.troubles.fail_if_any(also)


class AfterPlanOperator(BaseOperator):
    """Goes on from the days that the task ``plan_task_id`` has left; not where ``plan_only`` ends the run there."""

    template_fields: Sequence[str] = ("plan_only",)

    def __init__(self, *, plan_task_id: str, plan_only: bool | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan_task_id = plan_task_id
        self.plan_only = plan_only

    @property
    def is_plan_only(self) -> bool:
        """Whether the run ends with its plan, once the template is rendered."""
        return str(self.plan_only) == TRUE

    def planned_work(self, context: Context) -> PlannedWork:
        """Return the days with the lake and the organisation they belong to.

        Raises:
            AirflowSkipException, AirflowFailException: as ``planned_days`` does, before anything is connected to.
        """
        days = planned_days(context, self.plan_task_id, plan_only=self.is_plan_only)
        settings = archive_settings()
        lake = recording_lake(settings)
        return PlannedWork(days, settings, lake, GenesysHook().genesys_connection().org_id, DayTroubles(context))


class ClosingOperator(AfterPlanOperator):
    """Judges the days too. ``is_audit``: the run may close them; ``accept_empty``: it may release held ones.

    The journal then tells ``accepted_by``.
    """

    template_fields: Sequence[str] = ("plan_only", "is_audit", "accept_empty", "accepted_by")

    def __init__(
        self, *, is_audit: bool | str = False, accept_empty: bool | str = False, accepted_by: str = WHO, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.accepted_by = accepted_by
        self.is_audit = is_audit
        self.accept_empty = accept_empty

    def rules(self, settings: ArchiveSettings, day: LocalDay, planned: dict[str, Any]) -> ClosingRules:
        """Return how this run judges the day, from what its plan came to."""
        rules = rules_for(settings, day, planned, is_audit=self.is_audit, accept_empty=self.accept_empty)
        return replace(rules, accepted_by=self.accepted_by)
