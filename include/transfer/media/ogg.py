"""Ogg: every page with its checksum, its place in its stream and the stream's end flag (RFC 3533)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastcrc.crc32 import mpeg_2

from include.transfer.media.structure import AudioFacts, Malformed, Structure, milliseconds

if TYPE_CHECKING:
    from include.transfer.media.structure import Window

_CONTINUED, _BEGIN, _END = 1, 2, 4
_NO_GRANULE = -1
_OPUS_RATE_HZ = 48000  # granules of Opus count at 48 kHz whatever the input was (RFC 7845, 4)
_STREAMS_MAX = 10_000
_CRC_AT, _NO_CRC = 22, bytes(4)
_HEADER = struct.Struct("<4sBBqIIIB")


@dataclass(slots=True)
class _Stream:
    """One logical bitstream."""

    codec: str
    channels: int | None
    rate_hz: int | None
    skip: int
    next_page: int
    ended: bool = False
    granule: int = 0


def checksum(page: bytes | memoryview) -> int:
    """CRC-32 of RFC 3533 over a page whose own checksum counts as zero: polynomial 0x04C11DB7, not reflected, from 0.

    ``mpeg_2`` differs from it in nothing but its usual start.
    """
    before = mpeg_2(bytes(page[:_CRC_AT]) + _NO_CRC, 0)
    return mpeg_2(page[_CRC_AT + len(_NO_CRC) :], before)


def walk(window: Window) -> Structure:
    """Check page after page to the end of the file.

    Raises:
        Malformed: when a page is cut, altered or missing, or a stream has no end.
    """
    streams: dict[int, _Stream] = {}
    finished: list[_Stream] = []
    offset = 0
    while offset < window.size:
        offset += _page(window, offset, streams, finished)
    if any(not stream.ended for stream in streams.values()):
        raise Malformed("the last page does not carry the end-of-stream flag")
    return _structure([*finished, *streams.values()])


def _page(window: Window, offset: int, streams: dict[int, _Stream], finished: list[_Stream]) -> int:
    """Check one page and return its length."""
    header = window.take(offset, _HEADER.size)
    capture, version, flags, granule, serial, number, crc, segments = _HEADER.unpack(header)
    if capture != b"OggS" or version != 0:
        raise Malformed(f"no Ogg page at byte {offset}")
    head_bytes = _HEADER.size + segments
    body_bytes = sum(window.take(offset + _HEADER.size, segments))
    page = window.view(offset, head_bytes + body_bytes)
    if checksum(page) != crc:
        raise Malformed(f"the Ogg page at byte {offset} does not match its checksum")
    if flags & _BEGIN:
        if serial in streams:
            finished.append(_ended(streams[serial]))
        if len(finished) + len(streams) >= _STREAMS_MAX:
            raise Malformed("more streams than any recording has")
        streams[serial] = _begin(bytes(page[head_bytes:]), number)
    stream = streams.get(serial)
    if stream is None or stream.ended or number != stream.next_page:
        raise Malformed(f"an Ogg page is missing before byte {offset}")
    stream.next_page += 1
    stream.ended = bool(flags & _END)
    if granule != _NO_GRANULE:
        stream.granule = granule
    return len(page)


def _ended(stream: _Stream) -> _Stream:
    if not stream.ended:
        raise Malformed("a chained Ogg stream begins before the one before it has ended")
    return stream


def _begin(packet: bytes, number: int) -> _Stream:
    """Read the identification header of a stream (RFC 7845, 5.1; Vorbis I, 4.2.2; Speex manual)."""
    if packet.startswith(b"OpusHead") and len(packet) >= 19:  # noqa: PLR2004
        return _Stream("opus", packet[9], _OPUS_RATE_HZ, int.from_bytes(packet[10:12], "little"), number)
    if packet.startswith(b"\x01vorbis") and len(packet) >= 30:  # noqa: PLR2004
        return _Stream("vorbis", packet[11], int.from_bytes(packet[12:16], "little"), 0, number)
    if packet.startswith(b"Speex   ") and len(packet) >= 52:  # noqa: PLR2004
        rate, channels = (int.from_bytes(packet[at : at + 4], "little") for at in (36, 48))
        return _Stream("speex", channels, rate, 0, number)
    return _Stream("unknown", None, None, 0, number)


def _structure(streams: list[_Stream]) -> Structure:
    known = [stream for stream in streams if stream.codec != "unknown"]
    if not known:
        return Structure(notes=("no stream of a known codec",))
    first = known[0]
    samples = sum(max(0, stream.granule - stream.skip) for stream in known if stream.codec == first.codec)
    facts = AudioFacts(first.codec, first.channels, first.rate_hz, milliseconds(samples, first.rate_hz))
    return Structure(facts, empty=samples == 0)
