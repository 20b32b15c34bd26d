"""The audit on a real Airflow: what came late is fetched, the day is closed, and a broken day costs itself only."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from demo.archive_run import wait_for_dag
from demo.options import AUDIT_DAG
from tests.journeys.organisations import AFTER_LATE, LATE

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def night(journey):
    """The first run of a day of which some recordings and a call come late, with its report."""
    wait_for_dag(journey.stack, AUDIT_DAG)
    journey.to("late")
    return journey.run(start_date=LATE), journey.bucket.report(LATE)


@pytest.fixture(scope="module")
def audit(journey, night):
    """The audit of that day and the next, after everything has arrived; somebody has altered the next one's commit."""
    assert "failed" == night[0].state
    journey.organisations["late"].tenant.land_everything()
    journey.bucket.put(f"commits/date={AFTER_LATE}/v=00000001.json", b"{}\n")
    return journey.audit(start_date=LATE, end_date=AFTER_LATE)


def test_night_leaves_the_day_open(night):
    """What is still uploading keeps the day red, and a call that has not ended is not expected yet."""
    run, report = night
    assert ("failed", "open") == (run.state, report["state"])
    assert 1 == report["conversations"]["pending"]


def test_audit_fetches_what_came_late_and_closes_the_day(audit, night, journey):
    """Recordings that appeared, a second one that no job had spoken of, a call that ended: all archived."""
    truth = journey.organisations["late"].truth(date.fromisoformat(LATE))
    report = journey.bucket.report(LATE)
    assert ("closed", truth.counts) == (report["state"], report["conversations"]), audit.log("reconcile_day")
    assert report["expected"] == night[1]["expected"] + 1
    digests = journey.bucket.sha256_by_key(f"media/org={journey.organisations['late'].org_id}/date={LATE}/")
    stored = Counter(digest for key, digest in digests.items() if "metadata" not in key)
    assert Counter(part.sha256 for part in truth.archived_parts()) == stored


def test_broken_day_is_named_and_costs_itself_only(audit):
    """The verdict alone is red, with the day and the key; the other day was verified beside it."""
    states = audit.states()
    assert ("failed", {"failed"}) == (audit.state, states.pop("reconcile_day"))
    assert {"success"} == states["plan_audit"] | states["commit_day"]
    assert {"success"} == states["verify_day"], audit.log("verify_day")
    said = audit.log("reconcile_day")
    assert f"{AFTER_LATE}: IntegrityError:" in said
    assert f"commits/date={AFTER_LATE}/v=00000001.json" in said
