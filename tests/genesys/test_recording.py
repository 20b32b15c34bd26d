"""Batch jobs and recording metadata, under either contract."""

from __future__ import annotations

from functools import partial

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
from include.genesys.contract import read_batch_status
from include.genesys.models import Contract, RecordingResult
from include.genesys.recording import groups_of
from include.secret import PresignedUrl
from tests.genesys.scripted_server import BATCHES, Reply, error, items_of, uuid
from tests.genesys.test_conversation import JSON

HUNDRED = [uuid(number) for number in range(1, 101)]
status_of = partial(read_batch_status, "job-1")


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


def test_a_job_in_progress_is_not_completed_however_equal_its_counts(client, genesys):
    """``status`` speaks before the counters do."""
    for expected, done in ((0, 0), (40, 40), (100, 40)):
        genesys.jobs["job-1"] = {"status": "InProgress", "expectedResultCount": expected, "resultCount": done}
        status = client.batch_status("job-1")
        assert (False, expected, done) == (status.completed, status.expected_count, status.result_count)
    genesys.jobs["job-1"] = {"status": "Completed", "expectedResultCount": 3, "resultCount": 5, "errorCount": 2}
    assert (True, 2) == (client.batch_status("job-1").completed, client.batch_status("job-1").error_count)


@pytest.mark.parametrize(
    ("status", "completed"),
    [
        ("Completed", True),
        ("COMPLETED", True),
        ("InProgress", False),
        ("Paused", False),
        (None, None),
        ("", None),
        (7, None),
    ],
)
def test_only_completed_means_completed(status, completed):
    """A state newer than this code is not an end; without a state only the counters speak."""
    assert completed is status_of({"status": status}).completed


def test_results_of_the_platform_are_one_per_file():
    """Each holds a URL or an error; several may belong to one recording."""
    status = status_of(
        {
            "status": "Completed",
            "results": [
                {
                    "conversationId": uuid(1),
                    "recordingId": uuid(2),
                    "resultUrl": "https://m/a?s=1",
                    "contentType": "audio/ogg",
                },
                {
                    "conversationId": uuid(1),
                    "recordingId": uuid(2),
                    "resultUrl": "https://m/b?s=1",
                    "contentType": "audio/ogg",
                },
                {"conversationId": uuid(3), "recordingId": None, "errorMsg": "not found"},
                None,
            ],
        }
    )
    assert (
        RecordingResult(uuid(1), uuid(2), PresignedUrl("https://m/a?s=1"), "audio/ogg"),
        RecordingResult(uuid(1), uuid(2), PresignedUrl("https://m/b?s=1"), "audio/ogg"),
        RecordingResult(uuid(3), None, None, None, "not found"),
    ) == status.results


def test_the_one_url_of_the_guide_is_one_result_for_all():
    """It names neither conversation nor recording: the archive inside does."""
    status = status_of({"jobId": "x", "expectedResultCount": 2, "resultCount": 2, "resultUrl": "https://m/all.zip?s=1"})
    assert (RecordingResult(None, None, PresignedUrl("https://m/all.zip?s=1"), "application/zip"),) == status.results
    assert (None, True) == (status.completed, status.counts_agree)


@pytest.mark.parametrize(
    "address", ["https://[broken?sig=canary", "https://h:port/x?sig=canary", "no url", "file:///etc/passwd"]
)
def test_an_address_that_cannot_be_read_is_an_error_result(address):
    """It names no host to fetch from."""
    [result] = status_of({"results": [{"conversationId": uuid(1), "resultUrl": address}]}).results
    assert (None, "the result URL cannot be read") == (result.url, result.error_message)


def test_a_results_own_words_are_made_safe_to_show():
    """An error message may quote a signed URL."""
    [result] = status_of({"results": [{"errorMsg": "no https://h/x?X-Amz-Signature=canary\nfake"}]}).results
    assert "no https://h/x?*** fake" == result.error_message


@given(st.dictionaries(st.sampled_from(["status", "results", "resultUrl", "resultCount", "errorCount"]), JSON))
def test_any_job_body_is_read(body):
    """Nulls, negative counters and wrong types are tolerated."""
    status = status_of(body)
    assert min(status.expected_count, status.result_count, status.error_count) >= 0
    repr(status)


def test_a_job_that_is_gone_says_which(client, genesys):
    """404 and 410 mean: submit again."""
    for reply in (error(404, "batch.download.job.not.found"), error(410, "gone")):
        genesys.script(f"{BATCHES}/job-9", reply)
        with pytest.raises(RecordingGone) as caught:
            client.batch_status("job-9")
        assert "job-9" == caught.value.facts["job_id"]


def test_a_job_of_another_client_is_a_matter_for_a_person(client, genesys):
    """Jobs are readable only by who submitted them."""
    genesys.script(f"{BATCHES}/job-1", error(403, "batch.download.permission.denied"))
    with pytest.raises(NotAuthorised) as caught:
        client.batch_status("job-1")
    assert "batch.download.permission.denied" == caught.value.code


def test_any_other_refusal_stays_a_refusal(client, genesys):
    """Only 404 and 410 mean gone."""
    genesys.script(f"{BATCHES}/job-1", error(400, "x"))
    genesys.script(f"/api/v2/conversations/{uuid(1)}/recordingmetadata", error(400, "x"))
    with pytest.raises(RequestRejected):
        client.batch_status("job-1")
    with pytest.raises(RequestRejected):
        client.recording_metadata(uuid(1))


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


UPPER, LOWER = "0F8FAD5B-D9CB-469F-A165-70867728950E", "0f8fad5b-d9cb-469f-a165-70867728950e"


def test_ids_have_one_spelling_in_results_and_metadata(client, genesys):
    """A UUID in capitals is the same conversation and the same recording."""
    [result] = status_of({"results": [{"conversationId": UPPER, "recordingId": UPPER}]}).results
    assert (LOWER, LOWER) == (result.conversation_id, result.recording_id)
    genesys.recordings[uuid(1)] = [{"id": UPPER, "conversationId": UPPER}]
    [known] = client.recording_metadata(uuid(1))
    assert (LOWER, LOWER) == (known.conversation_id, known.recording_id)


@pytest.mark.parametrize("body", [None, {}, [None], [{}], [{"id": None}], "x"])
def test_metadata_that_cannot_be_read_is_not_no_recordings(client, genesys, body):
    """An empty or broken answer must never look like a deletion."""
    genesys.script(f"/api/v2/conversations/{uuid(1)}/recordingmetadata", *[Reply(202, body)] * 10)
    with pytest.raises(SourceUnavailable):
        client.recording_metadata(uuid(1))


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


def test_no_id_leaves_its_place_in_the_path(client, genesys):
    """A hostile id is one encoded segment."""
    with pytest.raises(RecordingGone):
        client.recording_metadata("../../oauth/token?x=1#")
    assert "/api/v2/conversations/..%2F..%2Foauth%2Ftoken%3Fx%3D1%23/recordingmetadata" == genesys.calls[-1].path
