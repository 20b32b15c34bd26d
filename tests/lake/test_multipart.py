"""Large objects in parts, against a real S3 server: whole or not there, proven, and nothing left behind."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import pytest
from awscrt.checksums import crc64nvme
from botocore.exceptions import ClientError

from include.errors import IntegrityError, LakeConflict, LakeUnavailable, NotAuthorised
from include.lake.bucket import Bucket
from include.lake.multipart import PART_BYTES_MIN, PARTS_MAX, part_bytes_for
from include.lake.put_requests import PartRequests, crc_text
from include.lake.stored_object import StoredObject
from tests.lake.cutting_proxy import AFTER, BEFORE, FLIPPED
from tests.lake.large_object import BODY, KEY, PARTS, SHA256, open_uploads, put
from tests.lake.scripted_bucket import Answer, ScriptedBucket

CRC = crc_text(crc64nvme(BODY))
OPENED = Answer(200, body=b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
DONE = Answer(200, body=b"<?xml version='1.0'?>\n   <CompleteMultipartUploadResult></CompleteMultipartUploadResult>")
ABSENT, OK = Answer(404), Answer(200, headers={"ETag": '"e"'})
HELD = Answer(
    200,
    headers={
        "x-amz-checksum-crc64nvme": CRC,
        "x-amz-checksum-type": "FULL_OBJECT",
        "x-amz-meta-sha256": SHA256,
    },
    declared=len(BODY),
)


@pytest.fixture
def far_lake(lake_behind):
    """The same lake through the proxy, one part at a time, with all attempts but no waits."""
    return lake_behind(retries=True, concurrent_parts=1, **PARTS)


def test_large_object_is_whole_and_proven(lake, large_lake, lake_client):
    """The bucket's own CRC64NVME over all bytes is ours, and the SHA-256 is the pinned one."""
    done = put(large_lake)
    assert (True, StoredObject(KEY, len(BODY), SHA256, None, CRC)) == (
        done.created,
        replace(done.stored, version_id=None),
    )
    assert hashlib.sha256(lake.read(KEY)).hexdigest() == SHA256
    assert [] == open_uploads(lake_client, lake)


def test_large_object_keeps_its_media_type(lake, large_lake, lake_client):
    """It is the same object as a small one, but for its size."""
    put(large_lake)
    answer = lake_client.head_object(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/{KEY}")
    assert ("audio/wav", {"sha256": SHA256}) == (answer["ContentType"], answer["Metadata"])


def test_same_bytes_again_are_neither_sent_nor_stored(lake, far_lake, proxy):
    """A second run asks first: two looks, no upload."""
    put(far_lake)
    proxy.seen.clear()
    assert not put(far_lake).created
    assert ["HEAD", "HEAD"] == proxy.seen
    assert hashlib.sha256(lake.read(KEY)).hexdigest() == SHA256


def test_other_bytes_are_a_conflict(large_lake, lake, lake_client):
    """S5: also where both came in parts."""
    put(large_lake)
    with pytest.raises(LakeConflict):
        put(large_lake, BODY[:-1] + b"x")
    assert hashlib.sha256(lake.read(KEY)).hexdigest() == SHA256
    assert [] == open_uploads(lake_client, lake)


def test_object_that_appears_during_the_upload_is_compared(lake, lake_at, object_store, lake_client):
    """S5, S7: another run finishes first: its object stays, ours is aborted, and equal bytes are no conflict."""
    keys = {"access_key": object_store.access_key, "secret_key": object_store.secret_key}
    place = {"bucket": lake.location.bucket, "prefix": lake.location.prefix}
    slow = lake_at(object_store.endpoint_url, **place, **keys, **PARTS)

    class Overtaken(io.BytesIO):
        def read(self, size=-1):
            if self.tell() > 0 and lake.head(KEY) is None:
                put(lake)
            return super().read(size)

    done = slow.put_if_absent(KEY, Overtaken(BODY), bytes_=len(BODY), sha256=SHA256, media_type="audio/wav")
    assert (False, SHA256, "") == (done.created, done.stored.sha256, done.stored.crc64nvme)
    assert [] == open_uploads(lake_client, lake)


def test_file_that_changed_is_not_completed(large_lake, lake, lake_client):
    """S9: the bytes that were sent are hashed, and another SHA-256 than the pinned one ends it without an object."""
    with pytest.raises(IntegrityError, match="changed between its download and its upload"):
        put(large_lake, sha256=hashlib.sha256(b"another").hexdigest())
    assert (None, []) == (lake.head(KEY), open_uploads(lake_client, lake))


def test_file_that_became_shorter_is_not_completed(large_lake, lake, lake_client):
    """S9: nor one that lost its end."""
    with pytest.raises(IntegrityError):
        large_lake.put_if_absent(KEY, io.BytesIO(BODY), bytes_=len(BODY) + 1, sha256=SHA256, media_type="audio/wav")
    assert (None, []) == (lake.head(KEY), open_uploads(lake_client, lake))


def test_stream_that_gives_little_at_a_time_makes_whole_parts(large_lake, lake):
    """A raw stream may return less than asked for; S3 takes no part below 5 MiB but the last."""

    class Dripping(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 100_000))

    done = large_lake.put_if_absent(KEY, Dripping(BODY), bytes_=len(BODY), sha256=SHA256, media_type="audio/wav")
    assert (True, SHA256) == (done.created, hashlib.sha256(lake.read(KEY)).hexdigest())


@pytest.mark.parametrize("when", [BEFORE, AFTER, FLIPPED])
def test_part_that_is_lost_or_damaged_is_sent_again(lake, far_lake, proxy, when):
    """S4, S9: one part costs one part, and the object is the right one."""
    proxy.cut(when, "PUT")
    assert put(far_lake).created
    assert 4 == proxy.seen.count("PUT")
    assert hashlib.sha256(lake.read(KEY)).hexdigest() == SHA256


def test_parts_in_any_order_make_the_same_object(lake_at):
    """S9: however the parts end, the list that completes the upload is in the order of the file."""
    with ScriptedBucket(POST=[OPENED, DONE], PUT=[OK], HEAD=[ABSENT, HELD]) as bucket:
        put(lake_at(bucket.url, concurrent_parts=4, **PARTS))
    complete = bucket.heard[-2]
    assert [b"1", b"2", b"3"] == [part.partition(b"<")[0] for part in complete.body.split(b"<PartNumber>")[1:]]
    assert (CRC, str(len(BODY)), "*", "FULL_OBJECT") == tuple(
        complete.headers[name]
        for name in ("x-amz-checksum-crc64nvme", "x-amz-mp-object-size", "if-none-match", "x-amz-checksum-type")
    )


def test_wrong_etag_of_a_part_is_refused(lake, lake_client):
    """S9: the server does not complete what it did not get."""
    bucket, requests = Bucket(lake_client, lake.location.bucket), PartRequests(f"{lake.location.prefix}/x", SHA256)
    upload_id = requests.opened(bucket.send(requests.open))
    crc = crc64nvme(b"part")
    etag = bucket.send(lambda: requests.part(upload_id, 1, b"part", crc)).headers["etag"]
    with pytest.raises(ClientError, match="InvalidPart"):
        bucket.send(lambda: requests.complete(upload_id, [(1, '"0123"', crc)], crc, 4))
    with pytest.raises(ClientError, match=r"BadDigest|InvalidPart|InvalidRequest"):
        bucket.send(lambda: requests.complete(upload_id, [(1, etag, crc ^ 1)], crc, 4))
    with pytest.raises(ClientError, match=r"BadDigest|InvalidRequest"):
        bucket.send(lambda: requests.complete(upload_id, [(1, etag, crc)], crc ^ 1, 4))
    assert lake.head("x") is None
    requests.completed(bucket.send(lambda: requests.complete(upload_id, [(1, etag, crc)], crc, 4)))
    assert b"part" == lake.read("x")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"x-amz-checksum-crc64nvme": CRC, "x-amz-checksum-type": "COMPOSITE"},
        {"x-amz-checksum-crc64nvme": crc_text(crc64nvme(BODY) ^ 1), "x-amz-checksum-type": "FULL_OBJECT"},
    ],
    ids=["no-checksum", "of-parts-only", "of-other-bytes"],
)
def test_object_without_the_checksum_it_was_sent_with_is_not_believed(lake_at, said):
    """S9: a server that names no CRC64NVME over the whole object, or another one, has proven nothing."""
    bare = Answer(200, headers={"x-amz-meta-sha256": SHA256, **said}, declared=len(BODY))
    with (
        ScriptedBucket(POST=[OPENED, DONE], PUT=[OK], HEAD=[ABSENT, bare]) as bucket,
        pytest.raises(IntegrityError, match="not what was sent"),
    ):
        put(lake_at(bucket.url, **PARTS))


@pytest.mark.parametrize(
    ("said", "sha256"),
    [
        ({"x-amz-meta-sha256": SHA256}, ""),
        ({"x-amz-meta-sha256": SHA256, "x-amz-checksum-crc64nvme": CRC, "x-amz-checksum-type": "COMPOSITE"}, ""),
        ({"x-amz-meta-sha256": "x", "x-amz-checksum-crc64nvme": CRC, "x-amz-checksum-type": "FULL_OBJECT"}, ""),
        ({"x-amz-checksum-crc64nvme": CRC, "x-amz-checksum-type": "FULL_OBJECT"}, ""),
        ({"x-amz-meta-sha256": SHA256, "x-amz-checksum-crc64nvme": CRC, "x-amz-checksum-type": "FULL_OBJECT"}, SHA256),
    ],
    ids=["claim-alone", "claim-and-parts", "no-digest", "no-claim", "both"],
)
def test_sha256_is_told_only_where_the_bucket_vouches_for_the_whole(lake_at, said, sha256):
    """A claim in the metadata counts beside a checksum over all bytes, and not without."""
    with ScriptedBucket(HEAD=[Answer(200, headers=said, declared=len(BODY))]) as bucket:
        assert sha256 == lake_at(bucket.url).head(KEY).sha256


@pytest.mark.parametrize(
    "answer",
    [Answer(200, "InternalError"), Answer(200, body=b""), Answer(500, "InternalError"), Answer(0)],
    ids=["error-inside-200", "empty-200", "500", "hang-up"],
)
def test_end_that_is_no_success_is_looked_at_and_repeated(lake_at, answer):
    """S2, S3: 200 with an error inside is a failure; the bucket is asked before the completion is sent again."""
    with ScriptedBucket(POST=[OPENED, answer, DONE], PUT=[OK], HEAD=[ABSENT, ABSENT, HELD]) as bucket:
        assert put(lake_at(bucket.url, retries=True, **PARTS)).created
    after_parts = [request.method for request in bucket.heard[-4:]]
    assert ["POST", "HEAD", "POST", "HEAD"] == after_parts


def test_end_that_never_succeeds_is_unavailable_and_aborted(lake_at):
    """S2: nothing is reported as archived, and nothing stays open."""
    with (
        ScriptedBucket(
            POST=[OPENED, Answer(200, "InternalError")], PUT=[OK], HEAD=[ABSENT], DELETE=[Answer(204)]
        ) as bucket,
        pytest.raises(LakeUnavailable, match="InternalError"),
    ):
        put(lake_at(bucket.url, **PARTS))
    assert 1 == bucket.calls["DELETE"]


def test_lost_reply_to_the_end_is_found_out(lake, far_lake, proxy):
    """S3: the object is there though nobody heard of it; nothing is sent again."""
    proxy.cut(AFTER, "POST", skip=1)
    assert SHA256 == put(far_lake).stored.sha256
    assert ["POST", "HEAD", "DELETE", "HEAD"] == proxy.seen[-4:]
    assert hashlib.sha256(lake.read(KEY)).hexdigest() == SHA256


@pytest.mark.parametrize("answer", [Answer(503, "SlowDown"), Answer(200, "InternalError"), Answer(0)])
def test_opening_that_fails_is_repeated(lake_at, answer):
    """S1: as every other request of an upload."""
    with ScriptedBucket(POST=[answer, answer, OPENED, DONE], PUT=[OK], HEAD=[ABSENT, HELD]) as bucket:
        assert put(lake_at(bucket.url, retries=True, **PARTS)).created


def test_lost_reply_to_the_opening_opens_another(lake, far_lake, proxy):
    """S3, S8: nobody knows the id of the first upload; it is for the sweep."""
    proxy.cut(AFTER, "POST")
    assert put(far_lake).created
    assert [KEY] == [upload.key for upload in lake.open_uploads()]


def test_conflict_at_the_end_is_left_to_the_next_try(lake_at):
    """S6: after 409 all parts would have to be sent again, which is the task's retry."""
    busy = Answer(409, "ConditionalRequestConflict")
    with (
        ScriptedBucket(POST=[OPENED, busy], PUT=[OK], HEAD=[ABSENT], DELETE=[Answer(204)]) as bucket,
        pytest.raises(LakeUnavailable, match="being written by others"),
    ):
        put(lake_at(bucket.url, retries=True, **PARTS))
    assert (2, 1) == (bucket.calls["POST"], bucket.calls["DELETE"])


def test_part_that_is_refused_ends_the_upload_and_aborts_it(lake_at):
    """S8, S10: nothing of ours stays open where the credentials end half-way."""
    with (
        ScriptedBucket(POST=[OPENED], PUT=[Answer(403, "AccessDenied")], HEAD=[ABSENT], DELETE=[Answer(204)]) as bucket,
        pytest.raises(NotAuthorised),
    ):
        put(lake_at(bucket.url, **PARTS))
    assert ("DELETE", 1) == (bucket.heard[-1].method, bucket.calls["DELETE"])


def test_parts_are_not_hashed_for_the_signature(lake_at):
    """The checksum header is signed in place of the body."""
    with ScriptedBucket(POST=[OPENED, DONE], PUT=[OK], HEAD=[ABSENT, HELD]) as bucket:
        put(lake_at(bucket.url, **PARTS))
    parts = [request for request in bucket.heard if request.method == "PUT"]
    assert {"UNSIGNED-PAYLOAD"} == {part.headers["x-amz-content-sha256"] for part in parts}
    assert all("x-amz-checksum-crc64nvme" in part.headers["authorization"] for part in parts)


@pytest.mark.parametrize("size", [1, PART_BYTES_MIN, 1 << 30, 48 * 10**12])
def test_part_size_stays_within_the_limits_of_s3(size):
    """At most 10 000 parts, none below 5 MiB."""
    part = part_bytes_for(size, 10 << 20)
    assert part >= PART_BYTES_MIN
    assert -(-size // part) <= PARTS_MAX
