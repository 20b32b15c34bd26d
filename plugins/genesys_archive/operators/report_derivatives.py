"""report_derivatives: which copies the days have, and which cannot be made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from include.transfer.derive_day import added_up
from include.transfer.standing_derivatives import write_report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class ReportDerivativesOperator(BaseOperator):
    """Writes ``derivatives.json`` of each day as the lake bears it out, and returns what the slices counted by day."""

    template_fields: Sequence[str] = ("counts",)
    ui_color = "#fff4e0"

    def __init__(self, *, counts: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.counts = counts

    def execute(self, context: Context) -> list[dict[str, object]]:  # noqa: ARG002 - Airflow's signature
        """Write and return."""
        lake, org = recording_lake(archive_settings()), GenesysHook().genesys_connection().org_id
        days = added_up(self.counts)
        for derived in days:
            write_report(lake, org, derived.date)
            self.log.info("%s", derived.sentence())
        return [derived.to_json() for derived in days]
