"""The sensor: defers with the right trigger, passes on what it said, and fails for credentials only."""

from __future__ import annotations

import time

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from genesys_archive.sensors.wait_for_batches import WaitForBatchesSensor
from genesys_archive.triggers.batch_jobs import BatchJobsTrigger

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


def test_execute_defers_to_the_trigger(sensor):
    """The trigger gets ids, the connection's name, and a moment in time; nothing else travels."""
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute({})
    trigger = deferred.value.trigger
    assert isinstance(trigger, BatchJobsTrigger)
    assert ("genesys_cloud", ["job-1", "job-2"], 3.0) == (
        trigger.genesys_conn_id, trigger.job_ids, trigger.poll_seconds
    )  # fmt: skip
    assert abs(time.time() + 90 - trigger.deadline) < 5
    assert ("resume", None) == (deferred.value.method_name, deferred.value.timeout)


def test_resume_passes_on_what_the_trigger_saw(sensor):
    """Unfinished jobs do not fail the task: what the others have must go on."""
    assert EVENT == sensor.resume({}, EVENT)


def test_resume_fails_with_the_trigger_s_sentence(sensor):
    """Refused credentials end the task at once, in the sentence's own words."""
    with pytest.raises(AirflowFailException, match=r"^Genesys refuses the client$"):
        sensor.resume({}, {**EVENT, "error": "Genesys refuses the client"})
