"""The journal's chain: JSON lines, each naming the hash of the line before; pure.

A line is canonical JSON with ``seq`` from 1, ``actor``, ``prev_hash`` and ``hash``: the SHA-256 of the canonical line
without ``hash``. The first ``prev_hash`` of a segment is the SHA-256 of the commit it was written on (64 zeros where
there was none), so that a segment belongs to one state of one day. The last ``hash`` is the segment's root.

Whoever holds a file can compute all hashes of a changed one anew; therefore a commit names the roots, the next commit
names that commit, and a seal stands beside each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from include.canonical import canonical_json, read_document, sha256_hex

if TYPE_CHECKING:
    from collections.abc import Iterable

    from include.audit.events import Event

NO_COMMIT = "0" * 64
"""What stands for the commit before the first one."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of the journal. ``base`` is the SHA-256 of the commit it was written on, ``root`` its last hash."""

    body: bytes
    base: str
    root: str
    entries: int


def write_segment(actor: str, base: str, events: Iterable[Event]) -> Segment:
    """Chain the events of one actor.

    Raises:
        ValueError: when there is no event, for then there is nothing to tell.
    """
    lines, previous = [], base
    for number, event in enumerate(events, start=1):
        line = {**event.to_json(), "seq": number, "actor": actor, "prev_hash": previous}
        previous = sha256_hex(canonical_json(line))
        lines.append(canonical_json({**line, "hash": previous}))
    if not lines:
        raise ValueError("a segment without events")
    return Segment(b"".join(lines), base, previous, len(lines))


def read_segment(body: bytes) -> Segment:
    """Walk the chain of a segment, line by line.

    Raises:
        ValueError: where a line is not what its writer wrote or does not follow from the one before; the message says
            which. That lines are missing at the end is seen by the commit that names the root, not here.
    """
    lines = body.splitlines(keepends=True)
    if not lines:
        raise ValueError("it is empty")
    base = previous = str(_parsed(lines[0], 1).get("prev_hash"))
    for number, line in enumerate(lines, start=1):
        previous = check_line(line, number, previous)
    return Segment(body, base, previous, len(lines))


def lines_of(body: bytes) -> list[dict[str, Any]]:
    """Return the lines of a whole segment as documents.

    Raises:
        ValueError: as ``read_segment``.
    """
    read_segment(body)
    return [read_document(line) for line in body.splitlines(keepends=True)]


def check_line(line: bytes, number: int, previous: str) -> str:
    """Return the hash of the line with that number behind the line with that hash.

    Raises:
        ValueError: when it is not what its writer wrote, or stands elsewhere.
    """
    document = _parsed(line, number)
    claimed = document.pop("hash", None)
    if document.get("seq") != number:
        raise ValueError(f"line {number} calls itself {document.get('seq')}")
    if document.get("prev_hash") != previous:
        raise ValueError(f"line {number} does not follow from the line before")
    if claimed != sha256_hex(canonical_json(document)):
        raise ValueError(f"line {number} is not what its hash says")
    return str(claimed)


def _parsed(line: bytes, number: int) -> dict[str, Any]:
    try:
        document = read_document(line)
        is_as_written = canonical_json(document) == line
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"line {number} is no line of a journal") from error
    # A byte may change without changing what JSON means by it: a space, an escape, the order of keys.
    if not is_as_written:
        raise ValueError(f"line {number} is not written as the journal writes")
    return document
