"""plan_derivatives: in how many slices the copies of the planned days are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from genesys_archive.operators.after_plan import AfterPlanOperator
from genesys_archive.operators.make_derivatives import derivative_desk
from genesys_archive.operators.planned import planned_days
from include.transfer.derive_day import plan_slices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class PlanDerivativesOperator(AfterPlanOperator):
    """Returns the slices to map over: none of a day without recordings. Skipped where nobody asks for copies."""

    template_fields: Sequence[str] = ("plan_only", "output_format", "channels")
    ui_color = "#fff4e0"

    def __init__(self, *, output_format: str, channels: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_format = output_format
        self.channels = channels

    def execute(self, context: Context) -> list[dict[str, object]]:
        """Plan; all days of a run together never have more slices than ``RECORDING_ARCHIVE_SHARDS_MAX``."""
        days = planned_days(context, self.plan_task_id, plan_only=self.is_plan_only)
        desk = derivative_desk(self.output_format, self.channels)
        if desk.wants_nothing:
            raise AirflowSkipException(
                "Originals only: neither the run nor RECORDING_ARCHIVE_DERIVATIVE_RULES asks more."
            )
        slices_max = max(1, desk.settings.shards_max // len(days))
        slices = [part for planned in days for part in plan_slices(desk, planned["date"], slices_max)]
        self.log.info("%d slices of %d days", len(slices), len(days))
        return [part.to_json() for part in slices]
