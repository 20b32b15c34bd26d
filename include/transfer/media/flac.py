"""FLAC: the metadata blocks, and the proof that the last frame is the last one (RFC 9639).

Frames carry no length, so walking them means decoding them. The tail proves as much: a frame whose two checksums
hold, which ends exactly at the end of the file and at the number of samples the stream announces. Their polynomials
(RFC 9639, 9.1.8 and 9.3) are those of CRC-8/SMBUS and CRC-16/UMTS: not reflected, from 0, and 0 over what they end.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fastcrc.crc8 import smbus as header_crc
from fastcrc.crc16 import umts as frame_crc

from include.transfer.media.structure import AudioFacts, Malformed, Structure, milliseconds

if TYPE_CHECKING:
    from include.transfer.media.structure import Window

_STREAM_INFO_BYTES = 34
_BLOCKS_MAX = 4096
_TAIL_BYTES_MAX = 256 * 1024
_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_CANDIDATES_MAX = 64  # a forged tail of nothing but headers would cost a checksum of the whole tail for each


def walk(window: Window) -> Structure:
    """Read the metadata and judge the tail.

    Raises:
        Malformed: when a block is cut, or the last frame is not whole or not the last.
    """
    info, frames_at = _blocks(window)
    packed = int.from_bytes(info[10:18])
    rate_hz, channels, samples = packed >> 44, (packed >> 41 & 7) + 1, packed & (1 << 36) - 1
    facts = AudioFacts("flac", channels, rate_hz, milliseconds(samples, rate_hz) if samples else None)
    if frames_at == window.size and samples == 0:
        return Structure(facts, empty=True)
    _judge_tail(window, frames_at, info, samples)
    return Structure(facts)


def _blocks(window: Window) -> tuple[bytes, int]:
    """Return STREAMINFO and where the frames begin."""
    offset, info = 4, b""
    for _ in range(_BLOCKS_MAX):
        header = window.take(offset, 4)
        length = int.from_bytes(header[1:])
        if header[0] & 0x7F == 0:
            info = window.take(offset + 4, _STREAM_INFO_BYTES)
        offset += 4 + length
        if offset > window.size:
            raise Malformed("a metadata block is cut by the end of the file")
        if header[0] & 0x80:
            break
    if not info:
        raise Malformed("no STREAMINFO block")
    return info, offset


def _judge_tail(window: Window, frames_at: int, info: bytes, samples: int) -> None:
    frame_max = int.from_bytes(info[7:10]) or _TAIL_BYTES_MAX
    start = max(frames_at, window.size - min(frame_max + 16, _TAIL_BYTES_MAX))
    tail = window.take(start, window.size - start)
    fixed_block = int.from_bytes(info[2:4])
    # From the end backwards: the last sync that is a real header is the last frame.
    candidates = 0
    for match in reversed(list(_SYNC.finditer(tail))):
        end = end_sample(tail[match.start() : match.start() + 16], fixed_block)
        if end is None:
            continue
        candidates += 1
        if candidates > _CANDIDATES_MAX:
            break
        if frame_crc(tail[match.start() :]) == 0:
            if samples and end != samples:
                raise Malformed(f"the sound ends at sample {end}, {samples} are announced")
            return
    raise Malformed("the last frame is cut or altered")


def end_sample(header: bytes, fixed_block: int) -> int | None:
    """Return the number of the sample after this frame; ``None`` when this is no frame header."""
    number, used = _coded_number(header[4:11])
    size_code = header[2] >> 4 if len(header) > 4 else 0  # noqa: PLR2004 - sync, codes, number
    at = 4 + used
    if number is None or size_code == 0:
        return None
    extra = {6: 1, 7: 2}.get(size_code, 0)
    block = int.from_bytes(header[at : at + extra]) + 1 if extra else _block_size(size_code)
    at += extra + {12: 1, 13: 2, 14: 2}.get(header[2] & 15, 0)
    if len(header) <= at or header_crc(header[:at]) != header[at]:
        return None
    return (number if header[1] & 1 else number * fixed_block) + block


def _block_size(code: int) -> int:
    if code == 1:
        return 192
    return 576 << (code - 2) if code <= 5 else 256 << (code - 8)  # noqa: PLR2004 - RFC 9639, 9.1.1


def _coded_number(data: bytes) -> tuple[int | None, int]:
    """Read the UTF-8-like number of a frame header."""
    if not data:
        return None, 0
    lead = data[0]
    if lead < 0x80:  # noqa: PLR2004
        return lead, 1
    length = 8 - (lead ^ 0xFF).bit_length()
    rest = data[1:length]
    if not 2 <= length <= 7 or len(rest) != length - 1 or any(byte >> 6 != 2 for byte in rest):  # noqa: PLR2004
        return None, 0
    number = lead & (0x7F >> length)
    for byte in rest:
        number = number << 6 | byte & 0x3F
    return number, length
