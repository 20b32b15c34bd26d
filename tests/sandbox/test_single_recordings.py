"""Single recordings (202 while transcoding), settings, and recording bulk jobs."""

from __future__ import annotations

import io
import time

import pytest
import soundfile

from tests.sandbox.conftest import DAY, INTERVAL, details_query, started

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


def sound(client, answer, key):
    """Return the samples of one of the files that an answer names."""
    return soundfile.read(io.BytesIO(client.media(answer["mediaUris"][key]["mediaUri"]).content), always_2d=True)[0]


def path_of(recording):
    """Return the path of a recording."""
    return f"/api/v2/conversations/{recording.conversation_id}/recordings/{recording.id}"


def test_playback_gives_each_channel_and_download_both():
    """0 and 1 are what S has on its two channels, sample for sample; a recording in mono has one key."""
    with started(conversations=30, audio_seconds=(2, 3), job_seconds=0.0) as (sandbox, client):
        recordings = [one for call in sandbox.tenant.day(DAY) for one in call.recordings if one.outcome == "archived"]
        both = {one.parts[0].channels: one for one in recordings}
        path = path_of(both[2])
        apart = when_ready(client, f"{path}?formatId=WAV").json()
        merged = when_ready(client, f"{path}?formatId=WAV&download=true").json()
        assert (["0", "1"], ["S"]) == (sorted(apart["mediaUris"]), list(merged["mediaUris"]))
        whole = sound(client, merged, "S")
        for channel in (0, 1):
            alone = sound(client, apart, str(channel))
            assert (1, whole[:, channel].tolist()) == (alone.shape[1], alone[:, 0].tolist())
        assert ["0"] == list(when_ready(client, f"{path_of(both[1])}?formatId=WAV").json()["mediaUris"])


def test_a_recording_of_several_results_is_merged():
    """As long as its parts together, also as the source keeps it."""
    with started(conversations=12, scenario="varied", audio_seconds=(4, 4), job_seconds=0.0) as (sandbox, client):
        recordings = [one for call in sandbox.tenant.day(DAY) for one in call.recordings if len(one.parts) > 1]
        answer = client.get(f"{path_of(recordings[0])}?formatId=NONE&download=true").json()
        data = client.media(answer["mediaUris"]["S"]["mediaUri"]).content
        assert recordings[0].seconds == pytest.approx(soundfile.info(io.BytesIO(data)).duration, abs=0.06)


def test_list_waits_as_long_as_it_is_told():
    """202 without a body when that was too short; the default is long enough for a rendering here."""
    with started(conversations=6, scenario="clean", audio_seconds=(1, 1), job_seconds=0.3) as (sandbox, client):
        path = path_of(next(call.recordings[0] for call in sandbox.tenant.day(DAY))).rpartition("/")[0]
        early = client.get(f"{path}?formatId=MP3&maxWaitMs=1")
        assert (202, b"") == (early.status_code, early.content)
        assert 200 == client.get(f"{path}?formatId=MP3").status_code
        assert [400, 400] == [client.get(f"{path}?maxWaitMs={text}").status_code for text in ("0", "x")]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("formatId=FLAC&mediaFormats=WAV", 400),
        ("mediaFormats=NONE", 400),
        ("emailFormatId=ZIP", 400),
        ("chatFormatId=ZIP&messageFormatId=NONE&emailFormatId=EML&formatId=NONE", 200),
    ],
)
def test_values_are_those_of_the_published_operation(client, truth, query, status):
    """Enumerations are checked; mediaFormats has no NONE."""
    assert status == client.get(f"{plain_path(truth)}?{query}").status_code


def test_mediaformats_override_the_format(client, truth):
    """The first of them is rendered."""
    answer = when_ready(client, f"{plain_path(truth)}?formatId=NONE&mediaFormats=MP3&mediaFormats=WAV&download=true")
    assert "/MP3?" in answer.json()["mediaUris"]["S"]["mediaUri"]


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
