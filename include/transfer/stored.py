"""What the bucket already holds of a shard: the reason why no task fetches a recording twice."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from include.canonical import sha256_hex
from include.errors import IntegrityError
from include.lake import key_reading, layout
from include.outcome import ItemRecord, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from include.lake.store import LakeStore

StoredParts = dict[tuple[str, str], dict[str, int]]
"""(conversation, recording) → SHA-256 → part number, of parts whose metadata is there too.

Not by number: two runs at once that got different bytes have both written a part 0, and both are in the lake.
"""


def stored_parts(lake: LakeStore, org: str, date: str, conversation_ids: Sequence[str]) -> StoredParts:
    """List the complete parts of these conversations: one walk over the shard's stretch of the sorted keys."""
    parts: StoredParts = {}
    media: dict[tuple[layout.MediaIdentity, str], bool] = {}
    if not conversation_ids:
        return parts
    wanted = frozenset(conversation_ids)
    last = layout.conversation_prefix(org, date, max(wanted)) + "\uffff"
    # StartAfter is exclusive, and a prefix itself is never a key.
    first = layout.conversation_prefix(org, date, min(wanted))
    for key in lake.list_keys(layout.media_day_prefix(org, date), after=first):
        if key > last:
            break
        found = key_reading.MediaKey.parse(key)
        if found is None or found.identity.conversation_id not in wanted:
            continue
        place = (found.identity, found.sha256)
        # Data before anything that refers to it: only a part whose second object is there too is finished.
        if place not in media:
            media[place] = True
            continue
        recording = (found.identity.conversation_id, found.identity.recording_id)
        parts.setdefault(recording, {})[found.sha256] = found.identity.part
    return parts


def stored_recording(lake: LakeStore, identity: layout.MediaIdentity, parts: Mapping[str, int]) -> list[ItemRecord]:
    """Return the records of a recording's parts that are in the bucket.

    Raises:
        IntegrityError: when audio and metadata of a part do not agree.
    """
    return [stored_record(lake, replace(identity, part=part), sha256) for sha256, part in _numbered(parts)]


def _numbered(parts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(parts.items(), key=lambda item: (item[1], item[0]))


def stored_record(lake: LakeStore, identity: layout.MediaIdentity, sha256: str) -> ItemRecord:
    """Return the record of a part that is in the bucket, from its metadata, checked against the bucket's own word.

    Raises:
        IntegrityError: when audio and metadata do not agree: somebody changed one of them.
    """
    metadata_key = layout.metadata_key(identity, sha256)
    body = lake.read(metadata_key)
    if body is None:
        raise IntegrityError(f"{lake.uri(metadata_key)} vanished while it was read.", key=metadata_key)
    try:
        document = json.loads(body)
        media: dict[str, Any] = {name: document["media"][name] for name in ("key", "bytes", "media_type")}
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"{lake.uri(metadata_key)} is no metadata of a recording.", key=metadata_key) from error
    found = lake.head(str(media["key"]))
    if found is None or (found.bytes, found.sha256) != (media["bytes"], sha256):
        raise IntegrityError(f"{lake.uri(str(media['key']))} is not what its metadata says.", key=media["key"])
    return ItemRecord(
        conversation_id=identity.conversation_id,
        recording_id=identity.recording_id,
        part=identity.part,
        outcome=Outcome.ARCHIVED,
        key=media["key"],
        sha256=sha256,
        bytes=media["bytes"],
        media_type=media["media_type"],
        metadata_key=metadata_key,
        metadata_sha256=sha256_hex(body),
        version_id=found.version_id or "",
    )
