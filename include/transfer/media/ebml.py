"""WebM and Matroska: the element walk (RFC 8794, RFC 9559)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from include.transfer.media.structure import AudioFacts, Malformed, Structure

if TYPE_CHECKING:
    from include.transfer.media.structure import Window

_SEGMENT = 0x18538067
_INFO = 0x1549A966
_TRACKS = 0x1654AE6B
_TRACK = 0xAE
_AUDIO = 0xE1
_CLUSTER = 0x1F43B675
_TIME_SCALE, _DURATION = 0x2AD7B1, 0x4489
_CODEC_ID, _RATE, _CHANNELS = 0x86, 0xB5, 0x9F
_ENTERED = frozenset({_SEGMENT, _INFO, _TRACKS, _TRACK, _AUDIO})
_LEAVES = frozenset({_TIME_SCALE, _DURATION, _CODEC_ID, _RATE, _CHANNELS})
_LEAF_BYTES_MAX = 64
_ELEMENTS_MAX = 5_000_000
_ELEMENTS_FREE, _ELEMENT_BYTES = 50_000, 64
"""Two bytes make an element, and 10 MB of them took 12 s. Only those with a long id are counted, clusters mostly:
blocks of sound, which may be few bytes each and very many, have a short one."""

_LOOKED_AT = frozenset({_TRACK, _AUDIO, _CODEC_ID, _RATE, _CHANNELS})
_BLOCK_BYTES = 4096

_SIZE_BYTES_MAX = 8
"""EBMLMaxSizeLength, as Matroska and WebM have it."""

_HEAD_BYTES_MAX, _SHORT_HEAD_BYTES = 12, 9
_NANOSECONDS = 1_000_000


class _Element(NamedTuple):
    id: int
    body: int
    length: int | None  # None: unknown, it ends where its parent does


def walk(window: Window) -> Structure:
    """Follow the elements to the end of the file.

    Raises:
        Malformed: when an element reaches past the end of the file or of its parent.
    """
    facts: dict[int, bytes] = {}
    ends = [window.size]
    offset = clusters = segments = 0
    unknown = False
    for _ in range(min(_ELEMENTS_MAX, _ELEMENTS_FREE + window.size // _ELEMENT_BYTES)):
        while len(ends) > 1 and offset >= ends[-1]:
            ends.pop()
        if offset >= window.size:
            if not segments:
                raise Malformed("no segment behind the EBML header")
            return _structure(facts, clusters, unknown=unknown)
        offset += _run(window.upto(offset, _BLOCK_BYTES), ends[-1] - offset)
        if offset >= ends[-1]:
            continue
        element = _element(window, offset)
        unknown = unknown or element.length is None
        clusters += element.id == _CLUSTER
        segments += element.id == _SEGMENT
        end = _end(element, ends[-1], offset)
        if element.id in _LEAVES and end - element.body <= _LEAF_BYTES_MAX:
            facts.setdefault(element.id, window.take(element.body, end - element.body))
        if element.id in _ENTERED or element.length is None:
            ends.append(end)
            offset = element.body
        else:
            offset = end
    raise Malformed("more elements than any recording has")


def _run(block: bytes, limit: int) -> int:
    """Pass over the elements with a short id that begin in ``block``; return where that stops, ``limit`` at most."""
    at = 0
    last = min(len(block), limit) - _SHORT_HEAD_BYTES
    while at <= last:
        first, lead = block[at], block[at + 1]
        if first < 0x80 or first in _LOOKED_AT:  # noqa: PLR2004 - an id of several bytes
            break
        if 0x80 <= lead < 0xFF:  # noqa: PLR2004 - a size of one byte, and not the one that means unknown
            end = at + 2 + (lead & 0x7F)
        else:
            size_bytes, size = _size(block, at + 1)
            if size_bytes > _SIZE_BYTES_MAX or size is None:
                break
            end = at + 1 + size_bytes + size
        if end > limit:
            break
        at = end
    return at


def _size(data: bytes, at: int) -> tuple[int, int | None]:
    """Return how many bytes the size at a place takes, and what it says; ``None`` where it says "unknown"."""
    size_bytes = 9 - data[at].bit_length()
    all_ones = (1 << 7 * size_bytes) - 1
    size = int.from_bytes(data[at : at + size_bytes]) & all_ones
    return size_bytes, None if size == all_ones else size


def _end(element: _Element, parent_end: int, offset: int) -> int:
    if element.length is None:
        return parent_end
    end = element.body + element.length
    if end > parent_end:
        raise Malformed(f"the element at byte {offset} needs {end - parent_end} bytes more than there are")
    return end


def _element(window: Window, offset: int) -> _Element:
    head = window.upto(offset, _HEAD_BYTES_MAX)
    id_bytes = 9 - head[0].bit_length()
    if id_bytes > 4:  # noqa: PLR2004 - EBMLMaxIDLength
        raise Malformed(f"no EBML element at byte {offset}")
    size_bytes, length = _size(head, id_bytes) if id_bytes < len(head) else (_SIZE_BYTES_MAX, None)
    if size_bytes > _SIZE_BYTES_MAX:
        raise Malformed(f"no EBML size at byte {offset + id_bytes}")
    body = id_bytes + size_bytes
    if body > len(head):
        raise Malformed(f"the file ends inside the element at byte {offset}")
    return _Element(int.from_bytes(head[:id_bytes]), offset + body, length)


def _structure(facts: dict[int, bytes], clusters: int, *, unknown: bool) -> Structure:
    notes = ("a live stream: its length is not stated, its end cannot be proven",) if unknown else ()
    codec = facts.get(_CODEC_ID, b"").rstrip(b"\0").decode("ascii", "replace").partition("_")[2].lower()
    scale = int.from_bytes(facts.get(_TIME_SCALE, b"")) or _NANOSECONDS
    duration = _float(facts.get(_DURATION))
    rate = _float(facts.get(_RATE))
    audio = AudioFacts(
        codec or "unknown",
        int.from_bytes(facts[_CHANNELS]) if _CHANNELS in facts else None,
        int(rate) if rate else None,
        round(duration * scale / _NANOSECONDS) if duration else None,
    )
    return Structure(audio, empty=clusters == 0, notes=notes)


def _float(body: bytes | None) -> float | None:
    if body is None or len(body) not in (4, 8):
        return None
    value: float = struct.unpack(">f" if len(body) == 4 else ">d", body)[0]  # noqa: PLR2004
    return value if 0 < value < 1e15 else None  # noqa: PLR2004 - NaN and infinity are no duration
