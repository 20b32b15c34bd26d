"""Each declared fault does on the wire what its line in the catalogue says, where and as often as it is told."""

from __future__ import annotations

import gzip
import http.client
import time
from hashlib import sha256
from urllib.parse import urlsplit

import pytest
import requests

from include.sandbox.faults import CATALOGUE, Faults
from tests.sandbox.conftest import DAY, started

USERS = "/api/v2/users"


def raw_get(url, headers=None):
    """GET without any client-side judgement; return status, headers and whatever bytes came."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers or {})
        answer = connection.getresponse()
        try:
            body = answer.read()
        except http.client.IncompleteRead as cut:
            body = cut.partial
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("fault", "status", "code", "retry_after"),
    [
        ("api-429-storm:1,seconds=7", 429, "too.many.requests.retry.after", "7"),
        ("api-429-older-code", 429, "too.many.requests", None),
        ("api-500", 500, "internal.server.error", None),
        ("api-503-with-retry-after:seconds=3", 503, "service.unavailable", "3"),
        ("api-504", 504, "request.timeout", None),
    ],
    ids=["429", "429 older", "500", "503", "504"],
)
def test_api_errors_strike_once_and_are_over(client, fault, status, code, retry_after):
    """The call fails with an ErrorBody and its Retry-After, and the next one passes."""
    client.sandbox.faults.switch_on(fault)
    struck = client.get(USERS)
    assert (status, code) == (struck.status_code, struck.json()["code"])
    assert retry_after == struck.headers.get("Retry-After")
    assert client.get(USERS).status_code == 200


def test_api_storm_has_a_length(client):
    """Five 429 by default, then calm."""
    client.sandbox.faults.switch_on("api-429-storm")
    assert [429] * 5 + [200] == [client.get(USERS).status_code for _ in range(6)]


def test_faults_can_be_aimed_and_delayed(client):
    """``match`` spares other paths, also the token, and ``skip`` spares the first calls."""
    client.sandbox.faults.switch_on("api-500:match=/routing/queues,skip=1")
    assert client.get(USERS).status_code == 200
    assert [200, 500, 200] == [client.get("/api/v2/routing/queues").status_code for _ in range(3)]
    client.sandbox.faults.switch_on("api-500:match=/oauth/token")
    url = client.sandbox.login_base_url + "/oauth/token"
    assert client.session.post(url, data={}, timeout=10).status_code == 500


def test_api_connection_is_reset(client):
    """Instead of an answer, the connection is reset; the journal notes status 0."""
    client.sandbox.faults.switch_on("api-reset")
    with pytest.raises(requests.exceptions.ConnectionError, match=r"(?i)reset"):
        client.get(USERS)
    assert client.sandbox.journal.calls()[-1].status == 0


def test_api_json_is_cut(client):
    """The body stops in the middle under a fitting Content-Length: only the JSON tells."""
    client.sandbox.faults.switch_on("api-truncated-json")
    cut = client.get(USERS)
    assert cut.status_code == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        cut.json()
    assert client.get(USERS).json()["entities"]


def test_api_is_slow(client):
    """The answer waits for the seconds named."""
    client.sandbox.faults.switch_on("api-slow:1,seconds=0.3")
    began = time.monotonic()
    client.get(USERS)
    assert time.monotonic() - began >= 0.3


def test_metadata_is_forbidden(client, truth):
    """Only recordingmetadata is refused."""
    client.sandbox.faults.switch_on("metadata-403")
    conversation = truth.conversations[0].conversation_id
    refused = client.get(f"/api/v2/conversations/{conversation}/recordingmetadata")
    assert refused.json()["code"] == "recording.recording.view.permission.check.failed"


def test_batch_stuck_strikes_one_job():
    """The next job never completes, the one after does."""
    with started(faults=("batch-stuck",)) as (sandbox, client):
        ids = [each.id for each in sandbox.tenant.day(DAY) if each.selected]
        stuck, fine = client.submit(ids), client.submit(ids)
        last = [client.status(stuck) for _ in range(4)][-1]
        assert (True, "InProgress") == (0 < last["resultCount"] < last["expectedResultCount"], last["status"])
        assert client.finished(fine)["status"] == "Completed"


@pytest.mark.parametrize("span", [None, "bytes=1000-8999"], ids=["whole", "range"])
def test_media_truncated_promises_more_than_it_sends(client, audio_url, span):
    """Content-Length is right, half of it comes."""
    client.sandbox.faults.switch_on("media-truncated")
    _, headers, body = raw_get(audio_url[0], {"Range": span} if span else {})
    promised = 8000 if span else audio_url[1].size
    assert (promised, promised // 2) == (int(headers["content-length"]), len(body))


def test_media_short_lying_length_looks_complete(client, audio_url):
    """Length and body agree on half; only Content-Range tells."""
    client.sandbox.faults.switch_on("media-short-lying-length")
    status, headers, body = raw_get(audio_url[0], {"Range": "bytes=0-7999"})
    assert (206, 4000, "4000") == (status, len(body), headers["content-length"])
    assert headers["content-range"].startswith("bytes 0-7999/")


def test_media_ignores_ranges(client, audio_url):
    """200 and the whole body for a range request."""
    client.sandbox.faults.switch_on("media-ignores-range")
    status, headers, body = raw_get(audio_url[0], {"Range": "bytes=10-19"})
    assert (200, audio_url[1].size) == (status, len(body))
    assert "content-range" not in headers


def test_media_wrong_content_range(client, audio_url):
    """206 that starts a byte late, and says so."""
    client.sandbox.faults.switch_on("media-wrong-content-range")
    status, headers, body = raw_get(audio_url[0], {"Range": "bytes=10-19"})
    assert (206, 9, True) == (status, len(body), headers["content-range"].startswith("bytes 11-19/"))


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        ("media-html", 200, b"<!DOCTYPE html>"),
        ("media-expired-once", 403, b"Request has expired"),
        ("media-404", 404, b"NoSuchKey"),
        ("media-503", 503, b"SlowDown"),
    ],
)
def test_media_refusals_strike_once(client, audio_url, fault, status, text):
    """The refusal comes once, then the media."""
    client.sandbox.faults.switch_on(fault)
    struck = raw_get(audio_url[0])
    assert (status, True) == (struck[0], text in struck[2])
    assert audio_url[1].sha256 == sha256(raw_get(audio_url[0])[2]).hexdigest()


def test_media_etag_changes(client, audio_url):
    """No two answers share an ETag, so a pinned range is 412."""
    honest = raw_get(audio_url[0])[1]["etag"]
    client.sandbox.faults.switch_on("media-etag-changes")
    assert len({honest, *(raw_get(audio_url[0])[1]["etag"] for _ in range(3))}) == 4
    assert raw_get(audio_url[0], {"If-Match": honest})[0] == 412


def test_media_drips(client, audio_url):
    """The body comes complete, but slowly."""
    client.sandbox.faults.switch_on("media-slow-drip:1,seconds=0.1")
    began = time.monotonic()
    assert len(raw_get(audio_url[0], {"Range": "bytes=0-3071"})[2]) == 3072
    assert time.monotonic() - began >= 0.25


def test_media_connection_is_reset(client, audio_url):
    """The connection is reset in the middle of the body."""
    client.sandbox.faults.switch_on("media-reset")
    with pytest.raises(ConnectionResetError):
        raw_get(audio_url[0])


def test_media_comes_gzipped(client, audio_url):
    """The body is gzip-encoded though nobody asked; unpacked it is right."""
    client.sandbox.faults.switch_on("media-gzip")
    _, headers, body = raw_get(audio_url[0])
    assert headers["content-encoding"] == "gzip"
    assert audio_url[1].sha256 == sha256(gzip.decompress(body)).hexdigest()


@pytest.mark.parametrize("target", ["", "http://elsewhere.example/x"], ids=["same host", "elsewhere"])
def test_media_redirects(client, audio_url, target):
    """302 to a freshly signed URL of the same object, or to a place of one's choice."""
    client.sandbox.faults.switch_on("media-redirect" + (f":to={target}" if target else ""))
    status, headers, _ = raw_get(audio_url[0])
    assert status == 302
    if target:
        assert target == headers["location"]
    else:
        assert audio_url[1].sha256 == sha256(raw_get(headers["location"])[2]).hexdigest()


def test_media_bit_flip_is_at_one_place(client, audio_url):
    """One byte differs, the same one whatever the ranges."""
    honest = raw_get(audio_url[0])[2]
    client.sandbox.faults.switch_on("media-bit-flip")
    whole = raw_get(audio_url[0])[2]
    half = len(honest) // 2
    pieces = (
        raw_get(audio_url[0], {"Range": f"bytes=0-{half - 1}"})[2]
        + raw_get(audio_url[0], {"Range": f"bytes={half}-"})[2]
    )
    assert whole == pieces
    assert [half] == [place for place, (one, other) in enumerate(zip(honest, whole, strict=True)) if one != other]


def test_every_fault_is_declared_with_a_sentence():
    """The catalogue says of each fault what it does."""
    assert all(len(fault.about) > 20 for fault in CATALOGUE.values())


@pytest.mark.parametrize("text", ["nothing-like-it", "api-500:soon", "api-500:when=now"])
def test_unreadable_switches_are_refused(text):
    """A typo must not pass as a fault that never strikes."""
    with pytest.raises(ValueError, match=r"fault|invalid literal"):
        Faults().switch_on(text)
