"""The bucket behind four verbs, against a real S3 server: write once, checksums, races, listing, credentials."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest

from include.canonical import sha256_hex
from include.errors import ConfigurationError, IntegrityError, LakeConflict, LakeUnavailable, NotAuthorised
from include.lake.store import LakeStore, StoredObject
from include.settings import LakeLocation

KEY = "media/a/0-x.wav"
RACERS = 8


def put(lake, key, body, **other):
    """Put bytes as audio would be put; ``other`` overrides what is said of them."""
    said = {"bytes_": len(body), "sha256": sha256_hex(body), "media_type": "audio/wav", **other}
    return lake.put_if_absent(key, io.BytesIO(body), **said)


@pytest.fixture(scope="module")
def versioned(lake_client):
    """Name a bucket that keeps every version, so that a second write cannot hide."""
    bucket = f"versioned-{uuid4().hex}"
    lake_client.create_bucket(Bucket=bucket)
    lake_client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def test_new_key_is_created_and_described_by_the_bucket(lake):
    """The answer to a put is what the bucket says of the object, not what was sent."""
    done = put(lake, KEY, b"RIFF")
    assert (True, StoredObject(KEY, 4, sha256_hex(b"RIFF"), done.stored.version_id)) == (done.created, done.stored)
    assert done.stored == lake.head(KEY)
    assert b"RIFF" == lake.read(KEY)


def test_object_keeps_its_media_type(lake, lake_client):
    """What a browser or Athena is told of the object is what was said at the put."""
    put(lake, KEY, b"RIFF")
    answer = lake_client.head_object(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/{KEY}")
    assert "audio/wav" == answer["ContentType"]


def test_same_bytes_again_are_no_second_object(lake):
    """Running again is harmless: nothing is created, nothing raised."""
    put(lake, KEY, b"RIFF")
    assert not put(lake, KEY, b"RIFF").created


def test_other_bytes_under_the_key_are_a_conflict_and_change_nothing(lake):
    """Write-once means once: the first bytes stay."""
    put(lake, KEY, b"first")
    with pytest.raises(LakeConflict) as caught:
        put(lake, KEY, b"other")
    assert b"first" == lake.read(KEY)
    assert KEY == caught.value.facts["key"]
    assert lake.uri(KEY) in str(caught.value)


def test_body_is_read_from_its_start_and_left_open(object_store, lake, lake_at):
    """A spool stands wherever the last reader left it, and its owner closes it."""
    keys = {"access_key": object_store.access_key, "secret_key": object_store.secret_key}
    same = lake_at(object_store.endpoint_url, prefix=lake.location.prefix, **keys)  # boto3's retries rewind: off here
    body = io.BytesIO(b"RIFF")
    body.read()
    assert same.put_if_absent(KEY, body, bytes_=4, sha256=sha256_hex(b"RIFF"), media_type="audio/wav").created
    assert b"RIFF" == lake.read(KEY)
    assert not body.closed


def test_large_body_comes_from_a_file(lake, tmp_path):
    """Audio too big for memory goes from disk, whole."""
    path = tmp_path / "long.wav"
    path.write_bytes(bytes(range(256)) * 40_000)
    digest = sha256_hex(path.read_bytes())
    with path.open("rb") as body:
        done = lake.put_if_absent(KEY, body, bytes_=path.stat().st_size, sha256=digest, media_type="audio/wav")
    assert (True, 10_240_000, digest) == (done.created, done.stored.bytes, done.stored.sha256)
    assert digest == sha256_hex(lake.read(KEY))


def test_wrong_checksum_is_refused_by_the_server_and_stores_nothing(lake):
    """Bytes that changed on their way do not get in."""
    with pytest.raises(IntegrityError, match="BadDigest"):
        put(lake, KEY, b"RIFF", sha256=sha256_hex(b"another recording"))
    assert lake.head(KEY) is None
    assert lake.read(KEY) is None


def test_absent_key_is_none(lake):
    """Nothing there is an answer, not an error."""
    assert (None, None, []) == (lake.head(KEY), lake.read(KEY), list(lake.list_keys("")))


def test_object_of_a_foreign_writer_has_no_checksum(lake, lake_client):
    """What another tool put without a SHA-256 is not taken for ours, and not overwritten."""
    lake_client.put_object(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/{KEY}", Body=b"RIFF")
    assert "" == lake.head(KEY).sha256
    with pytest.raises(LakeConflict):
        put(lake, KEY, b"RIFF")


def test_racing_writers_of_the_same_bytes_make_one_version(lake_client, versioned):
    """Eight workers on one key: one creates it, the others find it, and the bucket kept one version."""
    lake = LakeStore(lake_client, LakeLocation(versioned, "same"))
    start = Barrier(RACERS)

    def race(_):
        start.wait(10)
        return put(lake, KEY, b"RIFF").created

    with ThreadPoolExecutor(RACERS) as pool:
        created = list(pool.map(race, range(RACERS)))
    versions = lake_client.list_object_versions(Bucket=versioned, Prefix="same/")["Versions"]
    assert (1, 1) == (created.count(True), len(versions))


def test_racing_writers_of_the_same_view_make_one_version(lake_client, versioned):
    """Eight workers that write the same report at once, the first there is, make one version of it."""
    lake = LakeStore(lake_client, LakeLocation(versioned, "view"))
    for turn in range(3):
        start = Barrier(RACERS)

        def race(_, turn=turn, start=start):
            start.wait(10)
            return lake.put_latest(f"{turn}.md", b"a", "text/markdown")

        with ThreadPoolExecutor(RACERS) as pool:
            written = list(pool.map(race, range(RACERS)))
        versions = lake_client.list_object_versions(Bucket=versioned, Prefix=f"view/{turn}")["Versions"]
        assert (1, 1) == (written.count(True), len(versions))


def test_racing_writers_of_other_bytes_make_one_winner(lake_client, versioned):
    """Eight workers with eight bodies: one wins, seven are told, and the object is the winner's."""
    lake = LakeStore(lake_client, LakeLocation(versioned, "other"))
    start = Barrier(RACERS)

    def race(number):
        start.wait(10)
        try:
            return put(lake, KEY, b"body %d" % number).created
        except LakeConflict:
            return "conflict"

    with ThreadPoolExecutor(RACERS) as pool:
        ends = list(pool.map(race, range(RACERS)))
    versions = lake_client.list_object_versions(Bucket=versioned, Prefix="other/")["Versions"]
    assert (1, RACERS - 1, 1) == (ends.count(True), ends.count("conflict"), len(versions))
    assert b"body %d" % ends.index(True) == lake.read(KEY)


def test_version_id_is_told_where_the_bucket_keeps_versions(lake_client, versioned):
    """The proof can name the very version."""
    done = put(LakeStore(lake_client, LakeLocation(versioned, "named")), KEY, b"RIFF")
    assert done.stored.version_id


def test_latest_is_written_only_where_its_bytes_differ(lake_client, versioned):
    """A report that says the same makes no new version; one that says something else replaces it."""
    lake = LakeStore(lake_client, LakeLocation(versioned, "latest"))
    written = [lake.put_latest("r.md", body, "text/markdown") for body in (b"a", b"a", b"b", b"b")]
    versions = lake_client.list_object_versions(Bucket=versioned, Prefix="latest/")["Versions"]
    assert ([True, False, True, False], 2, b"b") == (written, len(versions), lake.read("r.md"))


def test_listing_begins_behind_a_key(lake):
    """``after`` is exclusive, and keys come without the lake's prefix, in order."""
    for name in ("c", "a", "b", "d"):
        put(lake, f"x/{name}", b"1")
    put(lake, "y/e", b"1")
    assert ["x/a", "x/b", "x/c", "x/d"] == list(lake.list_keys("x/"))
    assert ["x/c", "x/d"] == list(lake.list_keys("x/", after="x/b"))
    assert ["x/a", "x/b", "x/c", "x/d"] == list(lake.list_keys("x/", after="x/"))


def test_listing_goes_on_past_the_first_thousand(lake, lake_client):
    """S3 gives a thousand keys a page; a day has more."""
    keys = [f"many/{number:05d}" for number in range(1003)]

    def store(key):
        lake_client.put_object(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/{key}", Body=b"1")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(store, keys))
    assert keys == list(lake.list_keys("many/"))
    assert keys[2:] == list(lake.list_keys("many/", after=keys[1]))


def test_lake_without_a_prefix_stands_at_the_top_of_the_bucket(lake_client, versioned):
    """The prefix is optional."""
    lake = LakeStore(lake_client, LakeLocation(versioned))
    put(lake, "top", b"1")
    assert (f"s3://{versioned}/top", ["top"]) == (lake.uri("top"), list(lake.list_keys("top")))


@pytest.mark.parametrize(
    "call",
    [
        lambda lake: put(lake, KEY, b"RIFF"),
        lambda lake: lake.head(KEY),
        lambda lake: lake.read(KEY),
        lambda lake: list(lake.list_keys("")),
        lambda lake: lake.put_latest("r.md", b"a", "text/markdown"),
    ],
    ids=["put", "head", "read", "list", "put_latest"],
)
@pytest.mark.parametrize("wrong", ["access_key", "secret_key"])
def test_wrong_keys_are_not_authorised_and_named_by_their_connection(object_store, lake_at, call, wrong):
    """The person on call reads which connection to correct, and never the secret."""
    keys = {"access_key": object_store.access_key, "secret_key": object_store.secret_key, wrong: "wrong-" + "k" * 20}
    lake = lake_at(object_store.endpoint_url, **keys)
    with pytest.raises(NotAuthorised, match="recording_lake") as caught:
        call(lake)
    assert keys["secret_key"] not in f"{caught.value!r} {caught.value.facts}"


def test_missing_bucket_is_a_matter_of_configuration(object_store, lake_at):
    """A misspelt bucket does not come into being by waiting (this server makes one of a put, by an admin's key)."""
    keys = {"access_key": object_store.access_key, "secret_key": object_store.secret_key}
    with pytest.raises(ConfigurationError, match=r"s3://no-such-bucket/.*does not exist"):
        list(lake_at(object_store.endpoint_url, bucket="no-such-bucket", **keys).list_keys(""))


def test_nobody_listening_is_a_matter_of_time(lake_at, unused_port):
    """A server that is down may come back: retriable."""
    with pytest.raises(LakeUnavailable, match="EndpointConnectionError"):
        lake_at(f"http://127.0.0.1:{unused_port}").read(KEY)


@pytest.fixture
def unused_port():
    """Return a port on which nobody listens."""
    from demo.ports import free_ports  # noqa: PLC0415 - only this fixture needs it

    return free_ports(1)[0]


def test_small_object_is_read_as_any_other(lake):
    """The shorter way reads the same bytes, says the same of what is not there, and refuses what is not small."""
    body = b'{"a":1}\n'
    lake.put_document("small.json", body)
    put(lake, "large.bin", bytes(9 * 1024 * 1024))
    assert (body, None) == (lake.read_small("small.json"), lake.read_small("absent.json"))
    with pytest.raises(LakeUnavailable):
        lake.read_small("large.bin")
