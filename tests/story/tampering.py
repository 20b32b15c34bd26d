"""Hands on the bucket: what somebody with more rights than the archive could do to what it wrote."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.lake.store import LakeStore


class Tampering:
    """Changes objects of one lake behind its back; on a bucket with versions each change can be taken back."""

    def __init__(self, lake: LakeStore) -> None:
        self.lake = lake
        self._client = lake._client
        self._bucket = lake.location.bucket

    def place(self, key: str) -> dict[str, str]:
        """Return where boto3 finds a key."""
        return {"Bucket": self._bucket, "Key": f"{self.lake.location.prefix}/{key}"}

    def put(self, key: str, body: bytes) -> str:
        """Put bytes over whatever stands there, with a checksum of their own as any client sends one."""
        answer = self._client.put_object(**self.place(key), Body=body, ChecksumAlgorithm="SHA256")
        return answer.get("VersionId", "")

    @contextmanager
    def deleted(self, key: str) -> Iterator[None]:
        """Delete an object of a bucket without versions, and put it back."""
        body = self.lake.read(key)
        self._client.delete_object(**self.place(key))
        try:
            yield
        finally:
            self.put(key, body)

    @contextmanager
    def added(self, key: str, body: bytes = b"slipped in") -> Iterator[None]:
        """Put an object where none stood, and take it away again."""
        self.put(key, body)
        try:
            yield
        finally:
            self._client.delete_object(**self.place(key))

    @contextmanager
    def flipped(self, key: str, at: int | None = None) -> Iterator[None]:
        """Flip one bit of an object, in its middle unless told where."""
        body = bytearray(self.lake.read(key))
        body[len(body) // 2 if at is None else at] ^= 0x01
        with self.over({key: bytes(body)}):
            yield

    @contextmanager
    def swapped(self, one: str, other: str) -> Iterator[None]:
        """Put each of two objects in the other's place."""
        with self.over({one: self.lake.read(other), other: self.lake.read(one)}):
            yield

    @contextmanager
    def hidden(self, key: str) -> Iterator[None]:
        """Hide an object behind a delete marker, as a plain delete does on a bucket with versions."""
        marker = self._client.delete_object(**self.place(key))["VersionId"]
        try:
            yield
        finally:
            self._client.delete_object(**self.place(key), VersionId=marker)

    @contextmanager
    def over(self, bodies: dict[str, bytes]) -> Iterator[None]:
        """Put versions over objects and take them away again."""
        versions = {key: self.put(key, body) for key, body in bodies.items()}
        try:
            yield
        finally:
            for key, version in versions.items():
                self._client.delete_object(**self.place(key), VersionId=version)
