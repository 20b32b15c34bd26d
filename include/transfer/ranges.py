"""Which bytes to ask for next, and what an answer means: pure rules, no I/O.

Sits between ``download`` (which owns the loop and the sink) and RFC 9110, section 14 (range requests). Popular HTTP
clients hand through a wrong ``Content-Range``, a 200 in place of a 206, ``multipart/byteranges`` and a length that
matches a cut body, so every answer is judged here before one byte of it is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from include.errors import IntegrityError, SourceChanged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from include.errors import ArchiveError

OK = 200
PARTIAL_CONTENT = 206
PRECONDITION_FAILED = 412
RANGE_NOT_SATISFIABLE = 416
RANGE_STATUSES = frozenset({OK, PARTIAL_CONTENT, PRECONDITION_FAILED, RANGE_NOT_SATISFIABLE})
"""The statuses ``judge_response`` decides; all others are refusals of the server, see ``media_http``."""

SUBSET_BYTES_MIN = 64 * 1024
"""A server may send a part of the range asked for (RFC 9110, 15.3.7), but not so little that we never finish."""

FAST_BYTES_PER_SECOND = 100 * 1000 * 1000
"""From here on one connection is enough; S3 gives each 85 to 90 MB/s (AWS, "Performance design patterns for S3")."""

BUSY_SHARE_MAX = 0.1
"""Above it this machine is what limits a download, not the source: more connections would only cost CPU (measured)."""

_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})")
_LENGTH = re.compile(r"[0-9]{1,19}")
_UNSATISFIED = re.compile(r"bytes \*/(\d{1,19})")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes ``first`` to ``last``, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.last - self.first + 1

    @property
    def header(self) -> str:
        """The value of the ``Range`` header."""
        return f"bytes={self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Pin:
    """What the first answer said the file is; every later answer must agree."""

    total: int | None
    etag: str | None = None
    last_modified: str | None = None

    @property
    def strong_etag(self) -> str | None:
        """The ETag, where it may be used in ``If-Match`` (which compares strongly; RFC 9110, 13.1.1)."""
        if self.etag is None or self.etag.startswith("W/"):
            return None
        return self.etag


@dataclass(frozen=True, slots=True)
class Partial:
    """The body holds exactly ``received``, a part that starts where we asked."""

    received: ByteRange
    pin: Pin


@dataclass(frozen=True, slots=True)
class Whole:
    """The body holds the file from byte 0; ``pin.total`` is ``None`` where only its end will tell."""

    pin: Pin


@dataclass(frozen=True, slots=True)
class RestartFromZero:
    """We asked for a later part and the body holds the whole file: drop what is kept, take this."""

    pin: Pin


@dataclass(frozen=True, slots=True)
class Complete:
    """Nothing is left to fetch: the file ends where we stand."""

    pin: Pin


@dataclass(frozen=True, slots=True)
class Refused:
    """No byte of the answer may be kept."""

    error: ArchiveError


Verdict = Partial | Whole | RestartFromZero | Complete | Refused


def next_range(position: int, chunk_bytes: int, total: int | None) -> ByteRange | None:
    """Return the next range to ask for, or ``None`` when ``position`` is the end.

    >>> next_range(8, 4, 10)
    ByteRange(first=8, last=9)
    """
    last = position + chunk_bytes - 1
    if total is None:
        return ByteRange(position, last)
    if position >= total:
        return None
    return ByteRange(position, min(last, total - 1))


@dataclass(frozen=True, slots=True)
class Tempo:
    """How a range came over one connection: how fast, and in which share of its time this thread had the CPU.

    The rest of the time it waited for the source. A machine with too much to do is slow at a fast source too.
    """

    bytes_per_second: float
    busy_share: float

    @property
    def is_waited_for(self) -> bool:
        """Whether the source is what limits it."""
        return self.bytes_per_second < FAST_BYTES_PER_SECOND and self.busy_share <= BUSY_SHARE_MAX


def connections_for(missing: int, tempo: Tempo, chunk_bytes: int, *, from_bytes: int, connections_max: int) -> int:
    """Return over how many connections the rest of a file pays: one, unless it is large and its source is slow.

    Args:
        missing: bytes still to fetch.
        tempo: of the range before.
        chunk_bytes: size of one range.
        from_bytes: smallest rest to be divided.
        connections_max: of one file.

    >>> connections_for(10**9, Tempo(50e6, 0.03), 10**7, from_bytes=10**8, connections_max=4)
    4
    """
    if missing < from_bytes or not tempo.is_waited_for:
        return 1
    return max(1, min(connections_max, -(-missing // chunk_bytes)))


def judge_response(asked: ByteRange, status: int, headers: Mapping[str, str], pinned: Pin | None) -> Verdict:
    """Decide what an answer to a ranged GET means.

    Args:
        asked: the range that was asked for.
        status: one of ``RANGE_STATUSES``.
        headers: the answer's headers, names in any case.
        pinned: what earlier answers said; ``None`` for the first.

    Returns:
        What to do with the body. ``Refused`` holds ``SourceChanged`` when the file is another one now, and otherwise
        ``IntegrityError``, with the fact ``transient`` where a second try may meet a better proxy.
    """
    fields = {name.lower(): value.strip() for name, value in headers.items()}
    if status == PRECONDITION_FAILED:
        return Refused(SourceChanged("the source no longer has the file that was begun (412)", status=status))
    if status == RANGE_NOT_SATISFIABLE:
        return _judge_unsatisfied(asked, fields, pinned)
    refusal = _refuse_form(status, fields)
    if refusal is not None:
        return refusal
    # A 200 that carries Content-Range is a partial body all the same (some S3 gateways answer so).
    verdict = _judge_partial(asked, fields) if _is_partial(status, fields) else _judge_whole(asked, fields, pinned)
    if isinstance(verdict, Refused) or pinned is None:
        return verdict
    changed = change_of(pinned, verdict.pin)
    return verdict if changed is None else Refused(SourceChanged(f"the file changed at the source: {changed}"))


def change_of(pinned: Pin, now: Pin) -> str | None:
    """Name the first difference between two pins, or return ``None`` when nothing speaks against them being one."""
    if pinned.total is not None and now.total is not None and pinned.total != now.total:
        return f"{pinned.total} bytes became {now.total}"
    if pinned.etag and now.etag:
        if pinned.etag.removeprefix("W/") != now.etag.removeprefix("W/"):
            return "its ETag is another"
        if pinned.strong_etag and now.strong_etag:
            return None
    if pinned.last_modified and now.last_modified and pinned.last_modified != now.last_modified:
        return "its modification time is another"
    return None


def _is_partial(status: int, fields: Mapping[str, str]) -> bool:
    return status == PARTIAL_CONTENT or "content-range" in fields


def _refused(message: str, **facts: object) -> Refused:
    return Refused(IntegrityError(message, transient=True, **facts))


def _refuse_form(status: int, fields: Mapping[str, str]) -> Refused | None:
    if status not in (OK, PARTIAL_CONTENT):
        return _refused(f"status {status} is no answer to a ranged GET")
    if fields.get("content-type", "").lower().startswith("multipart/byteranges"):
        return _refused("the answer is multipart/byteranges, which was not asked for")
    if fields.get("content-encoding", "identity").lower() not in ("", "identity"):
        return _refused("the answer is encoded, although identity was asked for")
    if fields.get("transfer-encoding", "chunked").lower() != "chunked":
        return _refused("the answer has a transfer coding other than chunked")
    return None


def _judge_partial(asked: ByteRange, fields: Mapping[str, str]) -> Partial | Refused:
    match = _CONTENT_RANGE.fullmatch(fields.get("content-range", ""))
    if match is None:
        return _refused("the Content-Range is missing or cannot be read")
    first, last, total = (int(group) for group in match.groups())
    received = ByteRange(first, last)
    if first != asked.first or not first <= last <= asked.last or last >= total:
        return _refused("the Content-Range is not the range that was asked for")
    whole_range = last == min(asked.last, total - 1)
    if not whole_range and received.length < SUBSET_BYTES_MIN:
        return _refused("the Content-Range is a sliver of the range that was asked for")
    length = fields.get("content-length")
    if length is not None and length != str(received.length):
        return _refused("Content-Length and Content-Range contradict each other")
    return Partial(received, _pin(fields, total))


def _judge_whole(asked: ByteRange, fields: Mapping[str, str], pinned: Pin | None) -> Whole | RestartFromZero | Refused:
    length = fields.get("content-length")
    if length is not None and not _LENGTH.fullmatch(length):
        return _refused("the Content-Length cannot be read")
    total = int(length) if length is not None else (pinned.total if pinned else None)
    if total is None and "transfer-encoding" not in fields:
        # Ended by closing the connection: a cut cannot be told from the end (RFC 9112, 8).
        return _refused("the answer says nowhere how long it is")
    pin = _pin(fields, total)
    if asked.first == 0:
        return Whole(pin)
    if pin.etag is None and pinned is not None and pinned.strong_etag is not None:
        # A page of a proxy, most likely: if it broke off, the rest of the file would be joined to it.
        return _refused("the answer is not a range, and does not name the file that was begun")
    return RestartFromZero(pin)


def _judge_unsatisfied(asked: ByteRange, fields: Mapping[str, str], pinned: Pin | None) -> Complete | Refused:
    match = _UNSATISFIED.fullmatch(fields.get("content-range", ""))
    if match is None:
        return _refused("416 without the size of the file", status=RANGE_NOT_SATISFIABLE)
    total = int(match[1])
    if pinned is not None and pinned.total is not None and pinned.total != total:
        return Refused(SourceChanged(f"the file changed at the source: {pinned.total} bytes became {total}"))
    if total < asked.first:
        return Refused(SourceChanged(f"the file changed at the source: it has {total} bytes, {asked.first} were read"))
    if total > asked.first:
        return _refused("416 for a range inside the file", status=RANGE_NOT_SATISFIABLE)
    return Complete(_pin(fields, total) if pinned is None else replace(pinned, total=total))


def _pin(fields: Mapping[str, str], total: int | None) -> Pin:
    return Pin(total, fields.get("etag") or None, fields.get("last-modified") or None)
