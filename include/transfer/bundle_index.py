"""The metadata JSON inside a zip of many recordings: which member is which recording; pure.

No published schema exists for it, so reading is tolerant: field names in the spelling of the API, rows in a list, by
their ids or below their calls, every one on its own, and what cannot be read makes members unmapped rather than lost.
Which member a row without a file describes is for ``bundle_assignment``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from include.genesys.redaction import shown, unsigned
from include.lake.layout import is_uuid
from include.transfer.media.document import parsed
from include.transfer.metadata import MEDIA_TYPE_CHARACTERS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Row = dict[str, object]

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_FILE_FIELDS = ("fileName", "filename", "file", "path")
_DURATION_FIELDS = ("durationMs", "durationMilliseconds", "durationMillis")
_LISTS = ("recordings", "conversations")
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
    """What the index says of the members, by file name; ``nameless`` rows have ids, and neither a file nor a reason."""

    entries: Mapping[str, IndexEntry] = field(default_factory=dict)
    failures: tuple[IndexFailure, ...] = ()
    nameless: tuple[IndexEntry, ...] = ()


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
    rows = _rows_of(document)
    if rows is None:
        return None
    failures = document.get("errors") if isinstance(document, dict) else None
    entries: dict[str, IndexEntry] = {}
    errors: list[IndexFailure] = []
    nameless: list[IndexEntry] = []
    for row in (*rows, *_objects(failures if isinstance(failures, list) else [])):
        name, text = _first(row, _FILE_FIELDS), _first(row, _TEXT_FIELDS)
        conversation_id, recording_id = row.get("conversationId"), row.get("recordingId")
        if not is_uuid(conversation_id):
            continue
        if is_uuid(recording_id) and (name or not text):
            entry = _entry(str(conversation_id), str(recording_id), row)
            if name:
                entries[name] = entry
            else:
                nameless.append(entry)
        elif not name:
            failure = IndexFailure(str(conversation_id), str(recording_id) if recording_id else None, shown(text))
            errors.append(failure)
    is_index = entries or errors or nameless or not rows
    return BundleIndex(entries, tuple(errors), tuple(nameless)) if is_index else None


def _entry(conversation_id: str, recording_id: str, row: Row) -> IndexEntry:
    media_type = row.get("contentType")
    return IndexEntry(
        conversation_id,
        recording_id,
        str(media_type)[:MEDIA_TYPE_CHARACTERS_MAX] if media_type else None,
        unsigned(json.dumps(row, sort_keys=True, ensure_ascii=False)),
        next((value for key in _DURATION_FIELDS if type(value := row.get(key)) is int), None),
    )


def _rows_of(document: object) -> list[Row] | None:
    """Return the rows, one for each recording: listed, by their ids, or below their calls; ``None`` for no index."""
    rows = document
    if isinstance(document, dict):
        rows = next((document[name] for name in _LISTS if isinstance(document.get(name), list | dict)), document)
    if isinstance(rows, dict) and not (rows and all(map(is_uuid, rows))):
        return None
    if not isinstance(rows, list | dict):
        return None
    found: list[Row] = []
    for key, row in _keyed(rows):
        inner = row.get("recordings")
        if isinstance(inner, list | dict):
            call = row.get("conversationId", key)
            found += (_with(one, conversationId=call, recordingId=below) for below, one in _keyed(inner))
        else:
            found.append(_with(row, **{"conversationId" if "recordingId" in row else "recordingId": key}))
    return found


def _keyed(rows: list[object] | dict[str, object]) -> Iterator[tuple[str | None, Row]]:
    """Yield the objects of a list, or those of an object, each with its key."""
    pairs = rows.items() if isinstance(rows, dict) else ((None, row) for row in rows)
    return ((key, cast("Row", row)) for key, row in pairs if isinstance(row, dict))


def _with(row: Row, **around: object) -> Row:
    """Return a row with what stands around it, where it does not say so itself."""
    return {**{name: value for name, value in around.items() if value is not None}, **row}


@lru_cache(maxsize=4096)
def uuids_in(name: str) -> tuple[str, ...]:
    """Return the UUIDs that a member's name holds, in their order and in lower case.

    Asked of each member of an archive for each of its members that may be the index: remembered.
    """
    return tuple(_UUID.findall(name.lower()))


def ids_in_name(name: str) -> tuple[str, str] | None:
    """Return conversation and recording id where a member's name holds exactly these two UUIDs, in that order.

    >>> ids_in_name("notes.txt") is None
    True
    """
    found = uuids_in(name)
    return (found[0], found[1]) if len(found) == IDS_IN_A_NAME else None


def _objects(rows: Iterable[object]) -> list[Row]:
    return [cast("Row", row) for row in rows if isinstance(row, dict)]


def _first(row: Mapping[str, object], names: Iterable[str]) -> str:
    return next((str(row[name]) for name in names if row.get(name)), "")
