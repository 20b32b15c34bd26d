"""commit_day: what the shards' manifests say becomes the day's next numbered commit."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from genesys_archive.defaults import journal_key
from genesys_archive.lineage import NamesDatasets, in_lake
from genesys_archive.operators.after_plan import ClosingOperator
from include.lake.layout import commit_prefix, manifest_prefix
from include.transfer.day import commit_day

if TYPE_CHECKING:
    from airflow.sdk import Context

    from genesys_archive.operators.after_plan import PlannedWork
    from include.local_day import LocalDay


class CommitDayOperator(NamesDatasets, ClosingOperator):
    """Commits every planned day; committing twice is the same as once. ``is_audit``: the run may close days."""

    ui_color = "#f3e8fd"

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Commit and return the commits' keys with the days' counts."""
        work = self.planned_work(context)
        commits = work.each(partial(self._commit, work))
        # After the night's last upload, and never before: what is still open then was left by a worker that died.
        work.lake.tidy()
        work.finish()
        return commits

    def _commit(self, work: PlannedWork, day: LocalDay, planned: dict[str, Any]) -> dict[str, Any]:
        lake, rules = work.lake, self.rules(work.settings, day, planned)
        commit, state = commit_day(lake, work.org, day, [planned["plan_key"]], rules, journal_key())
        self.reads += (in_lake(lake, manifest_prefix(str(day))),)
        self.writes += (in_lake(lake, commit_prefix(str(day))),)
        self.log.info("%s is %s", day, lake.uri(commit.key))
        return {"date": str(day), "commit_key": commit.key, **state.summary()}
