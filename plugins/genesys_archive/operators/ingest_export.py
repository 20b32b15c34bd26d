"""ingest_export: what the native export brought becomes verified objects, and each day's next commit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from genesys_archive.defaults import archive_settings, export_settings, journal_key
from genesys_archive.hooks.export import event_queue, export_bucket
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.lineage import DatasetName, NamesDatasets, in_lake
from genesys_archive.metrics import AirflowMetrics
from genesys_archive.operators.each_day import DayTroubles
from genesys_archive.operators.planned import BROKEN_KEY, DAYS_KEY
from include.audit.metrics import EXPORT_MESSAGES, EXPORT_WAITING, measure_words
from include.lake.layout import commit_prefix, media_day_prefix
from include.transfer.download import MediaDownloader
from include.transfer.export_days import unreported
from include.transfer.export_ingest import ExportPorts, find_news, ingest_day
from include.transfer.export_listing import Window
from include.transfer.export_notices import Notices
from include.transfer.export_sealed import Unsealer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from include.transfer.export_ingest import ExportNews


class IngestExportOperator(NamesDatasets, BaseOperator):
    """Ingests day by day; safe to clear, since what is settled is remembered and the lake recognises the rest."""

    template_fields: Sequence[str] = ("start_date_text", "end_date_text")
    ui_color = "#fce8e6"

    def __init__(self, *, start_date_text: str, end_date_text: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start_date_text = start_date_text
        self.end_date_text = end_date_text

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Ingest and return each day's keys and counts; the days with news go on to be reported and catalogued."""
        settings, wishes, now = archive_settings(), export_settings(), datetime.now(UTC)
        export = export_bucket(wishes)
        org = GenesysHook().genesys_connection().org_id
        window = Window.asked_for(self.start_date_text, self.end_date_text, now, wishes.export_window_days)
        self.reads = (DatasetName(f"s3://{export.location.bucket}", export.location.prefix or "/"),)
        troubles = DayTroubles(context)
        # The operator named this host by the connection: it may be private, as an endpoint inside a VPC is.
        with MediaDownloader(settings, (export.host,), private_media_hosts=(export.host,)) as downloader:
            lake, unsealer, metrics = recording_lake(settings), Unsealer(wishes), AirflowMetrics()
            ports = ExportPorts(export, lake, downloader, settings, wishes, unsealer, org, journal_key(), metrics)
            notices = Notices(export, org, None if self.start_date_text else event_queue(wishes))
            notices.receive()
            news = find_news(ports, replace(window, also=notices.dates), now)
            days = self._ingested(ports, news, troubles, now)
            # Only now: what is settled is remembered in the lake, so a message that is gone loses nothing.
            self._acknowledge(notices, ports)
            news_days = [day for day in days if day["plan_key"]]
            known = {day["date"] for day in news_days}
            # A try that died here, or behind here, leaves no news to this one, and a day that nobody has reported.
            left = [day for day in unreported(lake, org, window, settings.timezone) if day["date"] not in known]
        context["ti"].xcom_push(DAYS_KEY, [*news_days, *left])
        context["ti"].xcom_push(BROKEN_KEY, troubles.sentences)
        troubles.retry_what_may_pass()
        troubles.fail_if_any()
        return days

    def _ingested(
        self, ports: ExportPorts, news: ExportNews, troubles: DayTroubles, now: datetime
    ) -> list[dict[str, Any]]:
        self.log.info("%s", news.sentence())
        ports.metrics.gauge(EXPORT_WAITING.of(), news.waiting)
        days = []
        for day, recordings in news.days.items():
            with troubles.of(str(day)):
                done = ingest_day(ports, day, recordings, now)
                self.log.info("%s", done.sentence())
                places = (media_day_prefix(ports.org, str(day)), commit_prefix(str(day)))
                self.writes += tuple(in_lake(ports.lake, place) for place in places)
                days.append(done.to_json())
        return days

    def _acknowledge(self, notices: Notices, ports: ExportPorts) -> None:
        messages = notices.acknowledge(ports.lake)
        measure_words(ports.metrics, EXPORT_MESSAGES, messages)
        if messages:
            counts = ", ".join(f"{count} {kind}" for kind, count in sorted(messages.items()))
            self.log.info("Messages of the queue: %s", counts)
