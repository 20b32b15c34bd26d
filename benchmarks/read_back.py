"""What a lake really holds after a run: bytes from a real server, at least counts and sizes from the null sink."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

import boto3

from benchmarks.clock import WrongResultError
from benchmarks.store_under_test import BUCKET, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_s3 import S3Client

    from benchmarks.inputs import Item
    from benchmarks.store_under_test import StoreUnderTest

_PIECE_BYTES = 1024 * 1024


def stored_objects(store: StoreUnderTest, prefix: str) -> int:
    """Return how many objects there are below a prefix."""
    return sum(1 for _ in _listed(_client(store), prefix))


def check_stored(store: StoreUnderTest, prefix: str, items: Sequence[Item], *, besides: int) -> None:
    """Compare what the lake holds with the recordings; ``besides`` other objects (metadata, an index) may be there.

    Of a server that keeps bytes every object is read and hashed, which nobody's clock counts.

    Raises:
        WrongResultError: when a recording is missing or different, or other objects are there.
    """
    client = _client(store)
    expected: Counter[object] = Counter(item.sha256 if store.keeps_bytes else item.size for item in items)
    found: Counter[object] = Counter()
    for key, size in _listed(client, prefix):
        found[_digest(client, key) if store.keeps_bytes else size] += 1
    missing, extra = expected - found, found - expected
    if missing or extra.total() != besides:
        raise WrongResultError(
            f"{missing.total()} of {len(items)} recordings are missing in {store.name} below {prefix}, "
            f"and {extra.total()} other objects are there instead of {besides}"
        )


def _digest(client: S3Client, key: str) -> str:
    digest = hashlib.sha256()
    body = client.get_object(Bucket=BUCKET, Key=key)["Body"]
    while piece := body.read(_PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def _listed(client: S3Client, prefix: str) -> Iterator[tuple[str, int]]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
        for entry in page.get("Contents", []):
            yield entry["Key"], entry["Size"]


def _client(store: StoreUnderTest) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=store.url,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
        region_name=REGION,
    )
