"""wait_for_export: defers until the native export holds something new."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from genesys_archive.defaults import export_settings
from genesys_archive.triggers.export_objects import ExportObjectsTrigger
from include.transfer.export_listing import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class WaitForExportSensor(BaseOperator):
    """Holds no worker while it waits; skips the run where nothing comes.

    Not a ``BaseSensorOperator``: one that finds nothing is an ordinary end of a run, not its time-out.
    """

    template_fields: Sequence[str] = ("start_date_text", "end_date_text")
    ui_color = "#fef7e0"

    def __init__(self, *, start_date_text: str, end_date_text: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start_date_text = start_date_text
        self.end_date_text = end_date_text

    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow's signature
        """Defer to the triggerer.

        Raises:
            ConfigurationError: when a date is none, or there is no export.
        """
        settings = export_settings()
        window = Window.asked_for(
            self.start_date_text, self.end_date_text, datetime.now(UTC), settings.export_window_days
        )
        # Who asks for days by hand wants them listed now.
        notified = bool(settings.export_queue_url) and not self.start_date_text
        how = f"Asking {settings.export_queue_url} about" if notified else "Listing"
        self.log.info("%s %s from %s to %s", how, settings.location.uri, window.first, window.last)
        self.defer(
            trigger=ExportObjectsTrigger(
                first=window.first.isoformat(),
                last=window.last.isoformat(),
                poll_seconds=settings.export_poll_seconds,
                deadline=time.time() + settings.export_wait_seconds,
                notified=notified,
            ),
            method_name="resume",
        )

    def resume(self, context: Context, event: dict[str, Any]) -> None:  # noqa: ARG002 - Airflow's signature
        """Go on, or skip the rest.

        Raises:
            AirflowFailException: when a bucket refuses us; the sentence says what to do.
            AirflowSkipException: when nothing new came in time.
        """
        if event.get("error"):
            raise AirflowFailException(event["error"])
        if not event["found"]:
            raise AirflowSkipException("The export holds nothing new.")
