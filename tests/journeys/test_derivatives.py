"""Copies: of a day that was archived before, made from the bucket; and under the guide's contract, by Genesys."""

from __future__ import annotations

import io
from datetime import date

import pytest
import soundfile

from include.lake.key_reading import DerivedKey, MediaKey
from tests.journeys.organisations import COPIED, MONDAY, api_calls, media_calls

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def derived(monday, journey):
    """Monday again, this time as MP3 with one channel: the run, what it fetched, and the bucket before and after."""
    assert "success" == monday.state
    sandbox = journey.to("ordinary")
    before = journey.bucket.listing()
    sandbox.journal.clear()
    run = journey.run(start_date=MONDAY, output_format="mp3", channels="mono")
    return run, media_calls(sandbox), before, journey.bucket.listing()


def playable(journey, key):
    """Return format and channels of an object that libsndfile can open."""
    found = soundfile.info(io.BytesIO(journey.bucket.body(key)))
    return found.format, found.channels


def test_run_is_green_and_fetches_nothing(derived):
    """The originals are in the bucket; Genesys is asked for no recording."""
    run, fetched, *_ = derived
    assert ("success", {"success"}) == (run.state, run.states()["make_derivatives"])
    assert 0 == fetched


def test_every_recording_of_the_day_has_a_copy(derived, journey):
    """One for each original that is no such MP3 already, playable; the counts travel through XCom."""
    run, _, before, after = derived
    originals = {item["sha256"]: item["key"] for item in journey.bucket.archived_items(MONDAY)}
    copies = {key: DerivedKey.parse(key) for key in after.keys() - before.keys() if key.endswith(".mp3")}
    without = originals.keys() - {parsed.source_sha256 for parsed in copies.values()}
    assert {parsed.source_sha256 for parsed in copies.values()} <= originals.keys()
    assert {("MP3", 1)} >= {playable(journey, originals[sha256]) for sha256 in without}
    counts = run.xcoms()["make_derivatives", 0, "return_value"]
    assert [counts] == run.xcoms()["report_derivatives", -1, "return_value"]
    assert len(copies) == counts["made"]
    assert ("MP3", 1) == playable(journey, min(copies))


def test_originals_stand_as_they_stood(derived):
    """Nothing below ``media/`` was written, touched or removed."""
    *_, before, after = derived
    assert {key: value for key, value in before.items() if MediaKey.parse(key)} == {
        key: value for key, value in after.items() if MediaKey.parse(key)
    }


@pytest.fixture(scope="module")
def rendered(journey):
    """A day under the guide's contract that is archived and wanted as WAV in one run, and what the sandbox heard."""
    sandbox = journey.to("copied")
    run = journey.run(start_date=COPIED, output_format="wav")
    formats = [job.output_format for job in sandbox.world.jobs._jobs.values()]
    return run, formats, sandbox


def documents(journey, rendition):
    """Return what stands beside the copies of the day, by the SHA-256 of the original."""
    keys = [key for key in journey.bucket.listing("derived/") if f"date={COPIED}/" in key and f"/{rendition}-" in key]
    found = [journey.bucket.document(key) for key in keys if key.endswith(".metadata.json")]
    return {item["derived_from"]["sha256"]: item for item in found}


def test_guide_archives_the_original_and_then_asks_for_the_copy(rendered, journey):
    """The first job names no format, the second does; the day's parts are the source's own bytes."""
    run, formats, sandbox = rendered
    assert ("success", {"success"}) == (run.state, run.states()["make_derivatives"]), run.log("make_derivatives", 0)
    assert [None, "WAV"] == formats
    truth = sandbox.truth(date.fromisoformat(COPIED))
    archived = {item["sha256"] for item in journey.bucket.archived_items(COPIED)}
    assert {part.sha256 for part in truth.archived_parts()} == archived
    assert truth.counts == journey.bucket.report(COPIED)["conversations"]


def test_what_genesys_renders_stands_beside_its_original(rendered, journey):
    """With its own digest, a link to the source, and who speaks on which channel; the rest was made here."""
    run, *_ = rendered
    found = documents(journey, "wav-original")
    originals = {item["sha256"]: item for item in journey.bucket.archived_items(COPIED)}
    digests = journey.bucket.sha256_by_key(f"derived/org={journey.organisations['copied'].org_id}/date={COPIED}/")
    by_genesys = [item for item in found.values() if item["transcoder"] == {"name": "genesys_cloud"}]
    counts = run.xcoms()["make_derivatives", 0, "return_value"]
    assert (counts["made"], counts["rendered"]) == (len(found), len(by_genesys))
    assert counts["rendered"] > 0
    for item in by_genesys:
        original = originals[item["derived_from"]["sha256"]]
        media = journey.bucket.document(original["metadata_key"])["media"]
        assert original["key"] == item["derived_from"]["key"]
        assert item["media"]["sha256"] == digests[item["media"]["key"]]
        assert media["channel_roles"] == item["media"]["channel_roles"]
        assert ("WAV", media["channels"]) == (item["source"]["requested_format"], item["media"]["channels"])
    assert "WAV" == playable(journey, by_genesys[0]["media"]["key"])[0]


def test_mono_of_the_same_day_is_made_here(rendered, journey):
    """The guide's request has no field for channels: nothing is submitted or fetched, and each copy has one channel."""
    *_, sandbox = rendered
    sandbox.journal.clear()
    run = journey.run(start_date=COPIED, output_format="mp3", channels="mono")
    assert ("success", {"success"}) == (run.state, run.states()["make_derivatives"]), run.log("make_derivatives", 0)
    assert (0, 0) == (media_calls(sandbox), api_calls(sandbox).get("POST /api/v2/recording/batchrequests", 0))
    found = documents(journey, "mp3-mono")
    assert len(found) == run.xcoms()["make_derivatives", 0, "return_value"]["made"] > 0
    assert {(1, ("both",))} == {
        (item["media"]["channels"], tuple(item["media"]["channel_roles"])) for item in found.values()
    }
    assert ("MP3", 1) == playable(journey, min(item["media"]["key"] for item in found.values()))
