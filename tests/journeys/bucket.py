"""The bucket as somebody else sees it: listings by boto3, digests by rclone, which shares no code with the archive."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


class Bucket:
    """The archive's part of the S3 server; keys are without the archive's prefix."""

    def __init__(self, store, prefix):
        self._store, self._prefix = store, f"{prefix}/"
        self._client = store.client()

    def close(self):
        """Close the connections."""
        self._client.close()

    def listing(self, prefix=""):
        """Return ETag, size and time of the last change by key."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._store.bucket, Prefix=self._prefix + prefix
        )
        return {
            item["Key"].removeprefix(self._prefix): (item["ETag"], item["Size"], item["LastModified"])
            for page in pages
            for item in page.get("Contents", [])
        }

    def body(self, key):
        """Return the bytes of an object."""
        return self._client.get_object(Bucket=self._store.bucket, Key=self._prefix + key)["Body"].read()

    def put(self, key, body):
        """Put an object, as somebody would who is not the archive."""
        self._client.put_object(Bucket=self._store.bucket, Key=self._prefix + key, Body=body)

    def document(self, key):
        """Return a JSON document."""
        return json.loads(self.body(key))

    def report(self, day):
        """Return a day's report."""
        return self.document(f"reports/date={day}/report.json")

    def archived_items(self, day):
        """Return what the day's manifests say to be archived."""
        return [item for item in self.items(day) if item["outcome"] == "archived"]

    def items(self, day):
        """Return everything that the day's manifests say."""
        manifests = [self.document(key) for key in self.listing(f"manifests/date={day}/")]
        return [item for manifest in manifests for item in manifest["items"]]

    def sha256_by_key(self, prefix):
        """Return the digests that rclone computes from the bytes of every object below a prefix."""
        remote = f"lake:{self._store.bucket}/{self._prefix}{prefix}"
        done = subprocess.run(  # noqa: S603 - our own command
            [Path(sys.executable).with_name("rclone"), "hashsum", "sha256", "--download", remote],
            env={"PATH": os.defpath, "RCLONE_CONFIG": "/dev/null", **self._remote()},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        lines = (line.split("  ", 1) for line in done.stdout.splitlines())
        return {f"{prefix}{name}": digest for digest, name in lines}

    def _remote(self):
        facts = {
            "TYPE": "s3",
            "PROVIDER": "SeaweedFS",
            "ENDPOINT": self._store.endpoint_url,
            "ACCESS_KEY_ID": self._store.access_key,
            "SECRET_ACCESS_KEY": self._store.secret_key,
            "REGION": self._store.region,
        }
        return {f"RCLONE_CONFIG_LAKE_{name}": value for name, value in facts.items()}
