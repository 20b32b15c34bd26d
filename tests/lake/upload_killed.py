"""A worker that uploads a file in parts and is killed by its test: run as a program, never imported."""

from __future__ import annotations

import sys

import boto3

from include.canonical import sha256_hex
from include.lake.store import LakeStore, Writing, client_config
from include.settings import LakeLocation


def main(endpoint: str, access_key: str, secret_key: str, bucket: str, prefix: str, key: str, path: str) -> None:
    """Upload the file at ``path``; the address is the proxy's, which never lets one part through."""
    client = boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id=access_key, aws_secret_access_key=secret_key,
        region_name="us-east-1", config=client_config(),
    )  # fmt: skip
    lake = LakeStore(client, LakeLocation(bucket, prefix), Writing(multipart_bytes=1, part_bytes=1, concurrent_parts=1))
    with open(path, "rb") as body:  # noqa: PTH123 - a plain program
        content = body.read()
        lake.put_if_absent(key, body, bytes_=len(content), sha256=sha256_hex(content), media_type="audio/wav")


if __name__ == "__main__":
    main(*sys.argv[1:])
