"""The sensor: defers with the right trigger, asks again for what is stuck, and fails for credentials only."""

from __future__ import annotations

import time

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.sensors.wait_for_batches import WAIT_KEY, WaitForBatchesSensor
from genesys_archive.triggers.batch_jobs import BatchJobsTrigger
from include.transfer.halving import Wait
from include.transfer.submit import SubmittedShard
from tests.plugins.conftest import DAY
from tests.story.night import Memory

SUBMITTED = {
    "plan_key": "plans/x.json",
    "jobs": [{"job_id": "job-1", "conversation_ids": ["a"]}, {"job_id": "job-2", "conversation_ids": ["b"]}],
    "refused": [],
}
EVENT = {"finished": ["job-1"], "unfinished": ["job-2"], "gone": [], "polls": 7}


@pytest.fixture
def sensor(monkeypatch):
    """The sensor as the DAG builds it, its template rendered."""
    monkeypatch.setenv("RECORDING_LAKE_URI", "s3://bucket/archive")
    monkeypatch.setenv("RECORDING_ARCHIVE_POLL_SECONDS", "3")
    monkeypatch.setenv("RECORDING_ARCHIVE_JOB_DEADLINE_SECONDS", "90")
    return WaitForBatchesSensor(task_id="wait", submitted=SUBMITTED)


@pytest.fixture
def context():
    """What the sensor uses of a task's context: the memory that survives a retry."""
    return {"task_state_store": Memory()}


def deferred(sensor, context, *resume):
    """Execute or resume the sensor and return what it defers with."""
    with pytest.raises(TaskDeferred) as raised:
        sensor.resume(context, *resume) if resume else sensor.execute(context)
    return raised.value


def test_execute_defers_to_the_trigger(sensor, context):
    """The trigger gets ids, the connection's name, and a moment in time; nothing else travels."""
    first = deferred(sensor, context)
    trigger = first.trigger
    assert isinstance(trigger, BatchJobsTrigger)
    assert ("genesys_cloud", ["job-1", "job-2"], 3.0) == (
        trigger.genesys_conn_id, trigger.job_ids, trigger.poll_seconds
    )  # fmt: skip
    assert abs(time.time() + 90 - trigger.deadline) < 5
    assert ("resume", None) == (first.method_name, first.timeout)


def test_retry_goes_on_with_the_round_of_the_try_before(sensor, context):
    """The deadline stays where it was, also on a later round; a wait over other jobs begins anew."""
    first = deferred(sensor, context)
    assert first.kwargs == deferred(sensor, context).kwargs
    later = Wait(SubmittedShard.from_json(SUBMITTED), ("job-9",), time.time() + 50, number=3)
    context["task_state_store"][WAIT_KEY]["wait"] = later.to_json()
    assert (["job-9"], later.deadline) == (
        (again := deferred(sensor, context)).trigger.job_ids,
        again.trigger.deadline,
    )
    context["task_state_store"][WAIT_KEY]["submitted"] = ["job-0"]
    assert ["job-1", "job-2"] == deferred(sensor, context).trigger.job_ids


def test_round_that_is_long_over_begins_anew(sensor, context):
    """A task that is cleared the next day waits for its jobs as at first."""
    deferred(sensor, context)
    context["task_state_store"][WAIT_KEY]["wait"]["deadline"] = time.time() - 1
    assert time.time() + 80 < deferred(sensor, context).trigger.deadline


def test_resume_passes_on_what_the_trigger_saw(sensor, context):
    """A single conversation that holds its job is not asked for again, and does not fail the task."""
    first = deferred(sensor, context)
    assert EVENT | {"shard": None} == sensor.resume(context, EVENT, **first.kwargs)


def test_resume_fails_with_the_trigger_s_sentence(sensor, context):
    """Refused credentials end the task at once, in the sentence's own words."""
    with pytest.raises(AirflowFailException, match=r"^Genesys refuses the client$"):
        sensor.resume(context, {**EVENT, "error": "Genesys refuses the client"}, {})


def test_stuck_job_is_asked_for_again_in_smaller_ones(sandbox, connect, context):
    """Resumed with an unfinished job the sensor submits smaller ones and defers again, for them alone."""
    connect(sandbox)
    ids = sorted(item.conversation_id for item in sandbox.truth(DAY).conversations)[:4]
    sandbox.faults.switch_on("batch-stuck")
    with GenesysHook().client(archive_settings()) as client:
        stuck = client.submit_batch(ids)
    sandbox.faults.switch_off()
    submitted = {"plan_key": "plans/x.json", "jobs": [{"job_id": stuck, "conversation_ids": ids}], "refused": []}
    sensor = WaitForBatchesSensor(task_id="wait", submitted=submitted)
    first = deferred(sensor, context)
    event = {"finished": [], "unfinished": [stuck], "gone": [], "polls": 3}
    again = deferred(sensor, context, event, first.kwargs["wait"])
    assert stuck not in again.trigger.job_ids
    assert 2 <= len(again.trigger.job_ids) <= 3
    done = {"finished": again.trigger.job_ids, "unfinished": [], "gone": [], "polls": 2}
    outcome = sensor.resume(context, done, **again.kwargs)
    assert (sorted(again.trigger.job_ids), [], 5) == (outcome["finished"], outcome["unfinished"], outcome["polls"])
    assert ids == sorted(one for job in outcome["shard"]["jobs"] for one in job["conversation_ids"])
