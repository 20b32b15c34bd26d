"""MPEG audio: frame headers checked in full, and a walk from frame to frame to the end.

Source of the header layout and tables: ISO/IEC 11172-3 and 13818-3; ID3v2: id3.org, 2.4.0 structure, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.transfer.media.structure import WINDOW_BYTES, AudioFacts, Malformed, Structure, milliseconds

if TYPE_CHECKING:
    from include.transfer.media.structure import Window

_ID3_HEADER_BYTES = 10
_ID3_VERSIONS = (2, 3, 4)
_ID3V1_BYTES = 128
_SYNC = 0xFFE0
_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_KILOBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KILOBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MONO = 3
_LAYER_3 = 1
_VERSION_1 = 3
_EMPHASIS_RESERVED = 2
_PADDING_MAX = 8192
_KNOWN_MAX = 4096


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """One Layer III frame."""

    length: int
    samples: int
    rate_hz: int
    channels: int
    version: int


def frame_header(four: bytes) -> FrameHeader | None:
    """Read a frame header; ``None`` when any field of it holds a reserved value."""
    if len(four) < 4 or int.from_bytes(four[:2]) & _SYNC != _SYNC:  # noqa: PLR2004 - a header is four bytes
        return None
    version, layer = four[1] >> 3 & 3, four[1] >> 1 & 3
    bitrate, rate = four[2] >> 4, four[2] >> 2 & 3
    if layer != _LAYER_3 or version not in _RATES_HZ or four[3] & 3 == _EMPHASIS_RESERVED:
        return None
    kilobits = _KILOBITS_1 if version == _VERSION_1 else _KILOBITS_2
    if not 0 < bitrate < len(kilobits) or rate >= len(_RATES_HZ[version]):
        return None
    rate_hz = _RATES_HZ[version][rate]
    samples = 1152 if version == _VERSION_1 else 576
    length = samples // 8 * kilobits[bitrate] * 1000 // rate_hz + (four[2] >> 1 & 1)
    return FrameHeader(length, samples, rate_hz, 1 if four[3] >> 6 == _MONO else 2, version)


def id3_bytes(head: bytes) -> int | None:
    """Return the length of the ID3v2 tag at the start, 0 without one, ``None`` for one that cannot be."""
    if not head.startswith(b"ID3"):
        return 0
    if len(head) < _ID3_HEADER_BYTES or head[3] not in _ID3_VERSIONS or head[4] == 0xFF:  # noqa: PLR2004
        return None
    if any(byte & 0x80 for byte in head[6:10]):
        return None
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    footer = _ID3_HEADER_BYTES if head[5] & 0x10 else 0
    return _ID3_HEADER_BYTES + size + footer


def starts_here(head: bytes) -> bool:
    """Whether these first bytes begin an MP3: an ID3v2 tag, or a frame that another frame follows."""
    tag = id3_bytes(head)
    if tag is None:
        return False
    first = frame_header(head[tag : tag + 4])
    if first is None:
        return tag > 0 and len(head) < tag + 4  # the frames lie beyond what we see: the walk will tell
    following = head[tag + first.length : tag + first.length + 4]
    return len(following) < 4 or frame_header(following) is not None  # noqa: PLR2004


def walk(window: Window) -> Structure:
    """Go from frame to frame to the end of the file.

    Raises:
        Malformed: when a frame is cut, the frames stop before the end, or fewer frames came than the Xing header
            announced. A cut exactly between two frames of a file without that header cannot be seen.
    """
    start = id3_bytes(window.upto(0, _ID3_HEADER_BYTES))
    if start is None:
        raise Malformed("the ID3 tag cannot be read")
    offset = start + _zeros_at(window, start)
    first = frame_header(window.take(offset, 4))
    if first is None:
        raise Malformed(f"no MPEG frame at byte {offset}, where the sound should begin")
    announced = _announced_frames(window.upto(offset, min(first.length, 256)), first)
    offset, frames, samples = _frames(window, offset)
    _expect_end(window, offset)
    return _structure(first, frames, samples, announced)


def _frames(window: Window, offset: int) -> tuple[int, int, int]:
    """Go from frame to frame; return where they stop, how many there were, and their samples.

    A file has few different headers and very many frames, so each header is read once and then known by its bytes.
    """
    known: dict[bytes, tuple[int, int]] = {}
    frames = samples = 0
    while offset < window.size:
        block = window.upto(offset, WINDOW_BYTES)
        at, count, more = _run(block, known)
        offset, frames, samples = offset + at, frames + count, samples + more
        if offset > window.size:
            raise Malformed(f"the last of {frames} frames is cut by the end of the file")
        if not count:
            break
    return offset, frames, samples


def _run(block: bytes, known: dict[bytes, tuple[int, int]]) -> tuple[int, int, int]:
    """Walk the frames whose headers lie in ``block``; return as ``_frames`` does."""
    at = frames = samples = 0
    last = len(block) - 4
    while at <= last:
        frame = known.get(block[at : at + 4]) or _learn(block[at : at + 4], known)
        if frame is None:
            break
        at += frame[0]
        samples += frame[1]
        frames += 1
    return at, frames, samples


def _learn(four: bytes, known: dict[bytes, tuple[int, int]]) -> tuple[int, int] | None:
    """Return length and samples of a frame whose header was not met before, and know it from now on."""
    header = frame_header(four)
    if header is None:
        return None
    if len(known) == _KNOWN_MAX:
        known.clear()
    known[four] = (header.length, header.samples)
    return known[four]


def _structure(first: FrameHeader, frames: int, samples: int, announced: int | None) -> Structure:
    if announced is not None:
        frames, samples = frames - 1, samples - first.samples  # the Xing frame itself holds no sound
        if frames < announced:
            raise Malformed(f"{frames} frames, where the Xing header announces {announced}")
    facts = AudioFacts("mp3", first.channels, first.rate_hz, milliseconds(samples, first.rate_hz))
    return Structure(facts, empty=frames == 0)


def _announced_frames(frame: bytes, header: FrameHeader) -> int | None:
    """Return the frame count of a Xing or Info header, which does not count its own frame."""
    side = (17 if header.channels == 1 else 32) if header.version == _VERSION_1 else (9 if header.channels == 1 else 17)
    tag = frame[4 + side :]
    if tag[:4] not in (b"Xing", b"Info") or len(tag) < 12 or not tag[7] & 1:  # noqa: PLR2004 - tag, flags, count
        return None
    return int.from_bytes(tag[8:12])


def _zeros_at(window: Window, offset: int) -> int:
    piece = window.upto(offset, _PADDING_MAX)
    return len(piece) - len(piece.lstrip(b"\0"))


def _expect_end(window: Window, offset: int) -> None:
    """Accept the tags and zeros that writers leave after the last frame."""
    offset += _zeros_at(window, offset)
    left = window.size - offset
    rest = window.upto(offset, 8)
    if left and not (left == _ID3V1_BYTES and rest.startswith(b"TAG")) and rest not in (b"APETAGEX", b"LYRICSBE"):
        raise Malformed(f"the frames stop at byte {offset}, {left} bytes before the end of the file")
