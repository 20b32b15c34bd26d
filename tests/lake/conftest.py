"""Ways to reach a bucket: through a proxy, with other keys, with boto3's own retries off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from include.lake.store import LakeStore, Writing, client_config
from include.settings import LakeLocation
from tests.lake.cutting_proxy import CuttingProxy
from tests.lake.large_object import PARTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from demo.object_store import ObjectStore

SECRET_KEY = "s3cr3t-key-that-nobody-may-read"


@pytest.fixture
def lake_at() -> Iterator[object]:
    """Return a builder of lakes at an address; without retries, one call is one request, given up soon."""
    clients = []

    def build(
        url: str,
        *,
        access_key: str = "canary",
        secret_key: str = SECRET_KEY,
        bucket: str = "recordings",
        prefix: str = "",
        retries: bool = False,
        read_timeout: float = 5,
        renew: Callable | None = None,
        **writing: object,
    ) -> LakeStore:
        config = client_config()
        if not retries:
            config = config.merge(
                Config(read_timeout=read_timeout, retries={"mode": "standard", "total_max_attempts": 1})
            )
        clients.append(
            boto3.client(
                "s3",
                endpoint_url=url,
                aws_access_key_id=access_key,
                aws_secret_access_key=secret_key,
                region_name="us-east-1",
                config=config,
            )
        )
        return LakeStore(
            clients[-1], LakeLocation(bucket, prefix), Writing(**{"sleep": lambda _: None, **writing}), renew
        )

    yield build
    for client in clients:
        client.close()


@pytest.fixture
def proxy(object_store: ObjectStore) -> Iterator[CuttingProxy]:
    """A proxy in front of the real server."""
    with CuttingProxy(object_store.endpoint_url) as running:
        yield running


@pytest.fixture
def lake_behind(
    lake: LakeStore, proxy: CuttingProxy, lake_at: Callable[..., LakeStore], object_store: ObjectStore
) -> Callable[..., LakeStore]:
    """Return a builder of the same lake as ``lake``, reached through the proxy."""

    def build(**how: object) -> LakeStore:
        keys = {"access_key": object_store.access_key, "secret_key": object_store.secret_key}
        return lake_at(proxy.url, bucket=lake.location.bucket, prefix=lake.location.prefix, **keys, **how)

    return build


@pytest.fixture
def large_lake(lake: LakeStore, lake_at: Callable[..., LakeStore], object_store: ObjectStore) -> LakeStore:
    """Return the same lake as ``lake``, with a low limit for uploads in parts."""
    keys = {"access_key": object_store.access_key, "secret_key": object_store.secret_key}
    place = {"bucket": lake.location.bucket, "prefix": lake.location.prefix}
    return lake_at(object_store.endpoint_url, **place, **keys, **PARTS)
