"""verify_day: what the lake holds of a day, against the day's own evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from genesys_archive.defaults import archive_settings, journal_key
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.lineage import NamesDatasets, in_lake
from genesys_archive.operators.planned import TRUE
from include.lake.layout import commit_prefix, media_day_prefix
from include.transfer.verify import Scope, verify_lake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

NAMED_MAX = 5
"""Findings in the sentence of the failure; the log has all of them."""


class VerifyDayOperator(NamesDatasets, BaseOperator):
    """Verifies days and is red where anything was found; reads only.

    ``days`` are dates, or mappings with a ``date`` as plan_day and commit_day leave them; none at all is nothing to do.
    ``deep`` reads every byte again, where otherwise the bucket's own word is taken.
    """

    template_fields: Sequence[str] = ("days", "deep")
    ui_color = "#fff4d6"

    def __init__(self, *, days: Any, deep: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.days = days
        self.deep = deep

    def execute(self, context: Context) -> dict[str, object]:  # noqa: ARG002 - Airflow's signature
        """Verify and return the counts.

        Raises:
            AirflowFailException: when something was found, with the gravest of it. Retrying would find it again.
        """
        dates = tuple(str(item["date"] if isinstance(item, dict) else item) for item in self.days)
        if not dates:
            self.log.info("No day to verify.")
            return {"days": 0, "findings": {}}
        lake = recording_lake(archive_settings())
        org = GenesysHook().genesys_connection().org_id
        places = [place for date in dates for place in (commit_prefix(date), media_day_prefix(org, date))]
        self.reads = tuple(in_lake(lake, place) for place in places)
        scope = Scope(dates, org, deep=str(self.deep) == TRUE, key=journal_key())
        done = verify_lake(lake, scope, self.log.info)
        for finding in done.findings:
            self.log.error("%s", finding.line())
        self.log.info("%s", done.sentence())
        if not done.is_clean:
            named = "; ".join(finding.line() for finding in done.findings[:NAMED_MAX])
            raise AirflowFailException(f"{done.sentence()} {named}. See docs/compliance.md.")
        return done.to_json()
