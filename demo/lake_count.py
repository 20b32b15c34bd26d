"""What lies in the bucket: objects and bytes by the first part of their key, and one JSON document by its key."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from include.audit.balance import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from demo.object_store import ObjectStore

METADATA_SUFFIX = ".metadata.json"


@dataclass(frozen=True)
class Amount:
    """A number of objects and their bytes together."""

    objects: int = 0
    bytes: int = 0

    def plus(self, size: int) -> Amount:
        """Return the amount with one more object in it."""
        return Amount(self.objects + 1, self.bytes + size)

    def __str__(self) -> str:
        return f"{self.objects:,} objects, {readable(self.bytes)}"


class Lake:
    """A reader of one archive in the S3 server; close it with ``close()``."""

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self._client, self._bucket, self._prefix = store.client(), store.bucket, f"{prefix}/"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def amounts(self, date: str = "") -> Mapping[str, Amount]:
        """Return what is there by kind (media, metadata, manifests, ...), of one day or of all."""
        found: dict[str, Amount] = defaultdict(Amount)
        for key, size in self._objects():
            if date and f"date={date}/" not in key:
                continue
            kind = "metadata" if key.endswith(METADATA_SUFFIX) else key.split("/", 1)[0]
            found[kind] = found[kind].plus(size)
        return found

    def keys(self, prefix: str) -> list[str]:
        """Return the keys below a prefix, sorted; both without the archive's own prefix."""
        return sorted(key for key, _ in self._objects(prefix))

    def document(self, key: str) -> dict[str, Any] | None:
        """Return a JSON document, or None where there is none that can be read."""
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)["Body"].read()
            found = json.loads(body)
        except (BotoCoreError, ClientError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def _objects(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
            for found in page.get("Contents", []):
                yield found["Key"].removeprefix(self._prefix), found["Size"]
