"""MP4 and M4A: the box walk (ISO/IEC 14496-12)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from include.transfer.media.structure import AudioFacts, Malformed, Structure, milliseconds

if TYPE_CHECKING:
    from include.transfer.media.structure import Window

_BOXES_MAX = 1_000_000
_MVHD_BYTES = 32


def walk(window: Window) -> Structure:
    """Follow the top-level boxes to the end of the file.

    Raises:
        Malformed: when a box is cut, or the index (``moov``) or the sound (``mdat``) is missing.
    """
    seen: dict[bytes, int] = {}
    duration: int | None = None
    offset = 0
    for _ in range(_BOXES_MAX):
        if offset >= window.size:
            break
        kind, body, end = _box(window, offset)
        seen[kind] = seen.get(kind, 0) + end - body
        if kind == b"moov":
            duration = _duration(window, body, end)
        offset = end
    if b"moov" not in seen or b"mdat" not in seen:
        raise Malformed("no index (moov) or no media data (mdat)")
    return Structure(AudioFacts("mp4", duration_milliseconds=duration), empty=seen[b"mdat"] == 0)


def _box(window: Window, offset: int) -> tuple[bytes, int, int]:
    """Return a box's type, where its body begins and where it ends."""
    size, kind = struct.unpack(">I4s", window.take(offset, 8))
    body = offset + 8
    if size == 1:
        size = struct.unpack(">Q", window.take(body, 8))[0]
        body += 8
    end = window.size if size == 0 else offset + size
    if end < body or end > window.size:
        raise Malformed(f"box {kind!r} at byte {offset} does not fit into the file")
    return kind, body, end


def _duration(window: Window, offset: int, end: int) -> int | None:
    """Read the movie header among the children of ``moov``."""
    for _ in range(_BOXES_MAX):
        if offset + 8 > end:
            break
        kind, body, offset = _box(window, offset)
        if kind == b"mvhd":
            header = window.take(body, _MVHD_BYTES)
            scale, length = struct.unpack(
                ">IQ" if header[0] == 1 else ">II", header[20:32] if header[0] == 1 else header[12:20]
            )
            return milliseconds(length, scale) if length not in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF) else None
    return None
