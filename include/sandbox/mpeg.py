"""MPEG audio frames and ID3 tags: cut an MP3 at a frame and tag it, without encoding again."""

from __future__ import annotations

from itertools import pairwise

_KBITS_V1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_V2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def frame_bytes(data: bytes, position: int) -> int:
    """Return the length of the layer III frame that starts here (ISO/IEC 11172-3 header)."""
    version, padding = (data[position + 1] >> 3) & 3, (data[position + 2] >> 1) & 1
    kbits = (_KBITS_V1 if version == 3 else _KBITS_V2)[data[position + 2] >> 4]  # noqa: PLR2004 - MPEG-1 is 3
    rate = _RATES[version][(data[position + 2] >> 2) & 3]
    return (144 if version == 3 else 72) * kbits * 1000 // rate + padding  # noqa: PLR2004 - MPEG-1 is 3


def frames_of(data: bytes) -> list[bytes]:
    """Split into frames, without the encoder's information frame (it would announce the length before the cut)."""
    bounds = [0]
    while bounds[-1] < len(data) and data[bounds[-1]] == 0xFF:  # noqa: PLR2004 - the sync byte
        bounds.append(bounds[-1] + frame_bytes(data, bounds[-1]))
    frames = [data[start:stop] for start, stop in pairwise(bounds) if stop <= len(data)]
    informs = bool(frames) and (b"Xing" in frames[0] or b"Info" in frames[0])
    return frames[1:] if informs else frames


def id3v2(text: str, version: int) -> bytes:
    """Return an ID3v2.3 or v2.4 tag with one COMM frame (id3.org, ID3v2.4.0 structure)."""
    payload = b"\0eng\0" + text.encode("latin-1")
    frame = b"COMM" + len(payload).to_bytes(4, "big") + b"\0\0" + payload
    size = bytes((len(frame) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3" + bytes((version, 0, 0)) + size + frame


def id3v1(text: str) -> bytes:
    """Return the 128-byte trailing tag, whose title and artist together carry the text (30 + 30 characters)."""
    field = text.encode("latin-1").ljust(60, b"\0")[:60]
    return b"TAG" + field + b"\0" * 64 + b"\xff"
