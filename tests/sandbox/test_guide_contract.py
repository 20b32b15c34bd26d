"""The contract of the two guides: scope, 202 and jobId, counters, one zip, media by id."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from hashlib import sha256

import pytest
import soundfile

from include.sandbox.scenario import Outcome
from tests.sandbox.conftest import DAY, SCOPE, Client, started

PATH = "/api/v2/recording/batchrequests"
MEDIA = "/api/v2/recording/media"


@pytest.fixture(scope="module")
def guide():
    """A sandbox that speaks the guides' contract, with a small ordinary day."""
    with started(contract="guide", conversations=60, audio_seconds=(1, 5), rate_limit=10_000) as pair:
        yield pair


def zip_of(client, ids, **query):
    """Submit, wait, fetch and open the zip; return it with its metadata."""
    signatures = {"batchDownloadJobSignatures": [{"conversationId": each} for each in ids], **query}
    answer = client.post(PATH, {"batchDownloadJobSubmissionQuery": signatures})
    assert (202, {"jobId"}) == (answer.status_code, set(answer.json()))
    data = client.media(client.finished(answer.json()["jobId"])["resultUrl"]).content
    archive = zipfile.ZipFile(io.BytesIO(data))
    return archive, json.loads(archive.read("metadata.json"))


def test_token_echoes_its_scope_and_lives_half_an_hour(guide):
    """The scope is required, comes back, and the token lives 1,800 seconds."""
    _, client = guide
    granted = client.granted.json()
    assert (SCOPE, 1800) == (granted["scope"], granted["expires_in"])
    form = {"grant_type": "client_credentials"}
    credentials = (guide[0].client_id, guide[0].client_secret)
    refused = client.session.post(guide[0].login_base_url + "/oauth/token", auth=credentials, data=form, timeout=10)
    assert (400, "invalid_scope") == (refused.status_code, refused.json()["error"])


@pytest.mark.parametrize(
    "body",
    [
        {"batchDownloadRequestList": [{"conversationId": "x"}]},
        {"batchDownloadJobSubmissionQuery": {"batchDownloadJobSignatures": []}},
        {
            "batchDownloadJobSubmissionQuery": {
                "batchDownloadJobSignatures": [{"conversationId": "x", "recordingId": "y"}]
            }
        },
        {
            "batchDownloadJobSubmissionQuery": {
                "batchDownloadJobSignatures": [{"conversationId": "x"}],
                "outputFormat": "OGG",
            }
        },
    ],
    ids=["the platform's body", "empty", "recording id", "unknown format"],
)
def test_bad_submissions_are_400(guide, body):
    """The platform's body shape is refused, like everything the guide does not say."""
    refused = guide[1].post(PATH, body)
    assert (400, "batch.download.bad.request") == (refused.status_code, refused.json()["code"])


def test_zip_holds_every_part_and_accounts_for_the_rest(guide):
    """Every served part is a file with the truth's bytes; other conversations are errors, or silently restricted."""
    sandbox, client = guide
    truth = sandbox.truth(DAY)
    archive, index = zip_of(client, [each.conversation_id for each in truth.conversations])
    assert archive.testzip() is None
    expected = sorted(part.sha256 for each in truth.conversations for part in each.parts if part.sha256)
    assert expected == sorted(sha256(archive.read(row["fileName"])).hexdigest() for row in index["recordings"])
    assert {"metadata.json", *(row["fileName"] for row in index["recordings"])} == set(archive.namelist())
    accounted = {row["conversationId"] for row in (*index["recordings"], *index["errors"])}
    silent = {each.conversation_id for each in truth.conversations} - accounted
    assert {Outcome.RESTRICTED} == {each.outcome for each in truth.conversations if each.conversation_id in silent}


def test_zip_metadata_describes_the_call(guide):
    """Each row says who called whom, which agent, how long, and how big the file is."""
    sandbox, client = guide
    plain = next(each for each in sandbox.truth(DAY).conversations if each.profile == "plain")
    archive, index = zip_of(client, [plain.conversation_id])
    row = index["recordings"][0]
    call = sandbox.tenant.conversation(plain.conversation_id)
    names = {user.id: user.name for user in sandbox.tenant.directory.users}
    assert call.ani == f"tel:{row['ani']}"
    assert names[call.legs[0].user_id] == row["agentName"]
    assert plain.parts[0].duration_ms == row["durationMs"]
    assert len(archive.read(row["fileName"])) == row["sizeInBytes"]
    assert isinstance(row["tags"], list)


def test_zip_mixes_stored_and_deflated_members_and_is_repeatable(guide):
    """Compressed audio is stored, WAV and JSON are deflated; the same ask on another sandbox gives the same zip."""
    sandbox, client = guide
    ids = [each.conversation_id for each in sandbox.truth(DAY).conversations]
    archive, _ = zip_of(client, ids)
    methods = {member.filename.rpartition(".")[2]: member.compress_type for member in archive.infolist()}
    assert methods["ogg"] == methods["mp3"] == zipfile.ZIP_STORED
    assert methods["wav"] == methods["json"] == zipfile.ZIP_DEFLATED
    digests = []
    for _ in range(2):
        with started(contract="guide", conversations=6, audio_seconds=(1, 3)) as (other, again):
            job = again.submit([each.id for each in other.tenant.day(DAY)])
            digests.append(sha256(again.media(again.finished(job)["resultUrl"]).content).hexdigest())
    assert digests[0] == digests[1]


@pytest.mark.parametrize(("output_format", "magic"), [("WAV", b"RIFF"), ("MP3", (b"ID3", b"\xff"))])
def test_requested_format_is_delivered(guide, output_format, magic):
    """With outputFormat every audio file is of that format, as the truth for it says."""
    sandbox, client = guide
    truth = sandbox.truth(DAY, output_format)
    archive, index = zip_of(client, [each.conversation_id for each in truth.conversations], outputFormat=output_format)
    rows = [row for row in index["recordings"] if row["contentType"].startswith("audio/")]
    assert all(archive.read(row["fileName"]).startswith(magic) for row in rows)
    expected = {part.sha256 for part in truth.archived_parts()}
    assert expected == {sha256(archive.read(row["fileName"])).hexdigest() for row in rows}


def test_counts_agree_once_too_early():
    """There is no status field; the first equality comes without a resultUrl, the real one with it."""
    with started(contract="guide", conversations=20, job_seconds=0.4, audio_seconds=(1, 2)) as (sandbox, client):
        job, seen = client.submit([each.id for each in sandbox.tenant.day(DAY) if each.selected]), []
        while not seen or "resultUrl" not in seen[-1]:
            seen.append(client.status(job))
            assert len(seen) < 3000
        assert "status" not in seen[0]
        assert seen[0]["resultCount"] == seen[0]["expectedResultCount"] < seen[-1]["expectedResultCount"]
        assert seen[1]["resultCount"] < seen[1]["expectedResultCount"]


def test_zip_supports_ranges_and_corruption(guide):
    """The tail of the zip can be fetched alone; the fault spoils one byte, and a reader notices."""
    sandbox, client = guide
    plain = [each.conversation_id for each in sandbox.truth(DAY).conversations if each.profile == "plain"]
    url = client.finished(client.submit(plain))["resultUrl"]
    honest = client.media(url).content
    tail = client.media(url, headers={"Range": "bytes=-100"})
    assert (206, honest[-100:]) == (tail.status_code, tail.content)
    sandbox.faults.switch_on("zip-corrupt")
    spoiled = client.media(url).content
    sandbox.faults.switch_off()
    assert len(honest) == len(spoiled)
    archive = zipfile.ZipFile(io.BytesIO(spoiled))
    with pytest.raises((zipfile.BadZipFile, zlib.error)):
        list(map(archive.read, archive.namelist()))


def test_media_by_id_is_ranged_and_wants_the_token(guide):
    """Metadata states the exact size and a format the guide knows; the download has ranges and needs Bearer."""
    sandbox, client = guide
    for each in [each for each in sandbox.truth(DAY).conversations if each.profile == "plain"][:5]:
        facts = client.get(f"{MEDIA}/{each.parts[0].recording_id}").json()
        path = facts["downloadUrl"].removeprefix(sandbox.api_base_url)
        chunk, size = 10_000, facts["size"]
        data = b""
        for start in range(0, size, chunk):
            answer = client.get(path, headers={"Range": f"bytes={start}-{min(start + chunk, size) - 1}"})
            assert answer.status_code == 206
            data += answer.content
        assert facts["format"] in {"audio/wav", "audio/mpeg", "audio/x-wav"}
        assert size == len(data)
        assert soundfile.read(io.BytesIO(data))[0].size
        assert client.get(path, headers={"Range": f"bytes={size}-"}).status_code == 416
        assert client.session.get(facts["downloadUrl"], timeout=10).status_code == 401


def test_media_that_cannot_be_had_is_refused(guide):
    """Unknown and deleted media are 404, sensitive ones 403."""
    sandbox, client = guide
    found = {each.profile: each.parts[0].recording_id for each in sandbox.truth(DAY).conversations if each.parts}
    statuses = [client.get(f"{MEDIA}/{media}").status_code for media in ("x", found["deleted"], found["restricted"])]
    assert [404, 404, 403] == statuses


def test_everything_else_is_as_on_the_platform(guide):
    """Analytics, metadata and directory exist in both contracts."""
    sandbox, client = guide
    assert client.query().json()["totalHits"] >= len(sandbox.truth(DAY).conversations)
    assert Client(sandbox, client.session).get("/api/v2/users?pageSize=1").json()["total"] > 100
