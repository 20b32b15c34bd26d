"""delete_exported: the gate that deletes from the native export what the archive can prove to hold; shut by default."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from genesys_archive.defaults import archive_settings, export_settings, journal_key
from genesys_archive.hooks.export import export_bucket_to_delete_from
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.metrics import AirflowMetrics
from genesys_archive.operators.each_day import DayTroubles
from genesys_archive.operators.planned import TRUE
from include.audit.metrics import EXPORT_DELETIONS, measure_words
from include.errors import ConfigurationError
from include.transfer.export_delete import delete_proved, find_candidates
from include.transfer.export_gate import Fate, GatePorts
from include.transfer.export_listing import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class DeleteExportedOperator(BaseOperator):
    """Deletes exported recordings whose copy in the lake was read back; skipped unless setting and parameter say so."""

    template_fields: Sequence[str] = ("wanted", "start_date_text", "end_date_text")
    ui_color = "#fbd5d5"

    def __init__(self, *, wanted: bool | str, start_date_text: str, end_date_text: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.wanted = wanted
        self.start_date_text = start_date_text
        self.end_date_text = end_date_text

    def execute(self, context: Context) -> dict[str, int]:
        """Delete day by day and return what became of the exported recordings.

        Raises:
            AirflowSkipException: nobody wants it.
            ConfigurationError: the parameter is on and the setting is not, or the connection is missing.
        """
        if str(self.wanted) != TRUE:
            raise AirflowSkipException("The export is only read: delete_archived is off.")
        wishes, settings, now = export_settings(), archive_settings(), datetime.now(UTC)
        if not wishes.export_delete_archived:
            raise ConfigurationError(
                "delete_archived is on, and RECORDING_ARCHIVE_EXPORT_DELETE_ARCHIVED does not allow it: nothing was "
                "deleted."
            )
        ports = GatePorts(
            export_bucket_to_delete_from(wishes),
            recording_lake(settings),
            settings,
            GenesysHook().genesys_connection().org_id,
            timedelta(days=wishes.export_delete_after_days),
            journal_key(),
        )
        window = Window.asked_for(self.start_date_text, self.end_date_text, now, wishes.export_window_days)
        return self._deleted(ports, window, now, DayTroubles(context))

    def _deleted(self, ports: GatePorts, window: Window, now: datetime, troubles: DayTroubles) -> dict[str, int]:
        found = find_candidates(ports, window, now)
        fates: Counter[Fate] = Counter(found.fates)
        for day, candidates in found.days.items():
            with troubles.of(str(day)):
                fates += delete_proved(ports, day, candidates)
        measure_words(AirflowMetrics(), EXPORT_DELETIONS, fates)
        counts = {str(fate): count for fate, count in sorted(fates.items())}
        self.log.info("Exported recordings: %s", counts or "none")
        troubles.retry_what_may_pass()
        troubles.fail_if_any()
        return counts
