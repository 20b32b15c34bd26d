"""commit_day: what the shards' manifests say becomes the day's next numbered commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from genesys_archive.defaults import archive_settings, journal_key
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.lineage import NamesDatasets, in_lake
from genesys_archive.operators.each_day import DayTroubles
from genesys_archive.operators.planned import TRUE, planned_days, rules_for
from include.lake.layout import commit_prefix, manifest_prefix
from include.local_day import LocalDay
from include.transfer.day import commit_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class CommitDayOperator(NamesDatasets, BaseOperator):
    """Commits every planned day; committing twice is the same as once. ``is_audit``: the run may close days."""

    template_fields: Sequence[str] = ("plan_only", "is_audit", "accept_empty")
    ui_color = "#f3e8fd"

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

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Commit and return the commits' keys with the days' counts."""
        days = planned_days(context, self.plan_task_id, plan_only=str(self.plan_only) == TRUE)
        settings = archive_settings()
        lake = recording_lake(settings)
        org = GenesysHook().genesys_connection().org_id
        commits = []
        troubles = DayTroubles(context)
        for planned in days:
            with troubles.of(planned["date"]):
                day = LocalDay.of(planned["date"], settings.timezone)
                rules = rules_for(settings, day, is_audit=self.is_audit, accept_empty=self.accept_empty)
                commit, state = commit_day(lake, org, day, [planned["plan_key"]], rules, journal_key())
                self.reads += (in_lake(lake, manifest_prefix(str(day))),)
                self.writes += (in_lake(lake, commit_prefix(str(day))),)
                self.log.info("%s is %s", planned["date"], lake.uri(commit.key))
                commits.append({"date": planned["date"], "commit_key": commit.key, **state.summary()})
        # After the night's last upload, and never before: what is still open then was left by a worker that died.
        lake.tidy()
        troubles.retry_what_may_pass()
        troubles.fail_if_any()
        return commits
