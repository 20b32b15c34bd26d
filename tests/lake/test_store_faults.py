"""The bucket when the network or the server fails: lost requests, lost replies, 5xx, lies, half answers."""

from __future__ import annotations

import base64
import io
import socket
from contextlib import closing
from threading import Event, Thread

import boto3
import pytest

from include.canonical import sha256_hex
from include.errors import (
    ConfigurationError,
    IntegrityError,
    LakeConflict,
    LakeUnavailable,
    NotAuthorised,
    PermanentError,
    RetriableError,
)
from include.lake.store import CONFLICT_ATTEMPTS, LakeStore, client_config
from include.settings import LakeLocation
from tests.lake.conftest import SECRET_KEY
from tests.lake.cutting_proxy import AFTER, BEFORE
from tests.lake.scripted_bucket import Answer, ScriptedBucket

KEY = "media/a/0-x.wav"
BODY = b"RIFF"
OK = Answer(200)
CHECKSUM = base64.b64encode(bytes.fromhex(sha256_hex(BODY))).decode()
HELD = Answer(200, headers={"x-amz-checksum-sha256": CHECKSUM}, declared=len(BODY))
ABSENT = Answer(404)
BUSY = Answer(409, "ConditionalRequestConflict")


def put(lake, body=BODY):
    """Put bytes as audio would be put."""
    return lake.put_if_absent(KEY, io.BytesIO(body), bytes_=len(body), sha256=sha256_hex(body), media_type="audio/wav")


CALLS = {
    "put": put,
    "head": lambda lake: lake.head(KEY),
    "read": lambda lake: lake.read(KEY),
    "list": lambda lake: list(lake.list_keys("")),
    "put_latest": lambda lake: lake.put_latest("r.md", BODY, "text/markdown"),
}


@pytest.fixture
def far_lake(lake_behind):
    """The same lake as ``lake``, reached through the proxy."""
    return lake_behind()


def test_lost_reply_is_found_out_by_reading_back(lake, proxy, far_lake):
    """The put was done though nobody heard of it: reading back says so, and nothing is sent again."""
    proxy.cut(AFTER, "PUT")
    assert sha256_hex(BODY) == put(far_lake).stored.sha256
    assert BODY == lake.read(KEY)
    assert 1 == proxy.seen.count("PUT")


def test_lost_reply_to_a_put_of_other_bytes_is_still_a_conflict(lake, proxy, far_lake):
    """What is read back is compared, not just found."""
    put(lake, b"first")
    proxy.cut(AFTER, "PUT")
    with pytest.raises(LakeConflict):
        put(far_lake)
    assert b"first" == lake.read(KEY)


def test_lost_reply_is_read_back_before_anything_is_sent_again(lake, proxy, lake_at, object_store):
    """S3: with attempts left, too, the bucket is asked first; the bytes are there, so they go over the line once."""
    keys = {"access_key": object_store.access_key, "secret_key": object_store.secret_key}
    patient = lake_at(proxy.url, bucket=lake.location.bucket, prefix=lake.location.prefix, retries=True, **keys)
    proxy.cut(AFTER, "PUT")
    done = put(patient)
    assert (False, sha256_hex(BODY), 1) == (done.created, done.stored.sha256, proxy.seen.count("PUT"))


def test_request_that_never_arrived_is_unavailable_and_stored_nothing(lake, proxy, far_lake):
    """Reading back finds nothing, so the put may be repeated; the sentence says what went wrong with the put."""
    proxy.cut(BEFORE, "PUT")
    with pytest.raises(LakeUnavailable, match="No usable answer"):
        put(far_lake)
    assert lake.head(KEY) is None
    assert put(far_lake).created


def test_read_back_that_fails_too_leaves_the_outcome_unknown(lake, proxy, far_lake):
    """Neither the put's reply nor the look at it arrived: retriable, and the retry finds the object."""
    proxy.cut(AFTER, "PUT")
    proxy.cut(BEFORE, "HEAD")
    with pytest.raises(LakeUnavailable):
        put(far_lake)
    assert not put(far_lake).created
    assert BODY == lake.read(KEY)


def test_put_whose_read_back_is_lost_is_not_called_done(proxy, far_lake):
    """A put is done when the bucket says what it holds, not before."""
    proxy.cut(AFTER, "HEAD")
    with pytest.raises(LakeUnavailable):
        put(far_lake)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(503, "SlowDown"), LakeUnavailable),
        (Answer(500, "InternalError"), LakeUnavailable),
        (Answer(502, body=b"<html>Bad gateway</html>"), LakeUnavailable),
        (Answer(0), LakeUnavailable),
        (Answer(400, "RequestTimeout"), LakeUnavailable),
        (Answer(403, "AccessDenied"), NotAuthorised),
        (Answer(403, "RequestTimeTooSkewed"), NotAuthorised),
        (Answer(401), NotAuthorised),
    ],
    ids=["slow-down", "internal-error", "bad-gateway", "hang-up", "request-timeout", "denied", "skewed", "401"],
)
def test_refusals_and_failures_become_one_of_ours(lake_at, call, answer, expected):
    """Whatever the server says, and to whichever verb, the caller gets an error of the tree without the secret."""
    with ScriptedBucket(PUT=[answer], HEAD=[answer], GET=[answer]) as bucket, pytest.raises(expected) as caught:
        call(lake_at(bucket.url))
    assert SECRET_KEY not in f"{caught.value!r} {caught.value.facts}"
    assert caught.value.__suppress_context__ or not isinstance(caught.value, PermanentError)


@pytest.mark.parametrize("name", ["put", "list", "put_latest"])
@pytest.mark.parametrize("status", [404, 409, 412])
def test_answer_that_a_call_cannot_have_is_unavailable(lake_at, name, status):
    """A proxy's 404 to a put or to a listing is no answer about a key, and never leaves as a foreign exception."""
    answer = Answer(status)
    with ScriptedBucket(PUT=[answer], HEAD=[ABSENT], GET=[answer]) as bucket, pytest.raises(LakeUnavailable):
        CALLS[name](lake_at(bucket.url))


@pytest.mark.parametrize(
    ("answer", "expected", "words"),
    [
        (Answer(404, "NoSuchBucket"), ConfigurationError, "does not exist"),
        (Answer(301, "PermanentRedirect"), ConfigurationError, "RECORDING_LAKE_URI"),
        (Answer(400, "AuthorizationHeaderMalformed"), ConfigurationError, "recording_lake"),
        (Answer(400, "ExpiredToken"), NotAuthorised, "recording_lake"),
        (Answer(400, "BadDigest"), IntegrityError, "did not arrive as it was sent"),
    ],
    ids=["no-bucket", "elsewhere", "other-region", "expired", "digest"],
)
def test_lasting_refusals_name_what_to_correct(lake_at, answer, expected, words):
    """What no repetition heals is not called transient."""
    with ScriptedBucket(PUT=[answer], HEAD=[ABSENT]) as bucket, pytest.raises(expected, match=words):
        put(lake_at(bucket.url))
    assert not issubclass(expected, RetriableError)


def test_200_with_an_error_inside_is_unavailable(lake_at):
    """An error dressed as success is an error (S3 does that to some calls; so do proxies)."""
    with ScriptedBucket(PUT=[Answer(200, "InternalError")], HEAD=[ABSENT]) as bucket, pytest.raises(LakeUnavailable):
        put(lake_at(bucket.url))


def test_200_without_an_object_is_unavailable(lake_at):
    """A put is believed when the object is there."""
    with (
        ScriptedBucket(PUT=[OK], HEAD=[ABSENT]) as bucket,
        pytest.raises(LakeUnavailable, match="not there after it was written"),
    ):
        put(lake_at(bucket.url))


def test_200_for_other_bytes_is_an_integrity_error(lake_at):
    """A bucket that says it wrote and holds something else has damaged it."""
    shorter = Answer(200, headers={"x-amz-checksum-sha256": CHECKSUM}, declared=3)
    with ScriptedBucket(PUT=[OK], HEAD=[shorter]) as bucket, pytest.raises(IntegrityError, match="holds 3 bytes"):
        put(lake_at(bucket.url))


def test_checksum_of_parts_is_no_sha256(lake_at):
    """An object that another tool wrote in parts carries a digest of digests, which proves nothing here."""
    parts = Answer(200, headers={"x-amz-checksum-sha256": f"{CHECKSUM}-2"}, declared=len(BODY))
    with ScriptedBucket(HEAD=[parts]) as bucket:
        assert "" == lake_at(bucket.url).head(KEY).sha256


def test_conflicting_write_is_sent_again(lake_at):
    """409 means another put is under way; AWS says to send it again."""
    with ScriptedBucket(PUT=[BUSY, OK], HEAD=[HELD]) as bucket:
        assert put(lake_at(bucket.url)).created
    assert 2 == bucket.calls["PUT"]


def test_conflict_without_end_is_unavailable(lake_at):
    """Nobody waits for ever inside a put; Airflow comes back in minutes."""
    with ScriptedBucket(PUT=[BUSY], HEAD=[ABSENT]) as bucket, pytest.raises(LakeUnavailable, match="being written"):
        put(lake_at(bucket.url))
    assert CONFLICT_ATTEMPTS == bucket.calls["PUT"]


def test_document_cut_short_is_unavailable(lake_at):
    """Half a document is no document."""
    with ScriptedBucket(GET=[Answer(200, body=b"{", declared=100)]) as bucket, pytest.raises(LakeUnavailable):
        lake_at(bucket.url).read(KEY)


def test_refusal_that_falls_silent_is_unavailable(lake_at):
    """Botocore reads the body of a refusal where it has no names any more for what can happen to it."""
    heard = Event()

    def refuse(listener):
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 1000\r\n\r\n<Error>")
            heard.wait(20)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Thread(target=refuse, args=(listener,))
        server.start()
        with pytest.raises(LakeUnavailable):
            lake_at(f"http://127.0.0.1:{listener.getsockname()[1]}", read_timeout=0.3).read(KEY)
        heard.set()
        server.join()


def test_checksum_in_no_alphabet_is_none(lake_at):
    """Whatever stands in the header, it is not the SHA-256 of the object."""
    odd = Answer(200, headers={"x-amz-checksum-sha256": "\u00e9\u00e9"}, declared=len(BODY))
    with ScriptedBucket(HEAD=[odd]) as bucket:
        assert "" == lake_at(bucket.url).head(KEY).sha256


def test_short_outage_is_ridden_out(lake_at):
    """Two 503 in a row cost a moment, not the task: the client's own retries take them."""
    slow = Answer(503, "SlowDown")
    with ScriptedBucket(HEAD=[slow, slow, HELD]) as bucket:
        assert sha256_hex(BODY) == lake_at(bucket.url, retries=True).head(KEY).sha256


def test_missing_credentials_are_not_authorised(tmp_path, monkeypatch):
    """A worker without any keys is told which connection to look at, not to try later."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    session = boto3.Session(region_name="us-east-1")
    with closing(session.client("s3", endpoint_url="http://127.0.0.1:9", config=client_config())) as client:
        lake = LakeStore(client, LakeLocation("recordings"))
        with pytest.raises(NotAuthorised, match=r"no credentials.*recording_lake"):
            lake.read(KEY)


def test_name_that_is_no_bucket_is_a_matter_of_configuration(lake_at):
    """boto3 refuses it before anything is sent; no repetition makes it better."""
    with pytest.raises(ConfigurationError, match="RECORDING_LAKE_URI"):
        lake_at("http://127.0.0.1:9", bucket="no bucket").read(KEY)
