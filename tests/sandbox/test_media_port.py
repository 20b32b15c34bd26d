"""The media port: presigned URLs and RFC 9110 ranges on real sockets."""

from __future__ import annotations

import time
from hashlib import sha256

import pytest

from include.sandbox.ranges import Answer, decide
from tests.sandbox.conftest import DAY, started

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, (Answer.WHOLE, 0, 100)),
        ({"range": "bytes=0-9"}, (Answer.PART, 0, 10)),
        ({"range": "bytes=90-"}, (Answer.PART, 90, 100)),
        ({"range": "bytes=90-500"}, (Answer.PART, 90, 100)),
        ({"range": "bytes=-7"}, (Answer.PART, 93, 100)),
        ({"range": "bytes=-500"}, (Answer.PART, 0, 100)),
        ({"range": "bytes=-0"}, (Answer.UNSATISFIABLE, 0, 0)),
        ({"range": "bytes=100-"}, (Answer.UNSATISFIABLE, 0, 0)),
        ({"range": "bytes=9-2"}, (Answer.WHOLE, 0, 100)),
        ({"range": "bytes=-"}, (Answer.WHOLE, 0, 100)),
        ({"range": "bytes=a-b"}, (Answer.WHOLE, 0, 100)),
        ({"range": "lines=0-9"}, (Answer.WHOLE, 0, 100)),
        ({"range": "bytes=0-9,20-29"}, (Answer.WHOLE, 0, 100)),
        ({"range": "bytes=0-9", "if-range": ETAG}, (Answer.PART, 0, 10)),
        ({"range": "bytes=0-9", "if-range": '"old"'}, (Answer.WHOLE, 0, 100)),
        ({"range": "bytes=0-9", "if-match": ETAG}, (Answer.PART, 0, 10)),
        ({"range": "bytes=0-9", "if-match": f'"old", {ETAG}'}, (Answer.PART, 0, 10)),
        ({"range": "bytes=0-9", "if-match": "*"}, (Answer.PART, 0, 10)),
        ({"range": "bytes=0-9", "if-match": '"old"'}, (Answer.FAILED_PRECONDITION, 0, 0)),
    ],
)
def test_range_decisions_follow_rfc_9110(headers, expected):
    """Each request gets the answer sections 13 and 14 give it."""
    decision = decide(100, ETAG, headers)
    assert expected == (decision.answer, decision.start, decision.stop)


def test_ranges_of_an_empty_object_are_unsatisfiable():
    """There is no first byte to ask for."""
    assert decide(0, ETAG, {"range": "bytes=0-9"}).answer is Answer.UNSATISFIABLE


def test_whole_body_has_its_headers_and_digest(client, audio_url):
    """A plain GET has length, type, strong ETag, Accept-Ranges and the bytes of the truth."""
    url, part = audio_url
    answer = client.media(url)
    assert part.sha256 == sha256(answer.content).hexdigest()
    assert (str(part.size), part.content_type) == (answer.headers["Content-Length"], answer.headers["Content-Type"])
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"].startswith('"')
    assert "Last-Modified" in answer.headers


def test_chunks_tile_the_file(client, audio_url):
    """Ranges of 10 kB, pinned with If-Match, give the same file as one GET."""
    url, part = audio_url
    etag = client.media(url).headers["ETag"]
    data = b""
    for start in range(0, part.size, 10_000):
        answer = client.media(url, headers={"Range": f"bytes={start}-{start + 9999}", "If-Match": etag})
        last = min(start + 9999, part.size - 1)
        assert (206, f"bytes {start}-{last}/{part.size}") == (answer.status_code, answer.headers["Content-Range"])
        data += answer.content
    assert part.sha256 == sha256(data).hexdigest()


def test_range_past_the_end_and_stale_pin(client, audio_url):
    """416 says how long the file is; a stale If-Match is 412."""
    url, part = audio_url
    past = client.media(url, headers={"Range": f"bytes={part.size}-"})
    assert (416, f"bytes */{part.size}") == (past.status_code, past.headers["Content-Range"])
    assert client.media(url, headers={"If-Match": '"other"'}).status_code == 412


def test_second_authentication_is_refused(client, audio_url):
    """A presigned URL with an Authorization header is 400 InvalidArgument."""
    refused = client.media(audio_url[0], headers=client.headers)
    assert refused.status_code == 400
    assert "<Code>InvalidArgument</Code>" in refused.text


def test_other_methods_and_changed_urls_do_not_fit_the_signature(client, audio_url):
    """HEAD on a GET URL, another path, another expiry: 403; no signature at all: AccessDenied."""
    url = audio_url[0]
    assert client.media(url, method="HEAD").status_code == 403
    for wrong in (url.replace("/0/original", "/1/original"), url.replace("Expires=3600", "Expires=9999")):
        refused = client.media(wrong)
        assert refused.status_code == 403
        assert "<Code>SignatureDoesNotMatch</Code>" in refused.text
    assert "<Code>AccessDenied</Code>" in client.media(url.partition("?")[0]).text


def test_url_expires():
    """After its time a URL is 403 Request has expired; the next poll gives a fresh one that works."""
    with started(url_ttl_seconds=1, conversations=5, scenario="clean") as (sandbox, client):
        job = client.submit([sandbox.tenant.day(DAY)[0].id])
        url = client.finished(job)["results"][0]["resultUrl"]
        end = time.monotonic() + 5
        while (answer := client.media(url)).status_code == 200 and time.monotonic() < end:
            time.sleep(0.05)
        assert answer.status_code == 403
        assert "<Code>AccessDenied</Code><Message>Request has expired</Message>" in answer.text
        assert client.media(client.finished(job)["results"][0]["resultUrl"]).status_code == 200


def test_unknown_object_is_404(client, ordinary):
    """A well-signed URL of nothing is NoSuchKey."""
    world = ordinary[0].world
    for path in (f"/recordings-{world.config.org_id}/a/b/0/original", f"/exports-{world.config.org_id}/x.zip", "/else"):
        answer = client.media(world.sign(path))
        assert (404, True) == (answer.status_code, "NoSuchKey" in answer.text)


def test_large_recording_streams_any_range():
    """A range deep inside half an hour of audio is answered at once."""
    with started(scenario="large-recordings", conversations=6) as (sandbox, client):
        found = sandbox.tenant.day(DAY)
        job = client.submit([each.id for each in found])
        results = client.finished(job)["results"]
        url = next(each["resultUrl"] for each in results if each["contentType"] == "audio/wav")
        answer = client.media(url, headers={"Range": "bytes=9000000-9000099"})
        assert (206, 100) == (answer.status_code, len(answer.content))
