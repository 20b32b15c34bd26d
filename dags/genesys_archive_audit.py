"""# Audit of archived days

Every morning, after the night's run: looks again at the days 1, 3, 7 and 30 days back. Asks analytics for calls that
have ended since, Genesys for recordings that have appeared since and for exclusions that may have changed, fetches
what is missing through the same tasks as the night, commits, and judges each day: *open*, *provisional*, *held* or
*closed*. A complete day is closed once its late window (`RECORDING_ARCHIVE_LATE_WINDOW_DAYS`) is over.
On days that are as they were, nothing is written.
Airflow makes up for no run that it was away for. A scheduled audit therefore also takes up to seven days that no night
has archived, and up to seven whose late window ended while nobody looked.

## By hand
`start_date` and `end_date` name days instead of `offsets`. `only_failed` asks again only for what is pending,
quarantined or in error. `ask_each` off trusts what is archived and asks about exclusions only: one request a
conversation is saved. `deep_verify` reads every byte of the days again. `accept_empty` releases days that are held
because analytics names suspiciously few calls; it needs `start_date`.

## Something is red
| task | what it means | what to do |
|---|---|---|
| `plan_audit` | bad dates or connections, or no answer | the error in its log names the parameter or connection |
| `submit_batches`, `wait_for_batches`, `archive_batches` | as in the nightly run | as in the nightly run |
| `commit_day` | a document of one of the days was altered | the error in its log names the day and the key |
| `catalog_day` | the catalog of a day is not up to date; its archive is | repair what its log names, clear it |
| `deliver_webhooks` | as in the nightly run | as in the nightly run |
| `reconcile_day` | a day is open or held, or broke; the others are done | its log names each with what to do |
| `verify_day` | the lake is not what its evidence says | do not repair by hand: `docs/compliance.md` |

A day that breaks does not keep the others from being audited. Clearing any task is safe, as in the nightly run.
The full table by error is in `docs/runbook.md`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronPartitionTimetable, Param, TriggerRule, XComArg, dag

from genesys_archive.closing_tasks import close_days
from genesys_archive.defaults import (
    API_POOL,
    AUDITED_ASSET,
    DEFAULT_ARGS,
    DOWNLOAD_POOL,
    START_DATE,
    TAGS,
    derivative_settings,
    timezone_name,
)
from genesys_archive.operators.plan_audit import PlanAuditOperator
from genesys_archive.operators.planned import DAYS_KEY
from genesys_archive.operators.verify_day import VerifyDayOperator
from genesys_archive.outcome_notice import outcome_callbacks
from genesys_archive.params import channels_param, day_params, format_param, only_failed_param, refuse_unknown_params
from genesys_archive.task_groups import export_shards

# Three hours after the nightly run: it is over by then, and where it is not, both may commit the same day.
MORNING = "0 7 * * *"
# After an outage eleven days are looked at again: at 10,000 conversations each and 300 requests a minute, six hours.
LOOK_TIMEOUT = timedelta(hours=9)
OFFSETS = [1, 3, 7, 30]
WISHES = derivative_settings()
PARAMS = {
    **day_params(neither="the days of the offsets"),
    "offsets": Param(
        OFFSETS, type="array", items={"type": "integer", "minimum": 1}, title="Days back", section="Days",
        description="How many days before today each audited day lies, where no first day is given.",
    ),
    **only_failed_param(),
    "ask_each": Param(
        default=True, type="boolean", title="Ask about each conversation", section="What",
        description="Ask Genesys what recordings each conversation has. Off: only where something was excluded.",
    ),
    "deep_verify": Param(
        default=False, type="boolean", title="Read every byte", section="What",
        description="Hash every object of the days again. Off: take the bucket's word for size, checksum and version.",
    ),
    "accept_empty": Param(
        default=False, type="boolean", title="So few calls are right", section="What",
        description="Release held days of which analytics names far fewer calls than on other weeks. Needs First day.",
    ),
    **format_param(WISHES.output_format, "As in the nightly run."),
    **channels_param(WISHES.channels, "As in the nightly run."),
}  # fmt: skip


@dag(
    dag_id="genesys_archive_audit",
    dag_display_name="Genesys recordings: the audit",
    doc_md=__doc__,
    schedule=CronPartitionTimetable(MORNING, timezone=timezone_name(), run_offset=-1, key_format="%Y-%m-%d"),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=18),
    default_args=DEFAULT_ARGS,
    params=PARAMS,
    **outcome_callbacks(),
    tags=[*TAGS, "audit"],
)
def genesys_archive_audit() -> None:
    """Plan, export what is missing, commit, catalogue, reconcile, verify."""
    plan = PlanAuditOperator(
        task_id="plan_audit",
        pre_execute=refuse_unknown_params,
        start_date_text="{{ params.start_date or '' }}",
        end_date_text="{{ params.end_date or '' }}",
        partition_key="{{ dag_run.partition_key or '' }}",
        offsets="{{ params.offsets | tojson }}",
        only_failed="{{ params.only_failed }}",
        ask_each="{{ params.ask_each }}",
        accept_empty="{{ params.accept_empty }}",
        pool=API_POOL,
        execution_timeout=LOOK_TIMEOUT,
    )
    exported = export_shards(plan.output)
    commit, leaves = close_days(
        plan, exported, announces=AUDITED_ASSET, is_audit="True", accept_empty="{{ params.accept_empty }}"
    )
    # Also after a failed commit, when it has most to tell; not without a plan, which names the days.
    verify = VerifyDayOperator(
        task_id="verify_day",
        days=XComArg(plan, key=DAYS_KEY),
        deep="{{ params.deep_verify }}",
        pool=DOWNLOAD_POOL,
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
        execution_timeout=timedelta(hours=12),
    )
    plan >> [exported, verify]
    commit >> [*leaves, verify]


genesys_archive_audit()
