"""WebM elements and MP4 boxes, built by hand."""

from __future__ import annotations

import struct


def element(number: bytes, body: bytes, *, unknown: bool = False) -> bytes:
    """Return an EBML element with an eight-byte size."""
    return number + (b"\x01" + b"\xff" * 7 if unknown else (len(body) | 1 << 56).to_bytes(8)) + body


def webm(doctype: bytes = b"webm", *, unknown: bool = False) -> bytes:
    """Return a small WebM: header, info, one track, two clusters."""
    head = element(b"\x1a\x45\xdf\xa3", b"\x42\x82" + bytes([0x80 | len(doctype)]) + doctype)
    info = element(
        b"\x15\x49\xa9\x66", element(b"\x2a\xd7\xb1", b"\x0f\x42\x40") + element(b"\x44\x89", struct.pack(">d", 2500.0))
    )
    sound_facts = element(b"\xe1", element(b"\xb5", struct.pack(">f", 48000.0)) + element(b"\x9f", b"\x02"))
    track = element(b"\x16\x54\xae\x6b", element(b"\xae", element(b"\x86", b"A_OPUS") + sound_facts))
    blocks = element(b"\xe7", b"\0") + element(b"\xa3", b"x" * 50)
    clusters = element(b"\x1f\x43\xb6\x75", blocks) * 2
    return head + element(b"\x18\x53\x80\x67", info + track + clusters, unknown=unknown)


def box(kind: bytes, body: bytes, *, wide: bool = False, to_end: bool = False) -> bytes:
    """Return an MP4 box."""
    if wide:
        return struct.pack(">I4sQ", 1, kind, len(body) + 16) + body
    return struct.pack(">I4s", 0 if to_end else len(body) + 8, kind) + body
