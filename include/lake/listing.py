"""Listings of a bucket, page after page (S3 ``ListObjectsV2``, ``ListObjectVersions``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from include.lake.s3_errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.lake.bucket import Bucket


def listed(bucket: Bucket, prefix: str, uri: str, **arguments: object) -> Iterator[dict[str, Any]]:
    """Yield the pages of what lies below a full prefix; ``uri`` is its address for people.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket does not list it.
    """
    while True:
        with translated(uri):
            page = bucket.call("list_objects_v2", Prefix=prefix, **arguments)
        yield page
        if not page.get("IsTruncated"):
            return
        arguments["ContinuationToken"] = page["NextContinuationToken"]


def listed_versions(bucket: Bucket, prefix: str, uri: str) -> Iterator[dict[str, Any]]:
    """Yield the pages of all versions and delete markers below a full prefix, as ``listed`` does."""
    place: dict[str, object] = {}
    while True:
        with translated(uri):
            page = bucket.call("list_object_versions", Prefix=prefix, **place)
        yield page
        if not page.get("IsTruncated"):
            return
        place = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page.get("NextVersionIdMarker") or ""}
