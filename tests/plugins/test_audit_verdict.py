"""What an audit says of a day in its tasks: a plan that accepts too much is refused, a look that fell short is red."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID

import pytest
from airflow.sdk.exceptions import AirflowFailException

from genesys_archive.operators.confirm_recording import ConfirmRecordingOperator
from genesys_archive.operators.plan_audit import PlanAuditOperator
from genesys_archive.operators.reconcile_day import ReconcileDayOperator
from include.audit.download_tally import Downloads
from include.errors import ConfigurationError
from include.lake.commit import read_head
from include.transfer.single_plan import SinglePlanned
from tests.plugins.one_day import planned_day, run_of
from tests.story.committed import ORG
from tests.story.night import DAY


def test_accepting_without_a_date_is_refused_before_anything_is_asked(connected, sandbox):
    """Red at once, with the field to fill; a day that is named is planned."""
    assert connected
    sandbox.journal.clear()
    form = {"start_date_text": "", "end_date_text": "", "partition_key": "", "offsets": "[1, 3]"}
    with pytest.raises(ConfigurationError, match="accept_empty needs start_date"):
        PlanAuditOperator(
            task_id="plan_audit", **form, only_failed="False", ask_each="True", accept_empty="True"
        ).execute(run_of([]))
    assert {} == sandbox.journal.summary()


@pytest.mark.parametrize(
    ("unseen", "stage"), [(2, "held"), (0, "closed"), (None, "provisional")], ids=["some", "none", "no look"]
)
def test_old_day_is_closed_only_where_everything_was_looked_at(connected, unseen, stage):
    """What the plan could not look at makes the task red, and the sentence says what to do."""
    task = ReconcileDayOperator(task_id="reconcile_day", plan_task_id="plan_audit", plan_only="False", is_audit="True")
    context = run_of([planned_day(connected, not_looked_up=unseen)])
    if unseen:
        with pytest.raises(AirflowFailException, match=r"2 conversations were not looked at again.*AUDIT_LOOKUPS_MAX"):
            task.execute(context)
    else:
        task.execute(context)
    assert stage == read_head(connected, ORG, DAY).summary["state"]


def test_single_recording_has_the_numbers_of_the_guide(connected):
    """Also where it did not arrive: the four fields, in XCom beside the red task."""
    conversation, recording = str(UUID(int=1)), str(UUID(int=2))
    planned = SinglePlanned(str(DAY), "", "", conversation, (recording,), None, by_media_id=False)
    archived = {"missing": [], "downloads": Downloads(2, {"structure_whole": 1}, 500, 10).to_json()}
    task = ConfirmRecordingOperator(task_id="confirm_recording", planned=planned.to_json(), archived=archived)
    pushed = {}
    with pytest.raises(AirflowFailException, match="has no commit"):
        task.execute({"ti": SimpleNamespace(xcom_push=pushed.__setitem__)})
    assert connected
    numbers = {"totalDownloads": 2, "successRate": "50.00%", "averageLatencyMs": "250", "failureCount": 1}
    assert numbers == pushed["downloads"]
