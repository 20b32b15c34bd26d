"""What a batch job says of itself: how far it is, what it found, and that it is gone."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import NotAuthorised, RecordingGone, RequestRejected, SourceUnavailable
from include.genesys.answer import Malformed
from include.genesys.contract import read_batch_status
from include.genesys.json_fields import is_odd
from include.genesys.models import RecordingResult
from include.secret import PresignedUrl
from tests.genesys.scripted_server import BATCHES, ODD_NUMBERS, Reply, error, uuid
from tests.genesys.test_conversation import JSON

status_of = partial(read_batch_status, "job-1")


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
    """Nulls, negative counters and wrong types are tolerated; of the job itself no number that nobody can mean."""
    if any(is_odd(value) for value in body.values()):
        with pytest.raises(Malformed):
            status_of(body)
        return
    status = status_of(body)
    assert min(status.expected_count, status.result_count, status.error_count) >= 0
    repr(status)


@pytest.mark.parametrize("number", ODD_NUMBERS)
def test_a_number_that_nobody_can_mean_costs_its_own_result(client, genesys, number):
    """The other results of the job are as good as ever."""
    results = f'[{{"conversationId": "{uuid(1)}", "recordingId": {number}}}, {{"conversationId": "{uuid(2)}"}}]'
    genesys.script(f"{BATCHES}/job-1", Reply(200, f'{{"resultCount": 2, "results": {results}}}'.encode()))
    told = client.batch_status("job-1")
    assert [(uuid(1), None), (uuid(2), None)] == [(item.conversation_id, item.recording_id) for item in told.results]


@pytest.mark.parametrize("number", ODD_NUMBERS)
def test_a_counter_that_nobody_can_mean_is_named(client, genesys, number):
    """Read as zero, it would say that nothing is to be expected."""
    body = f'{{"status": "Completed", "expectedResultCount": {number}}}'.encode()
    genesys.script(f"{BATCHES}/job-1", *[Reply(200, body)] * 10)
    with pytest.raises(SourceUnavailable, match=r"GET /api/v2/recording/batchrequests/.* its expectedResultCount is"):
        client.batch_status("job-1")


@pytest.mark.parametrize("number", ODD_NUMBERS)
def test_a_number_that_nobody_can_mean_costs_its_own_field_of_the_metadata(client, genesys, number):
    """What is known of a recording is its id and its state, and of the others everything."""
    entries = f'[{{"id": "{uuid(2)}", "maxAllowedRecordings": {number}, "fileState": {number}}}, {{"id": "{uuid(3)}"}}]'
    genesys.script(f"/api/v2/conversations/{uuid(1)}/recordingmetadata", Reply(200, entries.encode()))
    assert [(uuid(2), None), (uuid(3), None)] == [
        (item.recording_id, item.file_state) for item in client.recording_metadata(uuid(1))
    ]


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


UPPER, LOWER = "0F8FAD5B-D9CB-469F-A165-70867728950E", "0f8fad5b-d9cb-469f-a165-70867728950e"


def test_ids_have_one_spelling_in_results_and_metadata(client, genesys):
    """A UUID in capitals is the same conversation and the same recording."""
    [result] = status_of({"results": [{"conversationId": UPPER, "recordingId": UPPER}]}).results
    assert (LOWER, LOWER) == (result.conversation_id, result.recording_id)
    genesys.recordings[uuid(1)] = [{"id": UPPER, "conversationId": UPPER}]
    [known] = client.recording_metadata(uuid(1))
    assert (LOWER, LOWER) == (known.conversation_id, known.recording_id)
