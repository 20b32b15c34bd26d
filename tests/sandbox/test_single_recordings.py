"""Single recordings (202 while transcoding), settings, and recording bulk jobs."""

from __future__ import annotations

import io
import time

import pytest
import soundfile

from tests.sandbox.conftest import INTERVAL, details_query, started

JOBS = "/api/v2/recording/jobs"


def plain_path(truth):
    """Return the path of one ordinary recording."""
    each = next(item for item in truth.conversations if item.profile == "plain")
    return f"/api/v2/conversations/{each.conversation_id}/recordings/{each.parts[0].recording_id}"


def when_ready(client, path, seconds=5):
    """Ask until the answer is no longer 202."""
    end = time.monotonic() + seconds
    while (answer := client.get(path)).status_code == 202 and time.monotonic() < end:
        time.sleep(0.02)
    return answer


@pytest.mark.parametrize(("form", "magic"), [("WAV", "RIFF"), ("MP3", ("ID3", "\xff"))])
def test_rendering_takes_a_second_ask(client, truth, form, magic):
    """The first ask is 202 with an estimate; then one merged file under S, of the size and format promised."""
    path = f"{plain_path(truth)}?formatId={form}&download=true"
    first = client.get(path)
    assert (202, True) == (first.status_code, "estimatedTranscodeTimeMs" in first.json())
    ready = when_ready(client, path).json()
    data = client.media(ready["mediaUris"]["S"]["mediaUri"]).content
    assert ready["outputSizeInBytes"] == len(data)
    assert data.decode("latin-1").startswith(magic)
    assert soundfile.read(io.BytesIO(data))[0].size


def test_original_needs_no_rendering(client, truth):
    """With formatId=NONE the stored bytes are there at once."""
    answer = client.get(f"{plain_path(truth)}?formatId=NONE&download=true")
    assert answer.status_code == 200
    assert client.media(answer.json()["mediaUris"]["S"]["mediaUri"]).status_code == 200


def test_unplayable_recordings_have_no_media(client, truth):
    """A deleted recording answers with its state and null mediaUris; unknown ones are 404."""
    each = next(item for item in truth.conversations if item.profile == "deleted")
    base = f"/api/v2/conversations/{each.conversation_id}/recordings"
    answer = client.get(f"{base}/{each.parts[0].recording_id}").json()
    assert ("DELETED", None) == (answer["fileState"], answer["mediaUris"])
    assert client.get(f"{base}/nobody").json()["code"] == "recording.recording.not.found"
    assert client.get("/api/v2/conversations/nobody/recordings").json()["code"] == "conversation.not.found"
    assert client.get(f"{base}?formatId=FLAC").status_code == 400


def test_settings_state_the_url_lifetime():
    """The batch URL lifetime is given in minutes."""
    with started(url_ttl_seconds=600, conversations=0) as (_, client):
        assert client.get("/api/v2/recording/settings").json()["recordingBatchDownloadUrlTtl"] == 10


def test_bulk_jobs_walk_their_states():
    """PENDING, READY, PROCESSING on request, FULFILLED; two at once, no more; a cancelled one is CANCELLED."""
    with started(conversations=30, job_seconds=0.2) as (_, client):
        query = details_query()
        query.pop("paging")
        body = {
            "action": "EXPORT",
            "actionDate": "2030-01-01T00:00:00Z",
            "integrationId": "i",
            "conversationQuery": query,
        }
        jobs = [client.post(JOBS, body) for _ in range(3)]
        assert [202, 202, 409] == [job.status_code for job in jobs]
        path = f"{JOBS}/{jobs[0].json()['id']}"
        assert client.call("PUT", path, json={"state": "PROCESSING"}).status_code == 400
        states = [client.get(path).json()["state"]]
        end = time.monotonic() + 5
        while states[-1] != "FULFILLED" and time.monotonic() < end:
            time.sleep(0.02)
            if states[-1] == "READY":
                client.call("PUT", path, json={"state": "PROCESSING"})
            states.append(client.get(path).json()["state"])
        assert ["PENDING", "READY", "PROCESSING", "FULFILLED"] == sorted(set(states), key=states.index)
        assert client.get(path).json()["totalProcessedRecordings"] > 10
        assert client.call("DELETE", path).status_code == 204
        assert client.get(path).json()["state"] == "CANCELLED"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "EXPORT", "actionDate": "x", "conversationQuery": {"interval": INTERVAL}},
        {"action": "DELETE", "conversationQuery": {"interval": INTERVAL}},
        {"action": "DELETE", "actionAge": 3},
    ],
    ids=["no action", "export without integration", "no date", "no query"],
)
def test_incomplete_bulk_jobs_are_400(client, body):
    """What the published model requires is required."""
    assert client.post(JOBS, body).status_code == 400
