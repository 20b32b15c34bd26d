"""A client of the tests' S3 server that talks to it as the archive does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3

from include.lake.store import client_config

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from demo.object_store import ObjectStore


def store_client(store: ObjectStore, **changed: object) -> S3Client:
    """Return it, with other arguments of boto3's where they are given; close it with ``close()``."""
    given = {
        "endpoint_url": store.endpoint_url,
        "aws_access_key_id": store.access_key,
        "aws_secret_access_key": store.secret_key,
        "region_name": store.region,
        "config": client_config(),
    }
    return boto3.client("s3", **{**given, **changed})
