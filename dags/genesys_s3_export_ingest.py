"""# What the native S3 export wrote → data lake

Every four hours: waits, without holding a worker, until the AWS S3 recording integration of Genesys Cloud has written
something new to `RECORDING_ARCHIVE_EXPORT_URI`, and archives it: same checks, same keys, same proof as the night's, and
no request to the API. What the lake has already is recognised; other bytes of the same recording go to quarantine.
The export itself is only read, unless somebody opened the gate that deletes what is archived and proved
(`RECORDING_ARCHIVE_EXPORT_DELETE_ARCHIVED`).

Leave this DAG paused where there is no such integration.

## By hand
*Trigger* asks for `start_date` and `end_date` (both included, by the start of the conversation): for what was exported
of days older than `RECORDING_ARCHIVE_EXPORT_WINDOW_DAYS`. Neither: that window up to now.

## Something is red
| task | what it means | what to do |
|---|---|---|
| `wait_for_export` | the bucket refuses us, or no setting names it | repair what its log names, clear it |
| `ingest_export` | a bucket does not answer or refuses us, or a day broke | the error in its log; clear it |
| `reconcile_day` | a day has open work, such as an `export_conflict` | the error in its log names the report |
| `catalog_day` | the catalog is not up to date; the archive and its proof are | repair what its log names, clear it |
| `deliver_webhooks` | as in the nightly run | as in the nightly run |
| `delete_exported` | the gate is half open, its connection may not, or the lake is not what it should be | its log |

A day is announced as complete once the nightly run or the audit has asked what calls it had: the export names no call
that it lacks. Before that a day is complete as far as the export goes, and nobody is told.

Pink (skipped) is the ordinary end of a run: nothing new came.
Clearing any task is safe: keys are write-once, and what is settled is remembered by key and ETag.
The full table by reason is in `docs/runbook.md`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, Param, TriggerRule, dag

from genesys_archive.defaults import (
    CATALOG_ASSET,
    DEFAULT_ARGS,
    DOWNLOAD_POOL,
    EXPORT_ALIAS,
    START_DATE,
    TAGS,
    export_settings,
    timezone_name,
)
from genesys_archive.operators.catalog_day import CatalogDayOperator
from genesys_archive.operators.delete_exported import DeleteExportedOperator
from genesys_archive.operators.deliver_webhooks import DeliverWebhooksOperator
from genesys_archive.operators.ingest_export import IngestExportOperator
from genesys_archive.operators.reconcile_day import ReconcileDayOperator
from genesys_archive.outcome_notice import outcome_callbacks
from genesys_archive.params import day_params, refuse_unknown_params
from genesys_archive.sensors.wait_for_export import WaitForExportSensor

EVERY_FOUR_HOURS = "30 */4 * * *"
PARAMS = {
    "delete_archived": Param(
        export_settings().export_delete_archived, type="boolean", title="Delete what is archived", section="What",
        description="Delete exported recordings whose copy is proved. Only where "
        "RECORDING_ARCHIVE_EXPORT_DELETE_ARCHIVED opens the gate.",
    ),
}  # fmt: skip


@dag(
    dag_id="genesys_s3_export_ingest",
    dag_display_name="Genesys recordings: the native S3 export",
    doc_md=__doc__,
    schedule=CronTriggerTimetable(EVERY_FOUR_HOURS, timezone=timezone_name()),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=DEFAULT_ARGS,
    params={**day_params(neither="the trailing window"), **PARAMS},
    **outcome_callbacks(),
    tags=[*TAGS, "export"],
)
def genesys_s3_export_ingest() -> None:
    """Wait, ingest, then report and catalogue."""
    dates = {"start_date_text": "{{ params.start_date or '' }}", "end_date_text": "{{ params.end_date or '' }}"}
    wait = WaitForExportSensor(
        task_id="wait_for_export", pre_execute=refuse_unknown_params, execution_timeout=timedelta(hours=2), **dates
    )
    ingest = IngestExportOperator(
        task_id="ingest_export", pool=DOWNLOAD_POOL, execution_timeout=timedelta(hours=10), **dates
    )
    # An alias: the export names no call that it lacks, so its word alone must not announce a complete day.
    reconcile = ReconcileDayOperator(
        task_id="reconcile_day",
        plan_task_id=ingest.task_id,
        plan_only="False",
        outlets=[EXPORT_ALIAS],
        execution_timeout=timedelta(minutes=30),
    )
    catalog = CatalogDayOperator(
        task_id="catalog_day",
        plan_task_id=ingest.task_id,
        plan_only="False",
        outlets=[CATALOG_ASSET],
        execution_timeout=timedelta(minutes=30),
    )
    # Whatever was committed is told, also of a day that is red; and a receiver that is away colours nothing.
    webhooks = DeliverWebhooksOperator(
        task_id="deliver_webhooks",
        plan_task_id=ingest.task_id,
        plan_only="False",
        # Not all_done: a run that found nothing new has nothing to tell.
        trigger_rule=TriggerRule.NONE_SKIPPED,
        execution_timeout=timedelta(hours=1),
    )
    # none_failed: what has become old enough goes also where nothing new came, and nothing goes while something fails.
    delete = DeleteExportedOperator(
        task_id="delete_exported",
        wanted="{{ params.delete_archived }}",
        pool=DOWNLOAD_POOL,
        trigger_rule=TriggerRule.NONE_FAILED,
        execution_timeout=timedelta(hours=6),
        **dates,
    )
    wait >> ingest >> [reconcile, catalog, webhooks, delete]


genesys_s3_export_ingest()
