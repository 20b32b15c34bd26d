"""A real S3 server for every test that asks for one: started once a session, on loopback, in a temporary folder."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from demo.object_store import running_object_store
from include.lake.store import LakeStore
from include.settings import LakeLocation
from tests.store_client import store_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from demo.object_store import ObjectStore
    from tests.sqs_server import SqsServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the server, so that no test can forget to and ``-m 'not s3'`` always starts nothing."""
    for item in items:
        if "object_store" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.s3)


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """Run SeaweedFS for the session; its bucket is shared, so take ``lake`` or a prefix of your own."""
    with running_object_store(tmp_path_factory.mktemp("object-store")) as store:
        yield store


@pytest.fixture(scope="session")
def lake_client(object_store: ObjectStore) -> Iterator[S3Client]:
    """Return a client that talks to the server as the archive does, not as the demo's readiness probe does."""
    client = store_client(object_store)
    yield client
    client.close()


@pytest.fixture(scope="session")
def sqs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqsServer]:
    """Run a server that speaks SQS for the session."""
    from tests.sqs_server import running_sqs  # noqa: PLC0415 - few tests need it

    with running_sqs(tmp_path_factory.mktemp("sqs")) as server:
        yield server


@pytest.fixture(scope="session")
def sqs(sqs_server: SqsServer) -> Iterator[SQSClient]:
    """Return a client for it."""
    client = sqs_server.client()
    yield client
    client.close()


@pytest.fixture
def queue_url(sqs_server: SqsServer, sqs: SQSClient) -> str:
    """Return the URL of an empty queue."""
    return sqs_server.new_queue(sqs)


@pytest.fixture
def lake(object_store: ObjectStore, lake_client: S3Client) -> LakeStore:
    """Return an empty lake: the shared bucket under a prefix that no other test has."""
    return LakeStore(lake_client, LakeLocation(object_store.bucket, f"tests/{uuid4().hex}"))


@pytest.fixture(scope="session")
def versioned_bucket(lake_client: S3Client) -> str:
    """Return the name of a second bucket of the same server, which keeps every version."""
    name = "kept-versions"
    lake_client.create_bucket(Bucket=name)
    lake_client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def versioned_lake(versioned_bucket: str, lake_client: S3Client) -> LakeStore:
    """Return an empty lake in the bucket that keeps every version."""
    return LakeStore(lake_client, LakeLocation(versioned_bucket, f"tests/{uuid4().hex}"))
