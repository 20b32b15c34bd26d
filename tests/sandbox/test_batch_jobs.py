"""Batch requests of the platform contract: acceptance, ripening, results, and who may see them."""

from __future__ import annotations

from hashlib import sha256

import pytest
import requests

from tests.sandbox.conftest import DAY, Client, started

PATH = "/api/v2/recording/batchrequests"


def of_profile(truth, *profiles):
    """Return the truth of the first conversation of each profile."""
    return [next(each for each in truth.conversations if each.profile == profile) for profile in profiles]


def test_every_result_is_as_the_truth_says(client, truth):
    """A day's batches deliver, byte for byte, every part the truth expects, and an error for each of the others."""
    got, errors = {}, set()
    ids = [each.conversation_id for each in truth.conversations]
    for start in range(0, len(ids), 100):
        for result in client.finished(client.submit(ids[start : start + 100]))["results"]:
            if "errorMsg" in result:
                errors.add((result["conversationId"], result.get("recordingId")))
                continue
            answer = client.media(result["resultUrl"])
            assert result["contentType"] == answer.headers["Content-Type"]
            got.setdefault(result["recordingId"], []).append(sha256(answer.content).hexdigest())
    parts = [(each.conversation_id, part) for each in truth.conversations for part in each.parts]
    expected = {}
    for _, part in parts:
        if part.sha256:
            expected.setdefault(part.recording_id, []).append(part.sha256)
    assert expected == got
    unserved = {
        (each, part.recording_id) for each, part in parts if part.outcome in {"deleted_at_source", "archived_at_source"}
    }
    bare = {(each.conversation_id, None) for each in truth.conversations if each.outcome == "no_recording"}
    assert unserved | bare == errors


def test_restricted_is_silently_absent(client, truth):
    """A sensitive conversation yields no result at all; its metadata is 403."""
    (hidden,) = of_profile(truth, "restricted")
    status = client.finished(client.submit([hidden.conversation_id]))
    assert ([], 0) == (status["results"], status["expectedResultCount"])
    refused = client.get(f"/api/v2/conversations/{hidden.conversation_id}/recordingmetadata")
    assert (403, "recording.recording.view.permission.check.failed") == (refused.status_code, refused.json()["code"])


def test_metadata_tells_apart_what_the_batch_does_not(client, truth):
    """The file state says deleted or archived; a conversation without recordings answers an empty list."""
    states = []
    for each in of_profile(truth, "deleted", "archived", "no_recording", "half_deleted"):
        answer = client.get(f"/api/v2/conversations/{each.conversation_id}/recordingmetadata").json()
        states.append([entry["fileState"] for entry in answer])
    assert [["DELETED"], ["ARCHIVED"], [], ["AVAILABLE", "DELETED"]] == states


def test_one_recording_may_have_two_results(client, truth):
    """Two results share a recording id and differ in bytes."""
    (twice,) = of_profile(truth, "two_results")
    results = client.finished(client.submit([twice.conversation_id]))["results"]
    assert len(results) == 2
    assert len({result["recordingId"] for result in results}) == 1
    assert len({client.media(result["resultUrl"]).content for result in results}) == 2


def test_item_may_name_one_recording(client, truth):
    """An item with both ids delivers that recording only; a wrong one is an error result."""
    (each,) = of_profile(truth, "two_recordings")
    wanted = each.parts[1].recording_id
    body = {"batchDownloadRequestList": [{"conversationId": each.conversation_id, "recordingId": wanted}]}
    results = client.finished(client.post(PATH, body).json()["id"])["results"]
    assert [wanted] == [result["recordingId"] for result in results]
    body["batchDownloadRequestList"][0]["recordingId"] = each.conversation_id
    assert "errorMsg" in client.finished(client.post(PATH, body).json()["id"])["results"][0]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "batch.download.bad.request"),
        ({"batchDownloadRequestList": []}, "batch.download.bad.request"),
        ({"batchDownloadRequestList": [{}]}, "batch.download.bad.request"),
        ({"batchDownloadRequestList": [{"conversationId": "x", "format": "WAV"}]}, "batch.download.bad.request"),
        ({"batchDownloadRequestList": [{"conversationId": "x"}] * 101}, "batch.download.too.many.items"),
        (
            {"batchDownloadJobSubmissionQuery": {"batchDownloadJobSignatures": [{"conversationId": "x"}]}},
            "batch.download.bad.request",
        ),
    ],
    ids=["nothing", "empty", "no id", "unknown field", "101 items", "the guide's body"],
)
def test_bad_submissions_are_400(client, body, code):
    """Each refusal has the published code; the guide's body shape is one of them."""
    refused = client.post(PATH, body)
    assert (400, code) == (refused.status_code, refused.json()["code"])


def test_hundred_items_are_accepted(client):
    """The limit itself passes, and unknown conversations come back as errors without a recording id."""
    status = client.finished(client.submit([f"unknown-{number}" for number in range(100)]))
    assert (100, 100) == (status["resultCount"], status["errorCount"])
    assert not [result for result in status["results"] if result.get("recordingId")]


def test_job_belongs_to_its_client():
    """Another OAuth client is refused, a new token of the same client is not; unknown jobs are 404."""
    with started(extra_clients=(("other", "secret"),)) as (sandbox, client):
        job = client.submit(["unknown"])
        refused = Client(sandbox, client.session, "other", "secret").get(f"{PATH}/{job}")
        assert (403, "batch.download.permission.denied") == (refused.status_code, refused.json()["code"])
        assert Client(sandbox, client.session).get(f"{PATH}/{job}").status_code == 200
        assert client.get(f"{PATH}/nobody").json()["code"] == "batch.download.job.not.found"


def test_job_ripens_with_moving_counts():
    """Counts agree early while InProgress, the expected count moves both ways, partial results come before the end."""
    with started(job_seconds=0.6) as (sandbox, client):
        ids = [each.conversation_id for each in sandbox.truth(DAY).conversations]
        job, seen = client.submit(ids), []
        while not seen or seen[-1]["status"] != "Completed":
            seen.append(client.status(job))
            assert len(seen) < 3000
        first, last = seen[0], seen[-1]
        expected = [status["expectedResultCount"] for status in seen]
        assert first["resultCount"] == first["expectedResultCount"] < last["expectedResultCount"]
        assert last["expectedResultCount"] == last["resultCount"] == len(last["results"])
        assert max(expected) > expected[-1]
        assert [status for status in seen if 0 < len(status["results"]) < len(last["results"])]


def test_same_asks_give_the_same_jobs():
    """Job ids depend on what was asked and how often, not on the run."""
    runs = []
    for _ in range(2):
        with started(conversations=5) as (sandbox, client):
            ids = [each.id for each in sandbox.tenant.day(DAY)]
            runs.append([client.submit(ids), client.submit(ids)])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 2


def test_stuck_scenario_jams_only_the_job_that_names_the_culprit():
    """The job with the stuck conversation delivers everything else and never completes; without it, the job does."""
    with started(scenario="stuck", conversations=30) as (sandbox, client):
        truth = sandbox.truth(DAY)
        culprit = next(each.conversation_id for each in truth.conversations if each.outcome == "pending")
        others = [each.conversation_id for each in truth.conversations if each.conversation_id != culprit]
        jammed = client.submit([culprit, *others])
        polls = [client.status(jammed) for _ in range(5)]
        assert {"InProgress"} == {poll["status"] for poll in polls}
        assert set(others) == {result["conversationId"] for result in polls[-1]["results"]}
        assert client.finished(client.submit(others))["status"] == "Completed"


def test_late_recordings_land_after_a_submission_or_on_request():
    """A late recording is UPLOADING until asked for again, or until the control route lets all of them land."""
    with started(scenario="late", conversations=40) as (sandbox, client):
        late = [each.conversation_id for each in sandbox.truth(DAY).conversations if each.outcome == "pending"]
        first = client.finished(client.submit(late[:1]))["results"][0]
        metadata = client.get(f"/api/v2/conversations/{late[0]}/recordingmetadata").json()
        second = client.finished(client.submit(late[:1]))["results"][0]
        assert "errorMsg" in first
        assert metadata[0]["fileState"] == "UPLOADING"
        assert "resultUrl" in second
        assert sandbox.truth(DAY).counts["pending"] == len(late) - 1
        client.session.post(sandbox.api_base_url + "/sandbox/late", json={"landed": True}, timeout=10)
        assert "pending" not in sandbox.truth(DAY).counts


def test_lost_reply_leaves_an_orphan_job():
    """The connection breaks after the batch was accepted; asking again gives another job."""
    with started(faults=("batch-lost-reply",)) as (sandbox, client):
        with pytest.raises(requests.exceptions.ConnectionError):
            client.submit(["x"])
        assert client.finished(client.submit(["x"]))["resultCount"] == 1
        assert len(sandbox.world.jobs) == 2


def test_poisoned_id_refuses_its_whole_batch():
    """A batch with the poisoned id is 400, others pass."""
    with started(faults=("batch-poisoned-id:match=poison",)) as (_, client):
        body = {"batchDownloadRequestList": [{"conversationId": "fine"}, {"conversationId": "poison"}]}
        assert client.post(PATH, body).status_code == 400
        assert client.submit(["fine"])


def test_urls_are_resigned_unless_minted_once():
    """Every poll signs anew (a second later the URL differs); with the switch on it stays the first one."""
    with started(faults=("batch-urls-minted-once",)) as (sandbox, client):
        plain = next(each for each in sandbox.truth(DAY).conversations if each.profile == "plain")
        job = client.submit([plain.conversation_id])
        urls = {client.finished(job)["results"][0]["resultUrl"] for _ in range(3)}
        assert len(urls) == 1
        assert sandbox.world.jobs.get(job).urls
