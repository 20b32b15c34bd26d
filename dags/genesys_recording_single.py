"""# One Genesys Cloud recording, now → data lake

For the call that somebody needs today: fetched by the same engine and verified as at night, at the same place in the
lake, and in its day's next commit. What the lake holds already is recognised and not fetched again.

## By hand
*Trigger* asks for the recording:

- contract `platform`: `conversation_id`, and `recording_id` where it is one of several.
- contract `guide`: `media_id`, with the `conversation_id` or else the `date` of the call where you know them: the
  guide's metadata does not say whose media it is. Without them the catalog is asked, and what it does not know is
  filed under the day 1970-01-01. The media may be a rendering: the night still fetches the original.

`output_format` wav or mp3 puts a copy beside the original: Genesys' own under the contract `platform`, else made here.

`make single CONVERSATION=... [RECORDING= MEDIA= DATE= OUTPUT_FORMAT=]` is the same for a shell.

## Something is red
| task | what it means | what to do |
|---|---|---|
| `request_recording` | no such recording, or it was erased on request | the error in its log says which |
| `archive_recording` | the lake or Genesys refuses us, or is silent | repair the connection its log names, clear it |
| `commit_day` | a document in the lake was altered | the error in its log names the key |
| `catalog_day` | the catalog is not up to date; the archive and its proof are | repair what its log names, clear it |
| `deliver_webhooks` | a wrong setting, or the lake does not answer; never the receiver | its log; clear it |
| `confirm_recording` | it is not archived | its log has the reason; the row of that reason in the runbook |

Clearing any task is safe. A recording of the same call that nobody asked for stays pending until the next night or
audit of its day. The full table by error and reason is in `docs/runbook.md`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag

from genesys_archive.defaults import API_POOL, CATALOG_ASSET, DEFAULT_ARGS, DOWNLOAD_POOL, START_DATE, TAGS
from genesys_archive.operators.archive_recording import ArchiveRecordingOperator
from genesys_archive.operators.catalog_day import CatalogDayOperator
from genesys_archive.operators.commit_day import CommitDayOperator
from genesys_archive.operators.confirm_recording import ConfirmRecordingOperator
from genesys_archive.operators.deliver_webhooks import DeliverWebhooksOperator
from genesys_archive.operators.request_recording import RequestRecordingOperator
from genesys_archive.outcome_notice import outcome_callbacks
from genesys_archive.params import format_param, refuse_unknown_params
from include.transfer.rendition import ORIGINAL

PARAMS = {
    "conversation_id": Param(
        None, type=["null", "string"], title="Conversation", section="Which",
        description="Id of the conversation.",
    ),
    "recording_id": Param(
        None, type=["null", "string"], title="Recording", section="Which",
        description="Id of one of its recordings. Empty: all of them.",
    ),
    "media_id": Param(
        None, type=["null", "string"], title="Media", section="Which",
        description="Contract guide: id of the media, in place of a recording's id.",
    ),
    "date": Param(
        None, type=["null", "string"], format="date", title="Day", section="Which",
        description="Local day of the call; only to find the conversation of a media id. Empty: the catalog is asked.",
    ),
    **format_param(ORIGINAL, "wav, mp3: a copy beside the original, by Genesys (contract platform) or made here."),
}  # fmt: skip


@dag(
    dag_id="genesys_recording_single",
    dag_display_name="Genesys recordings: one, now",
    doc_md=__doc__,
    schedule=None,
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    default_args=DEFAULT_ARGS,
    params=PARAMS,
    tags=[*TAGS, "single"],
    **outcome_callbacks(),
)
def genesys_recording_single() -> None:
    """Request, archive, commit, catalogue, confirm."""
    request = RequestRecordingOperator(
        task_id="request_recording",
        pre_execute=refuse_unknown_params,
        media_id="{{ params.media_id or '' }}",
        conversation_id="{{ params.conversation_id or '' }}",
        recording_id="{{ params.recording_id or '' }}",
        date="{{ params.date or '' }}",
        output_format="{{ params.output_format }}",
        pool=API_POOL,
        execution_timeout=timedelta(minutes=30),
    )
    archive = ArchiveRecordingOperator(
        task_id="archive_recording",
        planned=request.output,
        pool=DOWNLOAD_POOL,
        execution_timeout=timedelta(hours=4),
    )
    commit = CommitDayOperator(
        task_id="commit_day",
        plan_task_id=request.task_id,
        plan_only="False",
        execution_timeout=timedelta(minutes=30),
    )
    # Beside the verdict and not before it: no proof waits for a cache.
    catalog = CatalogDayOperator(
        task_id="catalog_day",
        plan_task_id=request.task_id,
        plan_only="False",
        outlets=[CATALOG_ASSET],
        execution_timeout=timedelta(minutes=30),
    )
    confirm = ConfirmRecordingOperator(
        task_id="confirm_recording",
        planned=request.output,
        archived=archive.output,
        execution_timeout=timedelta(minutes=10),
    )
    webhooks = DeliverWebhooksOperator(
        task_id="deliver_webhooks",
        plan_task_id=request.task_id,
        plan_only="False",
        execution_timeout=timedelta(hours=1),
    )
    archive >> commit >> [catalog, confirm, webhooks]


genesys_recording_single()
