"""Batch jobs and recording metadata, under either contract."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import (
    ConfigurationError,
    NotAuthorised,
    RateLimited,
    RecordingGone,
    RequestRejected,
    SourceUnavailable,
)
from include.genesys.models import Contract
from include.genesys.recording import groups_of
from tests.genesys.scripted_server import BATCHES, Reply, error, items_of, uuid

HUNDRED = [uuid(number) for number in range(1, 101)]


@given(st.sets(st.text(max_size=4)), st.integers(1, 100), st.randoms())
def test_groups_partition_the_ids_the_same_way_every_time(ids, size, random):
    """The union is the input, no group is too large, and order and repeats do not matter."""
    groups = groups_of(ids, size)
    shuffled = [*ids, *ids]
    random.shuffle(shuffled)
    assert groups == groups_of(shuffled, size)
    assert sorted(ids) == [value for group in groups for value in group]
    assert all(1 <= len(group) <= size for group in groups)
    assert all(len(group) == size for group in groups[:-1])


def test_a_group_holds_at_least_one():
    """Size zero would never end."""
    with pytest.raises(ValueError, match="at least one"):
        groups_of(["a"], 0)


def test_a_platform_submission_is_the_published_body(client, genesys):
    """Sorted conversation ids, no format, no recording id."""
    assert "job-1" == client.submit_batch([uuid(2), uuid(1), uuid(2)])
    assert {"batchDownloadRequestList": [{"conversationId": uuid(1)}, {"conversationId": uuid(2)}]} == genesys.calls_to(
        BATCHES
    )[0].json


@pytest.mark.parametrize(
    ("output_format", "stated"),
    [(None, {}), ("original", {}), ("wav", {"outputFormat": "WAV"}), ("MP3", {"outputFormat": "MP3"})],
)
def test_a_guide_submission_is_the_guides_body(make_client, genesys, output_format, stated):
    """202 and ``jobId``, and an output format where one is asked for."""
    genesys.script(BATCHES, Reply(202, {"jobId": "job-7"}))
    assert "job-7" == make_client(contract=Contract.GUIDE).submit_batch([uuid(1)], output_format)
    assert {
        "batchDownloadJobSubmissionQuery": {"batchDownloadJobSignatures": [{"conversationId": uuid(1)}], **stated}
    } == genesys.calls_to(BATCHES)[0].json


@pytest.mark.parametrize("output_format", ["wav", "mp3", "flac", "../x"])
def test_a_format_the_contract_cannot_deliver_is_refused_before_any_call(client, genesys, output_format):
    """The published batch request has no format field."""
    with pytest.raises(ConfigurationError):
        client.submit_batch([uuid(1)], output_format)
    assert [] == genesys.calls


def test_a_batch_holds_one_to_a_hundred(client, genesys):
    """Nothing and 101 are refused here; 100 go."""
    for ids in ([], [*HUNDRED, uuid(101)]):
        with pytest.raises(RequestRejected, match="1 to 100"):
            client.submit_batch(ids)
    client.submit_batch(HUNDRED)
    assert 1 == len(genesys.calls) - 1


def lose_the_reply(handler) -> None:
    """Hang up after the request was taken."""


def test_a_lost_reply_is_submitted_again(client, genesys):
    """A second job costs quota, a lost batch costs recordings."""
    genesys.script(BATCHES, Reply(misbehave=lose_the_reply))
    assert "job-1" == client.submit_batch([uuid(1)])
    assert 2 == len(genesys.calls_to(BATCHES))


@pytest.mark.parametrize(
    "body", [None, {}, {"id": None}, {"id": ""}, {"id": "../x"}, {"id": "a" * 200}, {"jobId": 7}, []]
)
def test_an_acceptance_without_a_job_is_tried_three_times_at_most(client, genesys, body):
    """Each further try may start one more orphan job."""
    genesys.script(BATCHES, *[Reply(202, body)] * 10)
    with pytest.raises(SourceUnavailable):
        client.submit_batch([uuid(1)])
    assert 3 == len(genesys.calls_to(BATCHES))


def test_a_refusal_for_the_rate_is_no_lost_reply(client, genesys):
    """429 started nothing, so it may be repeated as often as any call."""
    genesys.script(BATCHES, *[error(429, "too.many.requests")] * 9)
    assert "job-1" == client.submit_batch([uuid(1)])
    genesys.script(BATCHES, *[error(429, "too.many.requests")] * 10)
    with pytest.raises(RateLimited):
        client.submit_batch([uuid(1)])


def covered(submitted) -> list[str]:
    """Return every id in a job, sorted."""
    return sorted(value for job in submitted.jobs for value in job.conversation_ids)


@pytest.mark.parametrize("position", [0, 1, 36, 49, 50, 98, 99])
@pytest.mark.parametrize("status", [400, 403, 404])
def test_one_poisoned_id_costs_itself(client, genesys, position, status):
    """It is found in eight more submissions; the other 99 are in exactly one job each."""
    bad = HUNDRED[position]
    genesys.poisoned = {bad: error(status, "batch.download.bad.request")}
    submitted = client.submit_batches(HUNDRED)
    assert (bad,) == submitted.poisoned
    assert (status, "batch.download.bad.request") == (submitted.refusals[0].status, submitted.refusals[0].code)
    assert [value for value in HUNDRED if value != bad] == covered(submitted)
    assert len(genesys.calls_to(BATCHES)) <= 1 + 7 + 1
    for job in submitted.jobs:
        assert list(job.conversation_ids) == genesys.jobs[job.job_id]["ids"]


def test_an_id_that_the_source_names_is_not_searched_for(client, genesys):
    """``details[].entityId`` says which one: one more submission and done."""
    body = {"code": "batch.download.bad.request", "details": [{"entityId": uuid(9)}, {"entityId": "other"}, 7]}
    genesys.poisoned = {uuid(9): Reply(400, body)}
    submitted = client.submit_batches(HUNDRED)
    assert ((uuid(9),), 99, 2) == (submitted.poisoned, len(covered(submitted)), len(genesys.calls_to(BATCHES)))


@given(bad=st.sets(st.integers(1, 100), max_size=5))
def test_any_few_poisoned_ids_are_found(bad):
    """Every conversation ends in exactly one job or among the refusals."""
    from include.genesys.batch_submission import submit_batches  # noqa: PLC0415 - one use
    from tests.genesys.refusing_door import RefusingDoor  # noqa: PLC0415 - one use

    poisoned = {uuid(number) for number in bad}
    submitted = submit_batches(RefusingDoor(poisoned), HUNDRED)
    assert sorted(poisoned) == list(submitted.poisoned)
    assert sorted(set(HUNDRED) - poisoned) == covered(submitted)


def test_a_request_that_is_wrong_as_a_whole_is_not_blamed_on_its_ids(client, genesys):
    """When everything is refused, it is a bug or a contract, and the search stops early."""
    genesys.poisoned = dict.fromkeys(HUNDRED, error(400, "batch.download.bad.request"))
    with pytest.raises(RequestRejected):
        client.submit_batches(HUNDRED)
    assert len(genesys.calls_to(BATCHES)) <= 60


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error(403, "missing.permissions"), NotAuthorised),
        (error(401, "bad.credentials"), NotAuthorised),
        (error(400, "batch.download.too.many.items"), RequestRejected),
        (error(413, "payload.too.large"), RequestRejected),
    ],
)
def test_what_no_smaller_batch_escapes_is_raised_at_once(client, genesys, reply, kind):
    """A missing permission is not searched for among the conversations."""
    genesys.script(BATCHES, reply, reply)
    with pytest.raises(kind):
        client.submit_batches(HUNDRED)
    assert len(genesys.calls_to(BATCHES)) <= 2


def test_batches_are_as_large_as_the_settings_say(client, genesys):
    """More than a hundred conversations become several jobs; none become no job."""
    submitted = client.submit_batches([*HUNDRED, uuid(101)])
    assert [100, 1] == [len(job.conversation_ids) for job in submitted.jobs]
    assert [100, 1] == [len(items_of(call.json)) for call in genesys.calls_to(BATCHES)]
    assert () == client.submit_batches([]).jobs


def test_metadata_tells_the_state_of_each_recording(client, genesys):
    """Known fields are typed, all fields kept."""
    entry = {
        "id": uuid(2),
        "conversationId": uuid(1),
        "media": "audio",
        "mediaSubtype": "Trunk",
        "fileState": "STATE_OF_TOMORROW",
        "sessionId": "s-1",
        "archiveDate": None,
    }
    genesys.recordings[uuid(1)] = [entry, {"id": uuid(3)}]
    first, second = client.recording_metadata(uuid(1))
    assert (uuid(2), "STATE_OF_TOMORROW", "audio", "Trunk", "s-1", entry) == (
        first.recording_id,
        first.file_state,
        first.media,
        first.media_subtype,
        first.session_id,
        first.raw,
    )
    assert (uuid(1), None) == (second.conversation_id, second.file_state)


@pytest.mark.parametrize("body", [None, {}, [None], [{}], [{"id": None}], "x"])
def test_metadata_that_cannot_be_read_is_not_no_recordings(client, genesys, body):
    """An empty or broken answer must never look like a deletion."""
    genesys.script(f"/api/v2/conversations/{uuid(1)}/recordingmetadata", *[Reply(202, body)] * 10)
    with pytest.raises(SourceUnavailable):
        client.recording_metadata(uuid(1))


def test_words_of_metadata_are_made_safe(client, genesys):
    """They stand in the report of the day: no signature of an address, and no line of their own."""
    said = "ERROR\nhttps://host/a?X-Amz-Signature=SECRET"
    entry = {"id": uuid(2), "fileState": said, "media": said}
    genesys.script(f"/api/v2/conversations/{uuid(1)}/recordingmetadata", Reply(body=[entry]))
    (found,) = client.recording_metadata(uuid(1))
    assert ["ERROR https://host/a?***"] * 2 == [found.file_state, found.media]


def test_a_conversation_without_recordings_has_none(client, genesys):
    """An empty list is an answer."""
    genesys.recordings[uuid(1)] = []
    assert () == client.recording_metadata(uuid(1))


def test_a_conversation_that_is_gone_says_which(client):
    """404 is an expected absence, with its id and code."""
    with pytest.raises(RecordingGone) as caught:
        client.recording_metadata(uuid(5))
    assert (uuid(5), 404, "conversation.not.found") == (
        caught.value.facts["conversation_id"],
        caught.value.status,
        caught.value.code,
    )


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize(
    "body", [b"<html>404 Not Found</html>", None, {"message": "no Route matched with those values"}]
)
def test_a_page_of_something_between_says_nothing_of_a_recording(client, genesys, status, body):
    """Each 404 of the published API has a code; one without is a gateway's, and a conversation is not gone by it."""
    genesys.script(f"/api/v2/conversations/{uuid(1)}/recordingmetadata", Reply(status, body))
    genesys.script(f"{BATCHES}/job-1", Reply(status, body))
    for ask, sought in ((client.recording_metadata, uuid(1)), (client.batch_status, "job-1")):
        with pytest.raises(SourceUnavailable, match="without a code") as caught:
            ask(sought)
        assert status == caught.value.status


def test_no_id_leaves_its_place_in_the_path(client, genesys):
    """A hostile id is one encoded segment."""
    with pytest.raises(RecordingGone):
        client.recording_metadata("../../oauth/token?x=1#")
    assert "/api/v2/conversations/..%2F..%2Foauth%2Ftoken%3Fx%3D1%23/recordingmetadata" == genesys.calls[-1].path
