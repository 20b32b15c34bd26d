"""An object that the server copies by itself: the bytes make no second way through this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from include.lake.put_requests import IF_ABSENT, head_request
from include.lake.signed_http import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

COPY_BYTES_MAX = 5 * 1024**3
"""What one CopyObject takes (Amazon S3 API reference)."""


@dataclass(frozen=True, slots=True)
class CopySource:
    """An object whose bytes were read and hashed here, and of which its bucket keeps the same SHA-256.

    ``place`` is bucket and key. With ``etag`` the server copies the very object that was read, or nothing.
    """

    place: str
    etag: str
    endpoint: str

    def request(self, key: str, media_type: str, headers: Mapping[str, str]) -> Request:
        """Return CopyObject onto ``key`` unless that exists; ``headers`` protect the copy as they would an upload."""
        tags = {"x-amz-tagging-directive": "REPLACE"} if "x-amz-tagging" in headers else {}
        return Request(
            method="PUT",
            key=key,
            payload=head_request(key).payload,
            headers={
                "Content-Length": "0",
                "Content-Type": media_type,
                "x-amz-checksum-algorithm": "SHA256",
                "x-amz-copy-source": quote(self.place, safe="/"),
                "x-amz-copy-source-if-match": self.etag,
                "x-amz-metadata-directive": "REPLACE",
                **tags,
                **headers,
                **IF_ABSENT,
            },
        )
