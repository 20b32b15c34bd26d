"""The results that are no audio: a screen recording, chat and message transcripts, an e-mail."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_KEYFRAME = bytes.fromhex("300100 9d012a 4001b400".replace(" ", "")) + bytes(24)
"""The head of a VP8 key frame of 320 x 180 (RFC 6386, section 9.1): enough to identify, not worth watching."""

_SHORT_MAX = 127


def _element(identifier: str, payload: bytes) -> bytes:
    short = len(payload) < _SHORT_MAX  # a one-byte size (RFC 8794, section 4); detectors look for "webm" early
    size = bytes((0x80 | len(payload),)) if short else (0x01 << 56 | len(payload)).to_bytes(8, "big")
    return bytes.fromhex(identifier) + size + payload


def screen_webm(recording_id: str, seconds: float) -> bytes:
    """Return a small valid WebM (EBML, RFC 8794): one VP8 track, one frame, the recording's id as its title."""
    head = _element(
        "1a45dfa3",
        _element("4286", b"\1") + _element("42f7", b"\1") + _element("42f2", b"\4") + _element("42f3", b"\x08")
        + _element("4282", b"webm") + _element("4287", b"\4") + _element("4285", b"\2"),
    )  # fmt: skip
    info = _element(
        "1549a966",
        _element("2ad7b1", (1_000_000).to_bytes(4, "big")) + _element("4489", pack(">d", seconds * 1000))
        + _element("7ba9", recording_id.encode()) + _element("4d80", b"sandbox") + _element("5741", b"sandbox"),
    )  # fmt: skip
    video = _element("e0", _element("b0", (320).to_bytes(2, "big")) + _element("ba", (180).to_bytes(2, "big")))
    track = _element("d7", b"\1") + _element("73c5", b"\1") + _element("83", b"\1") + _element("86", b"V_VP8") + video
    cluster = _element("1f43b675", _element("e7", b"\0") + _element("a3", b"\x81\0\0\x80" + _KEYFRAME))
    return head + _element("18538067", info + _element("1654ae6b", _element("ae", track)) + cluster)


def transcript_json(recording_id: str, conversation_id: str, start: datetime) -> dict[str, object]:
    """Return a chat transcript, as batch results deliver it: JSON."""
    moment = start.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    lines = ("Guten Tag, wie kann ich helfen?", "Meine Rechnung stimmt nicht.", "Ich sehe nach.")
    return {
        "id": recording_id,
        "conversationId": conversation_id,
        "transcript": [{"utc": moment, "body": line, "from": number % 2} for number, line in enumerate(lines)],
    }


def email_bytes(recording_id: str, start: datetime) -> bytes:
    """Return one RFC 5322 message."""
    return (
        f"From: customer@example.com\r\nTo: service@example.org\r\nDate: {start:%a, %d %b %Y %H:%M:%S} +0000\r\n"
        f"Message-ID: <{recording_id}@example.org>\r\nSubject: My contract\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nPlease call me back.\r\n"
    ).encode()
