"""The embedded S3 server keeps what it was given and lets nobody else in."""

from __future__ import annotations

import stat

import pytest
import urllib3
from botocore.exceptions import ClientError

from demo.object_store import ObjectStore, running_object_store

pytestmark = pytest.mark.s3


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A running S3 server on a new folder."""
    with running_object_store(tmp_path_factory.mktemp("store")) as running:
        yield running


def test_second_start_finds_the_objects_of_the_first(tmp_path):
    """Objects and credentials survive a stop."""
    with running_object_store(tmp_path) as first:
        first.client().put_object(Bucket=first.bucket, Key="kept", Body=b"x")
    with running_object_store(tmp_path) as second:
        body = second.client().get_object(Bucket=second.bucket, Key="kept")["Body"].read()
    assert (b"x", first.access_key, first.secret_key) == (body, second.access_key, second.secret_key)


def test_credentials_file_is_private(tmp_path):
    """The key pair is readable by its owner only."""
    with running_object_store(tmp_path):
        pass
    assert 0o600 == stat.S_IMODE((tmp_path / "s3.json").stat().st_mode)


def test_put_if_absent_is_honoured(store):
    """A second put with If-None-Match is refused with 412: the archive's exactly-once rests on it."""
    client = store.client()
    client.put_object(Bucket=store.bucket, Key="once", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError) as caught:
        client.put_object(Bucket=store.bucket, Key="once", Body=b"2", IfNoneMatch="*")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412


def test_anonymous_and_wrong_key_are_refused(store):
    """Without the right key nothing is written."""
    stranger = ObjectStore(store.endpoint_url, store.access_key, "wrong")
    with pytest.raises(ClientError) as caught:
        stranger.client().put_object(Bucket=store.bucket, Key="stranger", Body=b"1")
    with urllib3.PoolManager() as pool:
        anonymous = pool.request("PUT", f"{store.endpoint_url}/{store.bucket}/stranger", body=b"1", retries=False)
    assert (403, 403) == (caught.value.response["ResponseMetadata"]["HTTPStatusCode"], anonymous.status)


def test_secret_key_is_not_in_the_repr(store):
    """A printed store shows no secret."""
    assert store.secret_key not in repr(store)
