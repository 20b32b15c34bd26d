"""Locks, holds, encryption, classes and tags: what is asked of the bucket, and that a real one keeps to it."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from include.errors import ConfigurationError, IntegrityError, LakeUnavailable
from include.lake.multipart import PART_BYTES_MIN
from include.lake.protection import Protection, tags_of
from include.lake.signed_http import UNSIGNED, Request, SignedHttp
from include.lake.store import LakeStore, Writing
from include.settings import LakeLocation
from tests.lake.scripted_bucket import Answer, ScriptedBucket

KEY = "media/org=o1/date=2026-03-02/conversation=c/recording=r/0-ab.wav"
BODY = b"RIFF"
SHA256 = hashlib.sha256(BODY).hexdigest()
HELD = Answer(
    200,
    headers={"x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(SHA256)).decode()},
    declared=len(BODY),
)
OK = Answer(200)
NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def put(lake, key=KEY, body=BODY):
    """Put bytes as audio would be put."""
    digest = hashlib.sha256(body).hexdigest()
    return lake.put_if_absent(key, io.BytesIO(body), bytes_=len(body), sha256=digest, media_type="audio/wav")


@pytest.fixture(scope="module")
def locked_bucket(lake_client):
    """Name a bucket with Object Lock."""
    name = f"locked-{uuid4().hex}"
    lake_client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


def locked(lake_client, bucket, **protection):
    """Return a lake in that bucket whose objects are locked for a day."""
    chosen = Protection(**{"object_lock_mode": "COMPLIANCE", "retention_days": 1, **protection})
    return LakeStore(lake_client, LakeLocation(bucket, uuid4().hex), Writing(chosen, multipart_bytes=PART_BYTES_MIN))


@pytest.mark.parametrize("size", [4, 2 * PART_BYTES_MIN], ids=["one-request", "in-parts"])
def test_compliance_lock_cannot_be_taken_back(lake_client, locked_bucket, size):
    """Neither deleted, nor shortened, nor downgraded: not by the key that wrote it, which may do everything else."""
    lake = locked(lake_client, locked_bucket)
    version = put(lake, body=os.urandom(size)).stored.version_id
    name = {"Bucket": locked_bucket, "Key": f"{lake.location.prefix}/{KEY}", "VersionId": version}
    until = lake_client.head_object(**name)["ObjectLockRetainUntilDate"]
    attempts = [
        lambda: lake_client.delete_object(**name),
        lambda: lake_client.delete_object(**name, BypassGovernanceRetention=True),
        lambda: lake_client.put_object_retention(
            **name, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until - timedelta(hours=1)}
        ),
        lambda: lake_client.put_object_retention(
            **name, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until}, BypassGovernanceRetention=True
        ),
    ]
    for attempt in attempts:
        with pytest.raises(ClientError, match=r"AccessDenied|InvalidRequest|ObjectLocked|Forbidden"):
            attempt()
    kept = lake_client.head_object(**name)
    assert ("COMPLIANCE", until) == (kept["ObjectLockMode"], kept["ObjectLockRetainUntilDate"])


def test_governance_lock_and_hold_are_set(lake_client, locked_bucket):
    """The other mode, and a hold beside it."""
    lake = locked(lake_client, locked_bucket, object_lock_mode="GOVERNANCE", legal_hold=True)
    put(lake)
    kept = lake_client.head_object(Bucket=locked_bucket, Key=f"{lake.location.prefix}/{KEY}")
    assert ("GOVERNANCE", "ON") == (kept["ObjectLockMode"], kept["ObjectLockLegalHoldStatus"])


def test_report_is_never_locked(lake_client, locked_bucket):
    """It is rewritten as long as the day changes."""
    lake = locked(lake_client, locked_bucket, legal_hold=True)
    lake.put_latest("reports/date=2026-03-02/report.md", b"a", "text/markdown")
    kept = lake_client.head_object(
        Bucket=locked_bucket, Key=f"{lake.location.prefix}/reports/date=2026-03-02/report.md"
    )
    assert not {"ObjectLockMode", "ObjectLockLegalHoldStatus"} & kept.keys()


def test_lock_ends_by_the_bucket_s_clock(lake_at):
    """S17: a bucket in another year counts from its own year, whatever this machine believes."""
    said = {"Date": "Tue, 04 Mar 2031 10:00:00 GMT"}
    chosen = Protection(object_lock_mode="COMPLIANCE", retention_days=10)
    with ScriptedBucket(PUT=[OK], HEAD=[Answer(200, headers=said), HELD]) as bucket:
        put(lake_at(bucket.url, protection=chosen))
    asked = next(request.headers for request in bucket.heard if request.method == "PUT")
    assert "2031-03-14T10:00:0" == asked["x-amz-object-lock-retain-until-date"][:18]
    assert "COMPLIANCE" == asked["x-amz-object-lock-mode"]


def test_bucket_without_a_clock_locks_nothing(lake_at):
    """S17: no guess where the server does not say what time it is."""
    chosen = Protection(object_lock_mode="COMPLIANCE", retention_days=10)
    with (
        ScriptedBucket(PUT=[OK], HEAD=[Answer(200, headers={"Date": "yesterday"})]) as bucket,
        pytest.raises(LakeUnavailable, match="what time it is"),
    ):
        put(lake_at(bucket.url, protection=chosen))
    assert 0 == bucket.calls["PUT"]


def test_bucket_that_cannot_lock_is_a_matter_of_configuration(lake_at):
    """Amazon S3 answers 400 where a bucket has no Object Lock; waiting does not give it one."""
    chosen = Protection(object_lock_mode="GOVERNANCE", retention_days=1)
    with (
        ScriptedBucket(PUT=[Answer(400, "InvalidRequest")], HEAD=[OK]) as bucket,
        pytest.raises(ConfigurationError, match="RECORDING_ARCHIVE_OBJECT_LOCK_MODE"),
    ):
        put(lake_at(bucket.url, protection=chosen))


def test_encryption_class_and_tags_are_asked_for(lake_at):
    """SSE-KMS with its key, the class, and the tags, in the request that makes the object."""
    chosen = Protection(
        sse="aws:kms",
        sse_kms_key_id="arn:aws:kms:eu-central-1:1:key/a",
        storage_class="GLACIER_IR",
        legal_hold=True,
        object_tags=True,
    )
    with ScriptedBucket(PUT=[OK], HEAD=[HELD]) as bucket:
        put(lake_at(bucket.url, protection=chosen))
    sent = bucket.heard[0].headers
    assert {
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:eu-central-1:1:key/a",
        "x-amz-storage-class": "GLACIER_IR",
        "x-amz-object-lock-legal-hold": "ON",
        "x-amz-tagging": "kind=media&org=o1&date=2026-03-02",
    }.items() <= sent.items()
    signed = sent["authorization"]
    assert all(name in signed for name in sent if name.startswith("x-amz-"))


def test_default_asks_for_nothing(lake_at):
    """The bucket's own settings hold, and no permission but PutObject is needed."""
    with ScriptedBucket(PUT=[OK], HEAD=[HELD]) as bucket:
        put(lake_at(bucket.url))
    beside = ("lock", "encryption", "storage-class", "tagging", "acl", "meta")
    assert [] == [name for name in bucket.heard[0].headers if any(word in name for word in beside)]


def test_real_server_keeps_encryption_class_and_tags(lake, lake_client):
    """What was asked for is what the server says of the object."""
    chosen = Protection(sse="AES256", storage_class="STANDARD_IA", object_tags=True)
    put(LakeStore(lake_client, lake.location, Writing(chosen)))
    name = {"Bucket": lake.location.bucket, "Key": f"{lake.location.prefix}/{KEY}"}
    kept, tags = lake_client.head_object(**name), lake_client.get_object_tagging(**name)["TagSet"]
    assert ("AES256", "STANDARD_IA") == (kept["ServerSideEncryption"], kept["StorageClass"])
    assert tags_of(KEY) == {tag["Key"]: tag["Value"] for tag in tags}
    assert BODY == lake.read(KEY)


@pytest.mark.parametrize(
    ("key", "classed"),
    [
        (KEY, True),
        (KEY.replace(".wav", ".metadata.json"), True),
        ("manifests/date=2026-03-02/shard=a/b.json", False),
        ("quarantine/date=2026-03-02/x", False),
    ],
)
def test_storage_class_is_for_recordings(key, classed):
    """Manifests and commits are read every night; a class for the long term would make that dear or impossible."""
    assert classed == ("x-amz-storage-class" in Protection(storage_class="GLACIER_IR").headers(key, lambda: NOW))


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"OBJECT_LOCK_MODE": "compliance", "RETENTION_DAYS": "1"}, "OBJECT_LOCK_MODE"),
        ({"OBJECT_LOCK_MODE": "COMPLIANCE"}, "RETENTION_DAYS"),
        ({"OBJECT_LOCK_MODE": "COMPLIANCE", "RETENTION_DAYS": "0"}, "RETENTION_DAYS"),
        ({"OBJECT_LOCK_MODE": "COMPLIANCE", "RETENTION_DAYS": "-1"}, "RETENTION_DAYS"),
        ({"OBJECT_LOCK_MODE": "COMPLIANCE", "RETENTION_DAYS": "36501"}, "RETENTION_DAYS"),
        ({"OBJECT_LOCK_MODE": "COMPLIANCE", "RETENTION_DAYS": "ten"}, "RETENTION_DAYS"),
        ({"RETENTION_DAYS": "10"}, "OBJECT_LOCK_MODE"),
        ({"LEGAL_HOLD": "perhaps"}, "LEGAL_HOLD"),
        ({"SSE": "aes"}, "SSE"),
        ({"SSE_KMS_KEY_ID": "k"}, "SSE"),
        ({"SSE": "aws:kms", "SSE_KMS_KEY_ID": "k\r\nx-amz-acl: public-read"}, "SSE_KMS_KEY_ID"),
        ({"STORAGE_CLASS": "glacier"}, "STORAGE_CLASS"),
    ],
)
def test_value_that_is_none_names_its_variable(variables, named):
    """A lock that is set half is worse than none: each contradiction is refused by name."""
    with pytest.raises(ConfigurationError, match=f"RECORDING_ARCHIVE_{named} must be"):
        Protection.from_environment({f"RECORDING_ARCHIVE_{name}": value for name, value in variables.items()})


def test_variables_are_read():
    """Each field from its variable; what is empty has its default."""
    read = Protection.from_environment(
        {
            "RECORDING_ARCHIVE_OBJECT_LOCK_MODE": "GOVERNANCE",
            "RECORDING_ARCHIVE_RETENTION_DAYS": "3650",
            "RECORDING_ARCHIVE_LEGAL_HOLD": "True",
            "RECORDING_ARCHIVE_SSE": "",
            "RECORDING_ARCHIVE_OBJECT_TAGS": "no",
        }
    )
    assert Protection("GOVERNANCE", 3650, legal_hold=True) == read
    assert Protection() == Protection.from_environment({})


@given(org=st.text(), date=st.text())
def test_tags_survive_any_text(org, date):
    """S15: whatever an id holds, the header is ASCII, and says the same again when it is read."""
    key = f"media/org={org.replace('/', '')}/date={date.replace('/', '')}/x.wav"
    if "\ud800" <= max(key) <= "\udfff":
        return
    header = Protection(object_tags=True).headers(key, lambda: NOW)["x-amz-tagging"]
    assert header.isascii()
    assert header.isprintable()
    read = {name: values[0] for name, values in parse_qs(header, keep_blank_values=True).items()}
    assert tags_of(key) == read


@pytest.mark.parametrize("text", ["a\r\nx-amz-acl: public-read", "a\nb", "Jürgen", "\x00", "a\x7f", "日本"])
def test_header_that_is_no_printable_ascii_is_never_sent(lake_client, text):
    """S15: no name of a person becomes a header, and no line end one header more."""
    signed = SignedHttp(lake_client, "recordings")
    with pytest.raises(IntegrityError, match="printable ASCII"):
        signed.send(Request("PUT", "k", {"x-amz-meta-name": text}, UNSIGNED, b""))


@given(text=st.text())
def test_media_type_is_sent_as_it_is_or_not_at_all(text):
    """S15: any text at all either is a plain header or is refused before anything is sent."""
    from include.lake.signed_http import _HEADER  # noqa: PLC0415 - the rule itself

    assert bool(_HEADER.match(text)) == (text.isascii() and (text.isprintable()))
