"""Copies of a day that was archived before: made from the bucket, with nothing fetched from Genesys."""

from __future__ import annotations

import io

import pytest
import soundfile

from include.lake.key_reading import DerivedKey, MediaKey
from tests.journeys.organisations import MONDAY, media_calls

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
    assert len(copies) == run.xcoms()["make_derivatives", -1, "return_value"][0]["made"]
    assert ("MP3", 1) == playable(journey, min(copies))


def test_originals_stand_as_they_stood(derived):
    """Nothing below ``media/`` was written, touched or removed."""
    *_, before, after = derived
    assert {key: value for key, value in before.items() if MediaKey.parse(key)} == {
        key: value for key, value in after.items() if MediaKey.parse(key)
    }
