"""An ordinary day from Genesys to the lake, a second time, and after a person has cleared tasks."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date

import pytest
import requests

from demo.options import DAILY_DAG
from tests.journeys.organisations import MONDAY, api_calls, media_calls

pytestmark = pytest.mark.journey

ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
KEY = r"(plans|manifests|commits|catalog/recordings)/date=\d{4}-\d\d-\d\d/[a-z0-9=/-]+\.(json|parquet)"
WORD = r"\d{4}-\d\d-\d\d|[a-z_]{1,30}|\d{1,3}\.\d\d%|\d{1,9}|totalDownloads|successRate|averageLatencyMs|failureCount"
LINK = r"http://127\.0\.0\.1:\d+/recording-archive/reports/\d{4}-\d\d-\d\d/"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00"
HARMLESS = re.compile(rf"{ID}|{KEY}|{WORD}|{LINK}|{TIME}")


@pytest.fixture(scope="module")
def truth(journey):
    """What an honest archive of Monday holds."""
    return journey.organisations["ordinary"].truth(date.fromisoformat(MONDAY))


@pytest.fixture(scope="module")
def after_first(monday, journey):
    """The bucket after the first run, before anything else touches it."""
    assert "success" == monday.state, monday.log("reconcile_day")
    return journey.bucket.listing()


@pytest.fixture(scope="module")
def second(journey, after_first):
    """The same day again, with what it called and what it left in the bucket."""
    assert after_first
    sandbox = journey.to("ordinary")
    sandbox.journal.clear()
    run = journey.run(start_date=MONDAY)
    return run, media_calls(sandbox), api_calls(sandbox), journey.bucket.listing()


def texts(value):
    """Return every string in a value, keys included."""
    if isinstance(value, dict):
        return [text for pair in value.items() for text in texts(list(pair))]
    if isinstance(value, list | tuple):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def test_every_task_succeeds(monday):
    """The run is green from end to end, in two shards; copies, which nobody asked for, are skipped."""
    states = monday.states()
    copies = [states.pop(f"{verb}_derivatives") for verb in ("plan", "make", "report")]
    assert ("success", {"skipped"}) == (monday.state, set().union(*copies))
    assert {"success"} == set().union(*states.values())
    assert 2 == sum(task["task_id"] == "export_shard.archive_batches" for task in monday.tasks)


def test_counts_are_the_source_s(monday, journey, truth):
    """What the report says is what the side knows that made the day."""
    assert monday.state
    report = journey.bucket.report(MONDAY)
    assert (len(truth.conversations), truth.counts) == (report["expected"], report["conversations"])
    assert report["complete"]


def test_report_is_there_for_people(monday, journey):
    """The page names the day and its classes."""
    assert monday.state
    page = journey.bucket.body(f"reports/date={MONDAY}/report.md").decode()
    assert page.startswith(f"# Recordings of {MONDAY}")


def test_every_object_is_what_its_key_says(monday, journey, truth):
    """Key, manifest, source and rclone agree on the SHA-256 of every recording."""
    assert monday.state
    digests = journey.bucket.sha256_by_key("media/")
    items = {item["key"]: item["sha256"] for item in journey.bucket.archived_items(MONDAY)}
    audio = {key: digest for key, digest in digests.items() if f"date={MONDAY}/" in key and "metadata" not in key}
    assert items == audio
    assert [] == [key for key, digest in audio.items() if f"-{digest}." not in key]
    assert Counter(part.sha256 for part in truth.archived_parts()) == Counter(audio.values())


def test_metadata_is_what_the_manifest_says(monday, journey):
    """Each recording has its description beside it, unaltered."""
    assert monday.state
    digests = journey.bucket.sha256_by_key("media/")
    items = journey.bucket.archived_items(MONDAY)
    assert items
    assert [] == [item["key"] for item in items if digests[item["metadata_key"]] != item["metadata_sha256"]]


def test_xcoms_hold_ids_keys_and_counts(monday):
    """No bytes, no address, no text of the source's travels through Airflow's database."""
    xcoms = monday.xcoms()
    assert xcoms
    strange = [text for value in xcoms.values() for text in texts(value) if not HARMLESS.fullmatch(text)]
    assert [] == strange
    assert 4096 > max(len(json.dumps(value)) for value in xcoms.values())


def test_waiting_holds_no_slot(monday, watched):
    """While the jobs ripen nothing runs: no worker, and no slot of any pool."""
    assert monday.state
    assert 2 <= len(watched)
    assert 2 == max(look.deferred for look in watched)
    assert {(0, 0)} == {(look.running, look.occupied) for look in watched}


def test_asset_event_has_the_counts(monday, journey, truth):
    """Who subscribes to the asset learns which day is complete and what it holds."""
    events = journey.api.get("/assets/events", source_dag_id=DAILY_DAG, source_run_id=monday.run_id)["asset_events"]
    (event,) = [event for event in events if event["source_task_id"] == "reconcile_day"]
    (day,) = event["extra"]["days"]
    assert (MONDAY, truth.counts, True) == (day["date"], day["conversations"], day["complete"])
    assert ("provisional", "100.00%") == (day["state"], day["completeness_percent"])
    assert journey.bucket.document(day["commit"])["summary"]["bytes"] == day["bytes"]


def test_button_on_the_task_opens_the_report_for_who_is_logged_in(monday, journey):
    """The link leads to a page with the report and its picture; without a login it leads nowhere."""
    path = f"/dags/{DAILY_DAG}/dagRuns/{monday.run_id}/taskInstances/reconcile_day/links"
    address = journey.api.get(path)["extra_links"]["Report of the day"]
    picture = f"{address}completeness.png"
    assert {401} == {requests.request("GET", one, timeout=30).status_code for one in (address, picture)}
    assert f"Recordings of {MONDAY}" in journey.api.page(address).text
    assert journey.bucket.body(f"reports/date={MONDAY}/completeness.png") == journey.api.page(picture).content


def test_second_run_downloads_nothing(second):
    """The lake has it all: no media is asked for and no job submitted."""
    run, media, calls, _ = second
    assert ("success", 0) == (run.state, media)
    assert [] == [line for line in calls if "batchrequests" in line]


def test_second_run_changes_no_object(after_first, second):
    """Keys, ETags and times of the last change are those of the first run."""
    _, _, _, listing = second
    assert after_first == listing


def test_cleared_archive_task_finds_its_work_done(journey, monday, after_first, second):
    """Clearing the archiving of one shard ends well, with nothing downloaded or written again."""
    assert second
    sandbox = journey.to("ordinary")
    sandbox.journal.clear()
    cleared, run = journey.clear(monday, "export_shard.archive_batches", 0, downstream=False)
    assert (["export_shard.archive_batches"], "success") == (cleared, run.state)
    assert [2, 1] == [run.task("export_shard.archive_batches", index)["try_number"] for index in (0, 1)]
    assert 0 == media_calls(sandbox)
    assert after_first == journey.bucket.listing()


def test_cleared_submission_finds_its_jobs_again(journey, monday, after_first, second):
    """Clearing a shard from its submission on submits nothing twice, and ends well."""
    assert second
    sandbox = journey.to("ordinary")
    sandbox.journal.clear()
    cleared, run = journey.clear(monday, "export_shard.submit_batches", 1, downstream=True)
    assert {f"export_shard.{name}_batches" for name in ("submit", "wait_for", "archive")} < set(cleared)
    # What nobody asked for, such as copies, is skipped.
    assert ("success", {"success", "skipped"}) == (run.state, set().union(*run.states().values()))
    assert [1, 2] == [run.task("export_shard.submit_batches", index)["try_number"] for index in (0, 1)]
    assert (0, None) == (media_calls(sandbox), api_calls(sandbox).get("POST /api/v2/recording/batchrequests"))
    assert after_first == journey.bucket.listing()
