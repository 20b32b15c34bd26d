"""commit_day: what the shards' manifests say becomes the day's next numbered commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.operators.planned import TRUE, planned_days
from include.local_day import LocalDay
from include.transfer.day import commit_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class CommitDayOperator(BaseOperator):
    """Commits every planned day; committing twice is the same as once."""

    template_fields: Sequence[str] = ("plan_only",)
    ui_color = "#f3e8fd"

    def __init__(self, *, plan_task_id: str, plan_only: bool | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan_task_id = plan_task_id
        self.plan_only = plan_only

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Commit and return the commits' keys with the days' counts."""
        days = planned_days(context, self.plan_task_id, plan_only=str(self.plan_only) == TRUE)
        settings = archive_settings()
        lake = recording_lake(settings)
        org = GenesysHook().genesys_connection().org_id
        commits = []
        for planned in days:
            commit, state = commit_day(
                lake, org, LocalDay.of(planned["date"], settings.timezone), [planned["plan_key"]]
            )
            self.log.info("%s is %s", planned["date"], lake.uri(commit.key))
            commits.append({"date": planned["date"], "commit_key": commit.key, **state.summary()})
        # After the night's last upload, and never before: what is still open then was left by a worker that died.
        lake.tidy()
        return commits
