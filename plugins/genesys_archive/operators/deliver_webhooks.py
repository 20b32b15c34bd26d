"""deliver_webhooks: tells the configured receiver of what was archived; stands behind the archive, never in its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowSkipException

from genesys_archive.defaults import archive_settings, webhook_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.metrics import AirflowMetrics
from genesys_archive.operators.after_plan import AfterPlanOperator
from genesys_archive.operators.planned import DAYS_KEY
from include.audit.metrics import measure_outbox
from include.transfer.outbox import Outbox, SystemClock
from include.transfer.webhook import WebhookSender

if TYPE_CHECKING:
    from airflow.sdk import Context


class DeliverWebhooksOperator(AfterPlanOperator):
    """Delivers the run's days, and what earlier runs could not; green also where the receiver is away.

    Skipped where no URL is set; then nothing is written either.
    """

    ui_color = "#f3e8fd"

    def execute(self, context: Context) -> list[dict[str, object]]:
        """Deliver and return the counts of the days that had something to deliver."""
        wanted = webhook_settings()
        if not wanted.is_on:
            raise AirflowSkipException("No webhook: RECORDING_WEBHOOK_URL is not set.")
        if self.is_plan_only:
            raise AirflowSkipException("A dry run archives nothing, so there is nothing to tell.")
        # Without a plan there is still what earlier runs have left.
        days = context["ti"].xcom_pull(task_ids=self.plan_task_id, key=DAYS_KEY) or []
        settings = archive_settings()
        org = GenesysHook().genesys_connection().org_id
        with WebhookSender(wanted) as sender:
            outbox = Outbox(recording_lake(settings), org, settings.timezone, wanted, sender, SystemClock())
            delivered = outbox.deliver([day["date"] for day in days])
        measure_outbox(AirflowMetrics(), outbox.backlog)
        for day in delivered:
            tell = self.log.warning if day.waiting or day.dead else self.log.info
            tell("%s", day.sentence())
            for event in day.given_up:
                self.log.error("Given up: %s. See docs/webhook.md.", event)
        if not delivered:
            self.log.info("Nothing is undelivered.")
        return [day.to_json() for day in delivered]
