"""One recording now on a real Airflow, under both contracts: waited for without a worker, archived, proven, once."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from demo.archive_run import wait_for_dag
from demo.options import SINGLE_DAG
from tests.journeys.organisations import SINGLE, SINGLE_GUIDE, media_calls

pytestmark = pytest.mark.journey
NO_DAY = "1970-01-01"
DOWNLOAD = "GET /api/v2/recording/media/{mediaId}/download"


def calls_of_one(sandbox, day, content_type):
    """Return the conversations whose only part is of this type."""
    truth = sandbox.truth(date.fromisoformat(day))
    alone = (item for item in truth.conversations if ["archived"] == [part.outcome for part in item.parts])
    return [item for item in alone if item.parts[0].content_type.startswith(content_type)]


def recording_of(sandbox, day):
    """Return conversation, recording and SHA-256 of an Ogg of one part, the only one of its conversation."""
    conversation = min(calls_of_one(sandbox, day, "audio/ogg"), key=lambda item: item.conversation_id)
    return conversation.conversation_id, conversation.parts[0].recording_id, conversation.parts[0].sha256


@pytest.fixture(scope="module")
def platform(journey):
    """A run that asks for a recording and for Genesys' own WAV of it, with what it was told to fetch."""
    wait_for_dag(journey.stack, SINGLE_DAG)
    sandbox = journey.to("single")
    conversation_id, recording_id, sha256 = recording_of(sandbox, SINGLE)
    wish = {"conversation_id": conversation_id, "recording_id": recording_id, "output_format": "wav"}
    return journey.single(**wish), wish, sha256


def items_of(journey, day, recording_id):
    """Return what the manifests of a day say of a recording that is archived, by part."""
    items = [item for item in journey.bucket.archived_items(day) if item["recording_id"] == recording_id]
    return sorted(items, key=lambda item: item["part"])


def test_original_and_rendering_are_archived_and_proven(platform, journey):
    """The wait was deferred; both are under the keys of the night, and the day's commit counts one of six."""
    run, wish, sha256 = platform
    assert "success" == run.state, run.log("confirm_recording")
    assert "The source is preparing it; asked again in" in run.log("request_recording")
    (original,) = items_of(journey, SINGLE, wish["recording_id"])
    assert sha256 == original["sha256"]
    owner = f"org={journey.organisations['single'].org_id}/date={SINGLE}/"
    assert [sha256] == [
        digest for key, digest in journey.bucket.sha256_by_key(f"media/{owner}").items() if "metadata" not in key
    ]
    (key,) = [key for key in journey.bucket.listing(f"derived/{owner}") if key.endswith(".metadata.json")]
    copy = journey.bucket.document(key)
    assert (original["key"], "audio/wav") == (copy["derived_from"]["key"], copy["media"]["media_type"])
    assert ("single", "WAV") == (copy["source"]["kind"], copy["source"]["requested_format"])
    summary = journey.bucket.document(f"commits/date={SINGLE}/v=00000001.json")["summary"]
    assert (6, {"archived": 1, "pending": 5}) == (summary["expected"], summary["conversations"])
    assert journey.bucket.listing(f"catalog/recordings/date={SINGLE}/")


def test_a_second_run_fetches_and_writes_nothing(platform, journey):
    """What the lake holds is recognised: the listing is the same, times included."""
    _, wish, _ = platform
    before = journey.bucket.listing()
    sandbox = journey.to("single")
    sandbox.journal.clear()
    again = journey.single(**wish)
    assert ("success", 0, before) == (again.state, media_calls(sandbox), journey.bucket.listing())


def test_guide_media_comes_from_the_api_host_with_our_token(journey):
    """By media id and the day of the call; fetched once, from the API's own host, and in the day's proof."""
    wait_for_dag(journey.stack, SINGLE_DAG)
    sandbox = journey.to("single-guide")
    conversation_id, media_id, _ = recording_of(sandbox, SINGLE_GUIDE)
    sandbox.journal.clear()
    run = journey.single(media_id=media_id, date=SINGLE_GUIDE)
    assert "success" == run.state, run.log("confirm_recording")
    calls = Counter(call.line for call in sandbox.journal)
    assert (1, 0) == (calls[DOWNLOAD], media_calls(sandbox))
    (item,) = items_of(journey, SINGLE_GUIDE, media_id)
    assert conversation_id == item["conversation_id"]
    assert "single" == journey.bucket.document(item["metadata_key"])["source"]["kind"]
    items = journey.bucket.items(SINGLE_GUIDE)
    assert {"", "original_outstanding"} == {item.get("reason", "") for item in items}


def test_a_media_id_alone_is_archived_where_no_call_is(journey):
    """Nobody says whose it is: it lies under a day of its own, in that day's proof and catalog."""
    wait_for_dag(journey.stack, SINGLE_DAG)
    sandbox = journey.to("single-guide")
    call = max(calls_of_one(sandbox, SINGLE_GUIDE, "audio/"), key=lambda item: item.conversation_id)
    media_id = call.parts[0].recording_id
    run = journey.single(media_id=media_id)
    assert "success" == run.state, run.log("confirm_recording")
    (item,) = items_of(journey, NO_DAY, media_id)
    assert f"/conversation={media_id}/recording={media_id}/" in item["key"]
    assert journey.bucket.listing(f"catalog/recordings/date={NO_DAY}/")
