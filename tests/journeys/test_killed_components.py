"""The triggerer and the scheduler die while a run waits; started again, they bring it to its end."""

from __future__ import annotations

import os
import signal
from datetime import date

import psutil
import pytest

from demo.options import DAILY_DAG
from demo.processes import ComponentError
from tests.journeys.organisations import INTERRUPTED
from tests.journeys.waiting import Watcher

pytestmark = pytest.mark.journey

KILLED = ("triggerer", "scheduler")
WAIT_SECONDS = 90


def kill(supervisor, name):
    """Kill -9 a component's whole family below its leash."""
    for process in psutil.Process(supervisor.pids[name]).children(recursive=True):
        os.kill(process.pid, signal.SIGKILL)


def test_run_survives_the_death_of_triggerer_and_scheduler(journey):
    """Nothing of the wait lives in a process: the day ends complete, and no job is submitted a second time."""
    sandbox = journey.to("patient")
    run_id = journey.start(start_date=INTERRUPTED)
    watcher = Watcher(journey, [])
    journey.wait(lambda: watcher.waiting(run_id), WAIT_SECONDS)
    for name in KILLED:
        kill(journey.stack.supervisor, name)
    with pytest.raises(ComponentError, match="ended with status"):
        journey.wait(lambda: False, WAIT_SECONDS)
    for name in KILLED:
        journey.restart(name)
    run = journey.finish(run_id)
    assert "success" == run.state, journey.api.task_instances(DAILY_DAG, run_id)
    truth = sandbox.truth(date.fromisoformat(INTERRUPTED))
    assert truth.counts == journey.bucket.report(INTERRUPTED)["conversations"]
    assert 1 == sandbox.journal.summary()["POST /api/v2/recording/batchrequests"]
