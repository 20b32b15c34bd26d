"""Everything that stands and stood under a key, as the bucket lists it; only an audit asks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from include.lake.listing import listed_versions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from include.lake.bucket import Bucket


@dataclass(frozen=True, slots=True)
class Version:
    """One entry of ListObjectVersions; a bucket that keeps no versions calls its only one ``null``."""

    version_id: str
    bytes: int
    modified: datetime
    is_latest: bool
    is_delete_marker: bool


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """A key and its versions, the newest first."""

    key: str
    versions: tuple[Version, ...]

    @property
    def is_hidden(self) -> bool:
        """Whether a delete marker stands over what was written: a plain GET finds nothing."""
        return self.versions[0].is_delete_marker

    @property
    def is_overwritten(self) -> bool:
        """Whether the newest version was put over another one, which put-if-absent never does.

        Over a delete marker it may: what somebody deleted is archived again.
        """
        return len(self.versions) > 1 and not self.is_hidden and not self.versions[1].is_delete_marker


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """An upload in parts that was neither completed nor aborted."""

    key: str
    initiated: datetime


def histories(bucket: Bucket, root: str, prefix: str, where: str) -> Iterator[KeyHistory]:
    """Yield every key below ``root`` + ``prefix`` with all its versions, in the keys' order; keys lose ``root``.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: when they cannot be listed.
    """
    for key, entries in groupby(_entries(bucket, root + prefix, where), key=lambda entry: entry[0]):
        # The newest first; a second is all the time that S3 gives, so of one second the marker is taken for the later.
        newest_first = sorted((entry[1] for entry in entries), key=_age)
        yield KeyHistory(key.removeprefix(root), tuple(newest_first))


def _age(version: Version) -> tuple[bool, float, bool]:
    return not version.is_latest, -version.modified.timestamp(), not version.is_delete_marker


def _entries(bucket: Bucket, prefix: str, where: str) -> Iterator[tuple[str, Version]]:
    for page in listed_versions(bucket, prefix, where):
        found = [_entry(item, marker=False) for item in page.get("Versions") or []]
        found += [_entry(item, marker=True) for item in page.get("DeleteMarkers") or []]
        # A page holds two lists, each in the order of keys.
        yield from sorted(found, key=lambda entry: entry[0])


def _entry(item: dict[str, Any], *, marker: bool) -> tuple[str, Version]:
    version = Version(
        version_id=str(item.get("VersionId") or "null"),
        bytes=int(item.get("Size") or 0),
        modified=item["LastModified"],
        is_latest=bool(item.get("IsLatest")),
        is_delete_marker=marker,
    )
    return str(item["Key"]), version
