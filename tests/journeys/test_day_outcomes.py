"""Days that go another way: another contract, a rough day, one that never ends, a dry run, dates that are none."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from demo.rest import AirflowApiError
from tests.journeys.organisations import DRY, GUIDE, ROUGH, STUCK, ZONE, api_calls, media_calls

pytestmark = pytest.mark.journey

OPEN = ("pending", "quarantined")


def truth_of(sandbox, day):
    """Return what an honest archive of a day holds."""
    return sandbox.truth(date.fromisoformat(day))


def archived(journey, day):
    """Return how often each digest is in the lake, by rclone, of a day's audio."""
    digests = journey.bucket.sha256_by_key("media/")
    return Counter(digest for key, digest in digests.items() if f"date={day}/" in key and "metadata" not in key)


@pytest.fixture(scope="module")
def rough(journey):
    """A day with damaged, late and broken recordings."""
    sandbox = journey.to("rough")
    return journey.run(start_date=ROUGH), truth_of(sandbox, ROUGH)


@pytest.fixture(scope="module")
def stuck(journey):
    """A day with a job that never completes, after somebody has lowered the deadlines."""
    lowered = {f"RECORDING_ARCHIVE_{name}_DEADLINE_SECONDS": "6" for name in ("JOB", "RESUBMIT")}
    journey.restart("scheduler", **lowered)
    journey.wait_until_healthy()
    sandbox = journey.to("stuck")
    run = journey.run(start_date=STUCK)
    journey.restart("scheduler")
    return run, truth_of(sandbox, STUCK)


@pytest.fixture(scope="module")
def dry(journey):
    """A dry run, with the bucket before and after it and the calls it made."""
    sandbox = journey.to("ordinary")
    before = journey.bucket.listing()
    sandbox.journal.clear()
    run = journey.run(start_date=DRY, dry_run=True)
    return run, before, journey.bucket.listing(), api_calls(sandbox), truth_of(sandbox, DRY)


@pytest.fixture(scope="module")
def refused(journey):
    """Three runs with dates that cannot be, and the sandbox's journal of meanwhile."""
    sandbox = journey.to("ordinary")
    sandbox.journal.clear()
    today = datetime.now(ZoneInfo(ZONE)).date()
    forms = {
        "reversed": {"start_date": "2026-01-06", "end_date": "2026-01-05"},
        "today": {"start_date": today.isoformat()},
        "future": {"start_date": (today + timedelta(days=400)).isoformat()},
    }
    started = {name: journey.start(**form) for name, form in forms.items()}
    return {name: journey.finish(run_id) for name, run_id in started.items()}, dict(sandbox.journal.summary())


def test_guide_contract_fills_the_same_lake(journey):
    """Under the contract of the guides a day is archived with the same names, classes and digests."""
    truth = truth_of(journey.to("guide"), GUIDE)
    run = journey.run(start_date=GUIDE)
    assert "success" == run.state, run.log("reconcile_day")
    assert truth.counts == journey.bucket.report(GUIDE)["conversations"]
    assert Counter(part.sha256 for part in truth.archived_parts()) == archived(journey, GUIDE)


def test_rough_day_is_red_at_its_end_only(rough):
    """Everything is tried and committed; the verdict alone is red, and not tried again."""
    run, _ = rough
    states = run.states()
    assert ("failed", {"failed"}) == (run.state, states.pop("reconcile_day"))
    copies = [states.pop(f"{verb}_derivatives") for verb in ("plan", "make", "report")]
    assert {"skipped"} == set().union(*copies)
    assert {"success"} == set().union(*states.values())
    assert 1 == run.task("reconcile_day")["try_number"]


def test_rough_day_says_how_many_and_where(rough):
    """The last log line has the counts and the report's address."""
    run, truth = rough
    said = run.log("reconcile_day")
    for outcome in OPEN:
        assert f"{truth.counts[outcome]} {outcome}" in said
    assert re.search(rf"Reasons: \w+ \d+.*Each is named in s3://\S+/reports/date={ROUGH}/report\.md", said)


def test_rough_day_archives_all_that_can_be(rough, journey):
    """One bad recording keeps none of its neighbours out of the lake."""
    _, truth = rough
    assert truth.counts == journey.bucket.report(ROUGH)["conversations"]
    assert Counter(part.sha256 for part in truth.archived_parts()) == archived(journey, ROUGH)


def test_stuck_job_delays_nobody_else(stuck, journey):
    """At the deadline the job is asked for again in smaller ones; only the conversation that holds it stays pending."""
    run, truth = stuck
    assert ({"success"}, {"failed"}) == (run.states()["archive_batches"], run.states()["reconcile_day"])
    assert 1 == truth.counts["pending"]
    assert truth.counts == journey.bucket.report(STUCK)["conversations"]
    assert Counter(part.sha256 for part in truth.archived_parts()) == archived(journey, STUCK)


def test_stuck_job_is_named_with_its_reason(stuck, journey):
    """The report names the conversation that holds the job, and says that the job did not finish."""
    _, truth = stuck
    rows = {(row["conversation_id"], row["reason"]) for row in journey.bucket.report(STUCK)["exclusions"]}
    held = {item.conversation_id for item in truth.conversations if item.outcome == "pending"}
    assert {(one, "job_unfinished") for one in held} == rows


def test_dry_run_ends_after_the_plan(dry):
    """Green, with everything after the plan skipped."""
    run, *_ = dry
    states = run.states()
    assert ("success", {"success"}) == (run.state, states.pop("plan_day"))
    assert {"skipped"} == set().union(*states.values())


def test_dry_run_says_what_would_come(dry):
    """Counts, the length of the calls, and an estimate of the bytes."""
    run, *_, truth = dry
    (day,) = run.xcoms()["plan_day", -1, "days"]
    assert (DRY, len(truth.conversations)) == (day["date"], day["outstanding"])
    assert min(day["seconds"], day["estimated_bytes"]) > 0


def test_dry_run_writes_and_asks_for_nothing(dry):
    """The bucket is as before, and Genesys was asked for a list only."""
    _, before, after, calls, _ = dry
    assert before == after
    assert [] == [line for line in calls if "batchrequests" in line or "recordingmetadata" in line]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ("reversed", "start_date 2026-01-06 is after end_date 2026-01-05."),
        ("today", "is today, which is not over yet"),
        ("future", "lies in the future"),
    ],
)
def test_bad_dates_fail_at_once(refused, form, sentence):
    """The plan fails on its first try with the sentence that says why."""
    run = refused[0][form]
    task = run.task("plan_day")
    assert ("failed", "failed", 1) == (run.state, task["state"], task["try_number"])
    assert sentence in run.log("plan_day")


def test_bad_dates_cost_no_call(refused):
    """Not even a token is asked for."""
    assert {} == {line: count for line, count in refused[1].items() if "/sandbox" not in line}


def test_form_refuses_what_is_no_date(journey):
    """Airflow itself answers 400 before there is a run."""
    with pytest.raises(AirflowApiError, match="400"):
        journey.start(start_date="yesterday")


def test_nothing_was_downloaded_for_refused_forms(refused, journey):
    """And no media was asked for."""
    assert refused
    assert 0 == media_calls(journey.organisations["ordinary"])
