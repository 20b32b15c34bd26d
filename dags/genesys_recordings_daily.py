"""# Genesys Cloud recordings of one day → data lake

Every night: finds the conversations of yesterday (the calendar day in `GENESYS_TIMEZONE`), requests their recordings
in batches of 100, waits without holding a worker, downloads, verifies, and puts audio and metadata into the lake.
**expected = archived + named exclusions**; the last task is green only then.

## By hand
*Trigger* asks for `start_date` and `end_date` (both included; neither = yesterday). `dry_run` stops after the plan.
`only_failed` asks again only for what an earlier run left pending, quarantined or in error. A *Backfill* makes one run
a day.

## Something is red
| task | what it means | what to do |
|---|---|---|
| `plan_day` | bad dates or connections, or no answer | the error in its log names the parameter or connection |
| `submit_batches` | Genesys refuses, or its rate limit holds | clear it; jobs already submitted are found again |
| `wait_for_batches` | credentials were revoked while waiting | repair `genesys_cloud`, clear it |
| `archive_batches` | the lake does not answer or refuses us | repair `recording_lake`, clear it |
| `commit_day` | a document in the lake was altered, or `plan_day` failed | the error in its log names the key |
| `catalog_day` | the catalog is not up to date; the archive and its proof are | repair what its log names, clear it |
| `plan_derivatives`, `report_derivatives` | the lake does not answer | the error in its log; clear it |
| `make_derivatives` | the lake does not answer, or this worker cannot transcode | its log; clear the red slice |
| `deliver_webhooks` | a wrong setting, or the lake does not answer; never the receiver | its log; clear it |
| `reconcile_day` | something is open, or the day is held | the error in its log says how many and where the report is |

Sound that cannot be decoded is reported in `derivatives.json`, and leaves `make_derivatives` green.
After a red `reconcile_day` with no other red task beside it, trigger the day again with `only_failed`.
In a run over several days one that breaks costs itself only; `reconcile_day` names it.
Clearing any task is safe: keys are write-once, and every task begins by asking the lake what is missing.
The full table by error is in `docs/runbook.md`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronPartitionTimetable, Param, dag

from genesys_archive.closing_tasks import close_days
from genesys_archive.defaults import (
    API_POOL,
    DEFAULT_ARGS,
    RECORDINGS_ASSET,
    START_DATE,
    TAGS,
    derivative_settings,
    timezone_name,
)
from genesys_archive.operators.plan_day import PlanDayOperator
from genesys_archive.outcome_notice import outcome_callbacks
from genesys_archive.params import channels_param, day_params, format_param, only_failed_param, refuse_unknown_params
from genesys_archive.task_groups import export_shards
from include.transfer.large_days import Analytics

# Not 02:00: most zones with summer time skip it once a year. Airflow then runs at 03:00 and takes the
# night itself for the day before: one day would be asked for too early and the day before it never.
NIGHTLY = "0 4 * * *"
WISHES = derivative_settings()
PARAMS = {
    **day_params(neither="yesterday"),
    **only_failed_param(),
    "dry_run": Param(
        default=False, type="boolean", title="Dry run", section="What",
        description="Stop after the plan: counts, hours and estimated bytes; nothing is requested or written.",
    ),
    **format_param(
        WISHES.output_format,
        "wav, mp3: a copy beside the original; asked of Genesys where its contract can be asked, else made here.",
    ),
    **channels_param(
        WISHES.channels,
        "mono: a copy whose one channel is the mean of all, made here, beside the original.",
    ),
    "analytics": Param(
        Analytics.AUTO, type="string", enum=[str(item) for item in Analytics], title="Analytics", section="How",
        description="auto: the query; analytics jobs for a backfill and for days above "
        "RECORDING_ARCHIVE_ANALYTICS_JOBS_FROM conversations.",
    ),
}  # fmt: skip


@dag(
    dag_id="genesys_recordings_daily",
    dag_display_name="Genesys recordings: the day",
    doc_md=__doc__,
    schedule=CronPartitionTimetable(NIGHTLY, timezone=timezone_name(), run_offset=-1, key_format="%Y-%m-%d"),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=DEFAULT_ARGS,
    params=PARAMS,
    **outcome_callbacks(),
    tags=[*TAGS, "daily"],
)
def genesys_recordings_daily() -> None:
    """Plan, export, commit, catalogue, reconcile."""
    plan = PlanDayOperator(
        task_id="plan_day",
        pre_execute=refuse_unknown_params,
        start_date_text="{{ params.start_date or '' }}",
        end_date_text="{{ params.end_date or '' }}",
        partition_key="{{ dag_run.partition_key or '' }}",
        only_failed="{{ params.only_failed }}",
        plan_only="{{ params.dry_run }}",
        output_format="{{ params.output_format }}",
        channels="{{ params.channels }}",
        analytics="{{ params.analytics }}",
        is_backfill="{{ dag_run.run_type == 'backfill' }}",
        pool=API_POOL,
        execution_timeout=timedelta(hours=1),
    )
    exported = export_shards(plan.output)
    commit, leaves = close_days(plan, exported, announces=RECORDINGS_ASSET, plan_only="{{ params.dry_run }}")
    plan >> exported
    commit >> leaves


genesys_recordings_daily()
