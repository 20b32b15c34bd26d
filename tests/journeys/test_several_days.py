"""More days than one: in one run by hand, and as a backfill with a run for each."""

from __future__ import annotations

from datetime import date

import pytest

from demo.options import DAILY_DAG
from tests.journeys.journey import RUN_SECONDS
from tests.journeys.organisations import BACKFILLED, RANGE

pytestmark = pytest.mark.journey


def counts(journey, days):
    """Return what the reports say and what the source knows, by day."""
    sandbox = journey.organisations["quick"]
    said = {day: journey.bucket.report(day)["conversations"] for day in days}
    known = {day: sandbox.truth(date.fromisoformat(day)).counts for day in days}
    return known, said


def test_one_run_takes_several_days(journey):
    """Each day gets a report and a commit of its own."""
    journey.to("quick")
    run = journey.run(start_date=RANGE[0], end_date=RANGE[1])
    assert "success" == run.state, run.log("reconcile_day")
    known, said = counts(journey, RANGE)
    assert known == said
    assert [1, 1] == [len(journey.bucket.listing(f"commits/date={day}/")) for day in RANGE]


def test_backfill_makes_a_run_for_each_day(journey):
    """Airflow's own backfill hands each run its local day as the partition key."""
    before = len(list(journey.to("quick").journal))
    body = {
        "dag_id": DAILY_DAG,
        "from_date": f"{BACKFILLED[0]}T00:00:00Z",
        "to_date": f"{BACKFILLED[1]}T23:59:59Z",
        "max_active_runs": 1,
    }
    journey.api.send("POST", "/backfills", json=body)

    def runs():
        found = journey.api.get(f"/dags/{DAILY_DAG}/dagRuns", run_type="backfill")["dag_runs"]
        return {run["partition_key"]: run["state"] for run in found}

    journey.wait(lambda: runs() and set(runs().values()) <= {"success", "failed"}, RUN_SECONDS)
    assert dict.fromkeys(BACKFILLED, "success") == runs()
    known, said = counts(journey, BACKFILLED)
    assert known == said
    # Each run asked by an analytics job, waiting without a worker, and paged through nothing.
    asked = [call.line for call in journey.organisations["quick"].journal][before:]
    lines = ("POST /api/v2/analytics/conversations/details/jobs", "POST /api/v2/analytics/conversations/details/query")
    assert [len(BACKFILLED), 0] == [asked.count(line) for line in lines]
