"""What this run downloaded, by the names of the media download guide: in the log and as XCom, not in the lake.

The lake holds nothing that differs between a run and its repetition; how long a download took does.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from include.audit.download_tally import Downloads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow.sdk import Context

log = logging.getLogger(__name__)
ARCHIVE_TASK_ID = "export_shard.archive_batches"
DOWNLOADS_KEY = "downloads"
"""The XCom key under which the guide's four numbers stand."""


def report_downloads(context: Context, reports: Iterable[Mapping[str, Any] | None] | None = None) -> None:
    """Add up what the tasks that archive have counted, and say it: these reports, else those of the shards."""
    if reports is None:
        reports = context["ti"].xcom_pull(task_ids=[ARCHIVE_TASK_ID], key="return_value") or []
    downloads = Downloads.sum_of(report["downloads"] for report in reports if report)
    numbers = downloads.guide_report()
    log.info("Downloads of this run: %s; failures by reason: %s", json.dumps(numbers), json.dumps(downloads.failures))
    context["ti"].xcom_push(DOWNLOADS_KEY, numbers)
