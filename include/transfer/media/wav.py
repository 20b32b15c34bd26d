"""WAVE: the chunk walk of RIFF, RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from include.transfer.media.structure import AudioFacts, Malformed, Structure, milliseconds

if TYPE_CHECKING:
    from include.transfer.media.structure import Window

_UNKNOWN = 0xFFFFFFFF
_HEADER_BYTES = 12
_EXTENSIBLE = 0xFFFE
_CODECS = {1: "pcm", 2: "adpcm", 3: "float", 6: "alaw", 7: "mulaw", 17: "ima_adpcm", 49: "gsm", 85: "mp3"}
_BYTE_COUNTED = frozenset({"pcm", "float", "alaw", "mulaw"})
_CHUNKS_MAX = 10_000


class _Walk:
    """What was seen so far."""

    def __init__(self) -> None:
        self.format: tuple[int, int, int, int, int] | None = None  # tag, channels, rate, bytes per second, align
        self.data_bytes: int | None = None
        self.data_bytes_64: int | None = None


def walk(window: Window) -> Structure:
    """Follow the chunks to the end of the file.

    Raises:
        Malformed: when a chunk or the RIFF form reaches past the end, or format or data are missing.
    """
    seen = _Walk()
    notes: list[str] = []
    magic, riff_bytes = struct.unpack("<4sI", window.take(0, _HEADER_BYTES)[:8])
    offset = _HEADER_BYTES
    for _ in range(_CHUNKS_MAX):
        if offset >= window.size:
            break
        if window.size - offset < 8:  # noqa: PLR2004 - a chunk header
            notes.append(f"{window.size - offset} bytes after the last chunk")
            break
        offset = _chunk(window, offset, seen, notes)
    else:
        raise Malformed("more chunks than any recording has")
    if magic == b"RIFF" and riff_bytes not in (0, _UNKNOWN):
        _judge_form(riff_bytes + 8, window.size, notes)
    return _structure(seen, notes)


def _chunk(window: Window, offset: int, seen: _Walk, notes: list[str]) -> int:
    """Take one chunk and return where the next begins."""
    name = window.take(offset, 8)[:4]
    length = int.from_bytes(window.take(offset + 4, 4), "little")
    body = offset + 8
    if name == b"ds64":
        seen.data_bytes_64 = struct.unpack("<Q", window.take(body + 8, 8))[0]
    elif name == b"fmt ":
        seen.format = struct.unpack("<HHIIH", window.take(body, 16)[:14])
        if seen.format[0] == _EXTENSIBLE and length >= 26:  # noqa: PLR2004 - the sub-format's first two bytes
            seen.format = (struct.unpack("<H", window.take(body + 24, 2))[0], *seen.format[1:])
    elif name == b"data":
        if length == _UNKNOWN and seen.data_bytes_64 is not None:
            length = seen.data_bytes_64
        elif length == _UNKNOWN:
            notes.append("the length of the sound is not stated: its end cannot be proven")
            length = window.size - body
        seen.data_bytes = length
    if body + length > window.size:
        raise Malformed(f"chunk {name!r} needs {body + length - window.size} bytes more than the file has")
    return body + length + length % 2


def _judge_form(form_bytes: int, size: int, notes: list[str]) -> None:
    # Some writers count the last pad byte and do not write it.
    if form_bytes > size + 1:
        raise Malformed(f"the RIFF header promises {form_bytes} bytes, the file has {size}")
    if form_bytes < size:
        notes.append(f"{size - form_bytes} bytes after the RIFF form")


def _structure(seen: _Walk, notes: list[str]) -> Structure:
    if seen.format is None or seen.data_bytes is None:
        raise Malformed("no format or no data chunk")
    tag, channels, rate_hz, byte_rate, align = seen.format
    codec = _CODECS.get(tag, f"wave-0x{tag:04x}")
    duration = milliseconds(seen.data_bytes // align, rate_hz) if codec in _BYTE_COUNTED and align else None
    if duration is None:
        duration = milliseconds(seen.data_bytes, byte_rate)
    return Structure(AudioFacts(codec, channels, rate_hz, duration), empty=seen.data_bytes == 0, notes=tuple(notes))
