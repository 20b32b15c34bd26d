"""Which member of a zip a row of its index describes, where the row does not say so in as many words; pure.

No published schema says how a row names its file. A row may leave out the folder, or name only the ids, and a file may
be called by the recording's id, or the call's. Whatever can be meant in one way only is taken for it, and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from include.transfer.bundle_index import BundleIndex, IndexEntry, IndexFailure, ids_in_name, uuids_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

Place = tuple[str, str]
"""Conversation and recording."""


def assigned(index: BundleIndex, names: AbstractSet[str]) -> BundleIndex:
    """Return the index with every row under the name of the member that it describes.

    Rows without a file that describe no member of ``names`` are among its failures, with no word why.
    """
    entries = _by_last_name(index.entries, names)
    members = _by_place(index.nameless, [name for name in names if name not in entries])
    failures = list(index.failures)
    for place, rows in _rows_by_place(index.nameless).items():
        own = members.get(place, ())
        entries |= dict.fromkeys(own, _one_of(rows))
        # A row for each part: with fewer members than rows, a part is missing.
        failures += [IndexFailure(*place, "")] * max(0, len(rows) - (len(own) if len(rows) > 1 else bool(own)))
    return BundleIndex(entries, tuple(failures))


def _by_last_name(entries: Mapping[str, IndexEntry], names: AbstractSet[str]) -> dict[str, IndexEntry]:
    """Return the entries, those that left out or added a folder under the whole name of their member."""
    found, lost = dict(entries), _by_end(entries.keys() - names)
    free = _by_end(name for name in names if name not in entries and _end(name) in lost)
    for end, spelt in lost.items():
        if len(spelt) == len(free.get(end, ())) == 1:
            found[free[end][0]] = found.pop(spelt[0])
    return found


def _by_end(names: Iterable[str]) -> dict[str, list[str]]:
    ends: dict[str, list[str]] = defaultdict(list)
    for name in names:
        ends[_end(name)].append(name)
    return ends


def _end(name: str) -> str:
    return name.rpartition("/")[2]


def _rows_by_place(rows: Iterable[IndexEntry]) -> dict[Place, list[IndexEntry]]:
    places: dict[Place, list[IndexEntry]] = defaultdict(list)
    for row in rows:
        places[row.conversation_id, row.recording_id].append(row)
    return places


def _by_place(rows: Sequence[IndexEntry], names: Iterable[str]) -> dict[Place, list[str]]:
    """Return the members that only one of the places in ``rows`` can be meant by."""
    known: dict[str, set[Place]] = defaultdict(set)
    for row in rows:
        known[row.recording_id].add((row.conversation_id, row.recording_id))
        known[row.conversation_id].add((row.conversation_id, row.recording_id))
    found: dict[Place, list[str]] = defaultdict(list)
    calls: dict[str, list[str]] = defaultdict(list)
    for name in names if known else ():
        both, ids = ids_in_name(name), uuids_in(name)
        places = {both} & known[both[1]] if both else known[ids[0]] if len(ids) == 1 else set()
        if len(places) == 1:
            (place,) = places
            (found[place] if both or ids[0] == place[1] else calls[ids[0]]).append(name)
    for call, members in calls.items():
        (place,) = known[call]
        # Of two files by the name of a call, one may be of a recording that no row describes.
        if len(members) == 1 and place not in found:
            found[place] = members
    return found


def _one_of(rows: Sequence[IndexEntry]) -> IndexEntry:
    """Return what holds for each part of a recording: its row, or of several what they agree on."""
    if len(rows) == 1:
        return rows[0]
    kinds = {row.media_type for row in rows}
    return replace(
        rows[0], media_type=kinds.pop() if len(kinds) == 1 else None, declared="", duration_milliseconds=None
    )
