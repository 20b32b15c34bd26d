"""The metadata JSON inside a zip of many recordings: which member is which recording; pure.

No published schema exists for it, so reading is tolerant: field names in the spelling of the API, every entry on its
own, and what cannot be read makes members unmapped rather than lost.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from include.genesys.redaction import shown, unsigned
from include.lake.layout import is_uuid
from include.transfer.media.document import parsed
from include.transfer.metadata import MEDIA_TYPE_CHARACTERS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_FILE_FIELDS = ("fileName", "filename", "file", "path")
_DURATION_FIELDS = ("durationMs", "durationMilliseconds", "durationMillis")
_TEXT_FIELDS = ("errorMsg", "errorMessage", "error")
IDS_IN_A_NAME = 2


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One recording as the index describes it; ``declared`` is its JSON: no address in it has its signature."""

    conversation_id: str
    recording_id: str
    media_type: str | None
    declared: str
    duration_milliseconds: int | None = None


@dataclass(frozen=True, slots=True)
class IndexFailure:
    """A recording, or a whole conversation, that the index says could not be had."""

    conversation_id: str
    recording_id: str | None
    message: str


@dataclass(frozen=True, slots=True)
class BundleIndex:
    """What the index says of the members, by file name."""

    entries: Mapping[str, IndexEntry] = field(default_factory=dict)
    failures: tuple[IndexFailure, ...] = ()


def read_index(body: bytes) -> BundleIndex | None:
    """Read a JSON member; ``None`` where it is no index (a transcript, say, or no JSON at all).

    An object with one key twice says two things, and readers differ on which one they hear: such an index says nothing.
    """
    try:
        return _index_of(parsed(body, object_pairs_hook=_each_key_once, parse_constant=lambda _: None))
    except (ValueError, RecursionError):  # what was read at the limit of depth may be too deep to be written again
        return None


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice")
    return result


def _index_of(document: object) -> BundleIndex | None:
    rows = document.get("recordings") if isinstance(document, dict) else document
    if not isinstance(rows, list):
        return None
    failures = document.get("errors") if isinstance(document, dict) else None
    entries: dict[str, IndexEntry] = {}
    errors: list[IndexFailure] = []
    for row in (*_objects(rows), *_objects(failures if isinstance(failures, list) else [])):
        name, text = _first(row, _FILE_FIELDS), _first(row, _TEXT_FIELDS)
        conversation_id, recording_id = row.get("conversationId"), row.get("recordingId")
        if not is_uuid(conversation_id):
            continue
        if name and is_uuid(recording_id):
            declared = unsigned(json.dumps(row, sort_keys=True, ensure_ascii=False))
            media_type = row.get("contentType")
            entries[name] = IndexEntry(
                str(conversation_id),
                str(recording_id),
                str(media_type)[:MEDIA_TYPE_CHARACTERS_MAX] if media_type else None,
                declared,
                next((value for key in _DURATION_FIELDS if type(value := row.get(key)) is int), None),
            )
        elif not name:
            failure = IndexFailure(str(conversation_id), str(recording_id) if recording_id else None, shown(text))
            errors.append(failure)
    return BundleIndex(entries, tuple(errors)) if entries or errors or not rows else None


def ids_in_name(name: str) -> tuple[str, str] | None:
    """Return conversation and recording id where a member's name holds exactly these two UUIDs, in that order.

    >>> ids_in_name("notes.txt") is None
    True
    """
    found = _UUID.findall(name.lower())
    return (found[0], found[1]) if len(found) == IDS_IN_A_NAME else None


def _objects(rows: Iterable[object]) -> list[dict[str, object]]:
    return [cast("dict[str, object]", row) for row in rows if isinstance(row, dict)]


def _first(row: Mapping[str, object], names: Iterable[str]) -> str:
    return next((str(row[name]) for name in names if row.get(name)), "")
