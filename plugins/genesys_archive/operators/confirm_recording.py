"""confirm_recording: is it in the bucket, and in the day's newest commit?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.operators.planned import OUTCOMES_KEY
from genesys_archive.operators.run_downloads import report_downloads
from include.local_day import LocalDay
from include.transfer.single import missing_in_proof
from include.transfer.single_plan import SinglePlanned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class ConfirmRecordingOperator(BaseOperator):
    """The verdict of the run; green only when everything that was asked for is archived and proven."""

    template_fields: Sequence[str] = ("planned", "archived")
    ui_color = "#e6f4ea"

    def __init__(self, *, planned: Any, archived: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.planned = planned
        self.archived = archived

    def execute(self, context: Context) -> None:
        """Look, push how much is proven and what was downloaded, and say what is missing.

        Raises:
            AirflowFailException: when something is.
        """
        planned, settings = SinglePlanned.from_json(self.planned), archive_settings()
        lake, org = recording_lake(settings), GenesysHook().genesys_connection().org_id
        day = LocalDay.of(planned.date, settings.timezone)
        unproven = missing_in_proof(lake, org, day, planned)
        missing = {*unproven, *(self.archived or {}).get("missing", ())}
        wanted = max(len(planned.recordings), 1)
        found = {"date": planned.date, "wanted": wanted, "proven": wanted - len(unproven)}
        context["ti"].xcom_push(OUTCOMES_KEY, found)
        report_downloads(context, [self.archived])
        if missing:
            raise AirflowFailException("Not archived: " + " | ".join(sorted(missing)))
        self.log.info("Archived and in the proof of %s: %s", day, ", ".join(planned.recordings))
