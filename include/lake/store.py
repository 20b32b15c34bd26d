"""The bucket behind four verbs: put once, look, read, list.

Write-once is the server's work (``If-None-Match: *``), integrity too (``x-amz-checksum-sha256``), and every write is
read back. Clients come from Airflow's S3Hook, so every way of signing in that the amazon provider knows works here.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol, cast

from botocore.config import Config

from include.errors import IntegrityError, LakeConflict, LakeUnavailable
from include.lake.canonical import sha256_hex
from include.lake.s3_errors import ConflictingWriteError, KeyAbsentError, KeyExistsError, translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.settings import LakeLocation

CONFLICT_ATTEMPTS = 3
JSON_TYPE = "application/json"


def client_config() -> Config:
    """Return how boto3 must talk to the lake.

    The SHA-256 is computed once, while downloading, and sent as the object's checksum; hashing every body a second
    time for the signature and a third time for a CRC would only cost CPU. Retries of a put are safe: the key is
    write-once, and a 412 after a lost reply is read back.
    """
    return Config(
        signature_version="s3v4",
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "max_attempts": 4},
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=32,
        s3={"payload_signing_enabled": False},
    )


class S3Client(Protocol):
    """The calls of boto3's S3 client that the lake uses."""

    def put_object(self, **kwargs: object) -> dict[str, object]:
        """PutObject."""

    def head_object(self, **kwargs: object) -> dict[str, object]:
        """HeadObject."""

    def get_object(self, **kwargs: object) -> dict[str, object]:
        """GetObject."""

    def list_objects_v2(self, **kwargs: object) -> dict[str, object]:
        """ListObjectsV2."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What the bucket itself says of an object; ``sha256`` is empty where it kept no such checksum."""

    key: str
    bytes: int
    sha256: str
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """The end of a put: ``created`` is false where the same bytes stood there already."""

    stored: StoredObject
    created: bool


class LakeStore:
    """One lake: a bucket and a prefix. Keys are those of ``layout``, without the prefix. Thread-safe, as boto3 is."""

    def __init__(self, client: S3Client, location: LakeLocation) -> None:
        self._client = client
        self.location = location
        self._prefix = f"{location.prefix}/" if location.prefix else ""

    def uri(self, key: str) -> str:
        """Return the full ``s3://`` address of a key, for people."""
        return f"s3://{self.location.bucket}/{self._prefix}{key}"

    def put_if_absent(self, key: str, body: IO[bytes], *, bytes_: int, sha256: str, media_type: str) -> Put:
        """Write the object unless the key exists, and read it back.

        ``body`` is read from its start and stays open. Same bytes under the key already: nothing happens.

        Raises:
            LakeConflict: other bytes stand under the key.
            IntegrityError: the bucket holds something else than it was sent.
            LakeUnavailable: no answer; what happened is unknown and the put may be repeated.
            NotAuthorised, ConfigurationError: the credentials or the bucket are wrong.
        """
        created = self._put_new(key, body, bytes_, sha256, media_type)
        stored = self.head(key)
        if stored is None:
            raise LakeUnavailable(f"{self.uri(key)} is not there after it was written.", key=key)
        if (stored.bytes, stored.sha256) == (bytes_, sha256):
            return Put(stored, created)
        if created:
            raise IntegrityError(f"{self.uri(key)} holds {stored.bytes} bytes, not what was sent.", key=key)
        raise LakeConflict(f"{self.uri(key)} already holds other bytes; nothing was overwritten.", key=key)

    def put_document(self, key: str, body: bytes) -> Put:
        """Write a JSON document unless the key exists; raises as ``put_if_absent`` does."""
        return self.put_if_absent(
            key, io.BytesIO(body), bytes_=len(body), sha256=sha256_hex(body), media_type=JSON_TYPE
        )

    def put_latest(self, key: str, body: bytes, media_type: str) -> bool:
        """Write a view that may be replaced (a report), only where its bytes differ; tell whether it was written.

        Raises:
            LakeUnavailable, NotAuthorised, ConfigurationError: as ``put_if_absent``.
        """
        digest = sha256_hex(body)
        current = self.head(key)
        if current is not None and current.sha256 == digest:
            return False
        with translated(self.uri(key)):
            self._client.put_object(**self._put_arguments(key, io.BytesIO(body), len(body), digest, media_type))
        return True

    def head(self, key: str) -> StoredObject | None:
        """Return what the bucket says of the key, ``None`` where it holds nothing there."""
        try:
            with translated(self.uri(key), KeyAbsentError):
                answer = self._client.head_object(
                    Bucket=self.location.bucket, Key=self._prefix + key, ChecksumMode="ENABLED"
                )
        except KeyAbsentError:
            return None
        encoded = str(answer.get("ChecksumSHA256") or "")
        return StoredObject(
            key=key,
            bytes=int(cast("int", answer["ContentLength"])),
            # "<digest>-<parts>" is a digest of digests, of an object that somebody else wrote in parts (AWS S3).
            sha256="" if "-" in encoded else base64.b64decode(encoded).hex(),
            version_id=cast("str | None", answer.get("VersionId")),
        )

    def read(self, key: str) -> bytes | None:
        """Return a small object whole, ``None`` where there is none."""
        try:
            with translated(self.uri(key), KeyAbsentError):
                answer = self._client.get_object(Bucket=self.location.bucket, Key=self._prefix + key)
                return cast("IO[bytes]", answer["Body"]).read()
        except KeyAbsentError:
            return None

    def list_keys(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """Yield the keys below the prefix in order, beginning behind ``after``."""
        arguments: dict[str, object] = {"Bucket": self.location.bucket, "Prefix": self._prefix + prefix}
        if after:
            arguments["StartAfter"] = self._prefix + after
        while True:
            with translated(self.uri(prefix)):
                page = self._client.list_objects_v2(**arguments)
            for entry in cast("list[dict[str, str]]", page.get("Contents") or []):
                yield entry["Key"].removeprefix(self._prefix)
            if not page.get("IsTruncated"):
                return
            arguments["ContinuationToken"] = page["NextContinuationToken"]

    def _put_new(self, key: str, body: IO[bytes], bytes_: int, sha256: str, media_type: str) -> bool:
        """Put with ``If-None-Match: *``; tell whether this call created the object."""
        for attempt in range(1, CONFLICT_ATTEMPTS + 1):
            body.seek(0)
            arguments = self._put_arguments(key, body, bytes_, sha256, media_type)
            try:
                with translated(self.uri(key), KeyExistsError, ConflictingWriteError):
                    self._client.put_object(**arguments, IfNoneMatch="*")
            except KeyExistsError:
                return False
            except ConflictingWriteError:
                # 409: another put of this key is under way; AWS says to send it again.
                if attempt == CONFLICT_ATTEMPTS:
                    raise LakeUnavailable(f"{self.uri(key)} is being written by others.", key=key) from None
                continue
            except LakeUnavailable:
                # No answer does not mean no effect: read back before anyone calls it a failure.
                found = self.head(key)
                if found is None:
                    raise
                return False
            return True
        raise AssertionError("unreachable")  # pragma: no cover - the loop returns or raises

    def _put_arguments(self, key: str, body: IO[bytes], bytes_: int, sha256: str, media_type: str) -> dict[str, object]:
        return {
            "Bucket": self.location.bucket,
            "Key": self._prefix + key,
            "Body": body,
            "ContentLength": bytes_,
            "ContentType": media_type,
            "ChecksumSHA256": base64.b64encode(bytes.fromhex(sha256)).decode(),
        }
