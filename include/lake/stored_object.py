"""What the bucket itself says of an object, and what that proves."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SHA256_METADATA = "sha256"
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_FULL_OBJECT = "FULL_OBJECT"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What the bucket says of a key; ``sha256`` is empty where it holds none that means the whole object.

    Of an object sent in one request, ``sha256`` is the bucket's own: it refused every other body, and ``crc64nvme`` is
    empty. S3 computes no SHA-256 over an object sent in parts, only ``crc64nvme`` (base64, over all its bytes); then
    ``sha256`` is the one the writer pinned when it opened the upload. The writer completes an upload only after the
    SHA-256 of the very bytes it sent was that one, and their CRC64NVME is what the bucket computed.
    """

    key: str
    bytes: int
    sha256: str
    version_id: str | None = None
    crc64nvme: str = ""

    @classmethod
    def of_head(cls, key: str, headers: Mapping[str, str]) -> StoredObject:
        """Read the headers of an answer to HeadObject with checksums, names in small letters."""
        own = _whole_sha256(headers.get("x-amz-checksum-sha256", ""))
        crc = ""
        if not own and headers.get("x-amz-checksum-type") == _FULL_OBJECT:
            crc = headers.get("x-amz-checksum-crc64nvme", "")
        pinned = headers.get(f"x-amz-meta-{SHA256_METADATA}", "") if crc else ""
        return cls(
            key=key,
            bytes=int(headers["content-length"]),
            sha256=own or (pinned if _SHA256.match(pinned) else ""),
            version_id=headers.get("x-amz-version-id") or None,
            crc64nvme=crc,
        )


@dataclass(frozen=True, slots=True)
class Put:
    """The end of a put. ``created`` is true where this call saw the bucket create the object.

    It is false where the same bytes stood there already, and where they were found after the answer had been lost.
    """

    stored: StoredObject
    created: bool


def _whole_sha256(encoded: str) -> str:
    """Return the digest in hex; ``<digest>-<parts>`` is a digest of digests, which proves nothing here (AWS S3)."""
    try:
        return "" if "-" in encoded else base64.b64decode(encoded, validate=True).hex()
    except ValueError:  # binascii.Error among them
        return ""
