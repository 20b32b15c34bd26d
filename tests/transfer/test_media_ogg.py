"""Ogg pages: each with its checksum, number and end."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.transfer.integrity import verdict
from include.transfer.media.ogg import checksum
from tests.transfer.examined import failure, look
from tests.transfer.sound import sound


@pytest.mark.parametrize("name", ["ogg-opus", "ogg-vorbis"])
def test_any_altered_byte_of_an_ogg_is_found(name: str) -> None:
    """Each page carries a checksum."""
    body = bytearray(sound(name))
    for at in range(0, len(body), 97):
        body[at] ^= 1
        assert failure(bytes(body)) is not None
        body[at] ^= 1


def test_a_missing_ogg_page_is_found() -> None:
    """Page numbers leave no gap, even where every page that is left is whole."""
    body = sound("ogg-vorbis")
    starts = [at for at in range(len(body)) if body.startswith(b"OggS", at)]
    middle = len(starts) // 2
    assert "structure_whole" == failure(body[: starts[middle]] + body[starts[middle + 1] :])
    assert "structure_whole" == failure(body[: starts[-1]])
    assert "structure_whole" == failure(body[starts[1] :])


def test_chained_ogg_streams_are_one_recording() -> None:
    """One ends, the next begins: their lengths add up."""
    body = sound("ogg-vorbis")
    chained = look(body + body)
    assert None is verdict(chained.findings)
    assert 2 * look(body).audio.duration_milliseconds == chained.audio.duration_milliseconds
    starts = [at for at in range(len(body)) if body.startswith(b"OggS", at)]
    assert "structure_whole" == failure(body[: starts[-1]] + body)


@given(st.binary(min_size=27, max_size=300))
def test_the_ogg_checksum_is_the_one_of_the_standard(page: bytes) -> None:
    """The library's CRC equals the bit-by-bit definition of RFC 3533, the page's own field counting as zero."""
    crc = 0
    for byte in (*page[:22], 0, 0, 0, 0, *page[26:]):
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    assert crc == checksum(page)
    assert crc == checksum(memoryview(page))


def ogg_page(packet: bytes, flags: int, number: int = 0, granule: int = 0) -> bytes:
    """Return an Ogg page with one short packet."""
    head = struct.pack("<4sBBqIIIBB", b"OggS", 0, flags, granule, 7, number, 0, 1, len(packet))
    crc = checksum(head + packet)
    return head[:22] + struct.pack("<I", crc) + head[26:] + packet


@pytest.mark.parametrize(
    ("packet", "codec"),
    [
        (b"Speex   " + bytes(28) + struct.pack("<I", 8000) + bytes(8) + struct.pack("<I", 1) + bytes(28), "speex"),
        (b"fishead", None),
        (b"OpusHead", None),
    ],
)
def test_other_codecs_in_ogg(packet: bytes, codec: str | None) -> None:
    """Speex is known; a stream of something else is whole all the same, and the note says so."""
    body = ogg_page(packet, 2) + ogg_page(b"x", 4, 1, 16_000) + ogg_page(b"y", 2) + ogg_page(b"", 4, 1, -1)
    found = look(body)
    assert None is verdict(found.findings)
    assert codec == (found.audio.codec if found.audio else None)
    assert found.audio is None or 2000 == found.audio.duration_milliseconds
