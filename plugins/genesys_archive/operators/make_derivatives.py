"""make_derivatives: wav, mp3 or mono beside the originals, where somebody asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from genesys_archive.defaults import archive_settings, derivative_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.operators.after_plan import AfterPlanOperator
from genesys_archive.operators.planned import planned_days
from include.local_day import LocalDay
from include.transfer.derive_day import derive_day
from include.transfer.rendition import Rendition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class MakeDerivativesOperator(AfterPlanOperator):
    """Makes what is not in the lake yet, from the lake alone; safe to clear.

    Sound that cannot be decoded is reported and leaves the task green. Skipped where nobody asks for anything.
    """

    template_fields: Sequence[str] = ("plan_only", "output_format", "channels")
    ui_color = "#fff4e0"

    def __init__(self, *, output_format: str, channels: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_format = output_format
        self.channels = channels

    def execute(self, context: Context) -> list[dict[str, object]]:
        """Make them and return the days' counts."""
        days = planned_days(context, self.plan_task_id, plan_only=self.is_plan_only)
        settings, wishes = archive_settings(), derivative_settings()
        rendition = Rendition(self.output_format, self.channels)
        if rendition.is_original and not wishes.rules.renditions:
            raise AirflowSkipException(
                "Originals only: neither the run nor RECORDING_ARCHIVE_DERIVATIVE_RULES asks more."
            )
        lake = recording_lake(settings)
        org = GenesysHook().genesys_connection().org_id
        counts = []
        for planned in days:
            derived = derive_day(
                lake, settings, wishes, org, LocalDay.of(planned["date"], settings.timezone), rendition
            )
            self.log.info("%s", derived.sentence())
            counts.append(derived.to_json())
        return counts
