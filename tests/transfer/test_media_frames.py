"""WAV chunks, MP3 frames, FLAC tails."""

from __future__ import annotations

import pytest
from fastcrc.crc8 import smbus as header_crc
from fastcrc.crc16 import umts as frame_crc

from include.transfer.integrity import sniff, verdict
from include.transfer.media.flac import end_sample
from include.transfer.media.mp3 import frame_header
from tests.transfer.examined import failure, look
from tests.transfer.sound import sound


def test_a_wav_of_unknown_length_is_noted() -> None:
    """A live stream states no length: it is kept, and the note says that its end is not proven."""
    body = bytearray(sound("wav-pcm"))
    body[4:8] = body[40:44] = b"\xff\xff\xff\xff"
    found = look(bytes(body))
    assert None is verdict(found.findings)
    assert "cannot be proven" in found.findings[-2].note


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"RIFF" + bytes(4) + b"AVI " + bytes(40), "signature_known"),
        (b"RIFF" + bytes(4) + b"WEBP" + bytes(40), "signature_known"),
        (b"RIFX" + bytes(4) + b"WAVE" + bytes(40), "signature_known"),
        (b"RIFF\x04\0\0\0WAVE", "structure_whole"),
        (b"RIFF\x24\0\0\0WAVEdata\x18\0\0\0" + bytes(24), "structure_whole"),
        (b"RIFF" + bytes(4) + b"WAVE" + b"JUNK\0\0\0\0" * 10_001, "structure_whole"),
        (sound("wav-pcm")[:4] + b"\xff\xff\xff\x7f" + sound("wav-pcm")[8:], "structure_whole"),
    ],
    ids=["avi", "webp", "rifx", "no-chunks", "no-format", "chunk-flood", "form-too-long"],
)
def test_a_riff_must_be_a_whole_wave(body: bytes, name: str) -> None:
    """M6: the form type counts, and both chunks must be there."""
    assert name == failure(body)


def test_bytes_behind_a_wave_are_noted() -> None:
    """They lose nothing."""
    for tail in (b"xyz", b"LIST\4\0\0\0abcd"):
        found = look(sound("wav-pcm") + tail)
        assert None is verdict(found.findings)
        assert "after" in found.findings[3].note


def id3(version: int, size: int = 20, *, revision: int = 0, flags: int = 0) -> bytes:
    """Return an ID3v2 tag."""
    footer = b"3DI" + bytes(7) if flags & 0x10 else b""
    return b"ID3" + bytes([version, revision, flags, 0, 0, size >> 7, size & 0x7F]) + bytes(size) + footer


@pytest.mark.parametrize("tag", [id3(2), id3(3), id3(4), id3(3, 9000), id3(4, flags=0x10), b""])
def test_an_mp3_may_begin_with_any_id3(tag: bytes) -> None:
    """M5: 2.2, 2.3, 2.4, longer than the head that is sniffed, with a footer, or none."""
    found = look(tag + sound("mp3"))
    assert ("mp3", None) == (found.kind.name, verdict(found.findings))


@pytest.mark.parametrize(
    "tail", [b"TAG" + bytes(125), b"APETAGEX" + bytes(40), bytes(100), bytes(30) + b"TAG" + bytes(125)]
)
def test_an_mp3_may_end_with_a_tag(tail: bytes) -> None:
    """ID3v1, APE, and padding."""
    assert None is failure(sound("mp3") + tail)


@pytest.mark.parametrize(
    "body",
    [
        id3(1) + sound("mp3"),
        id3(5) + sound("mp3"),
        id3(3, revision=0xFF) + sound("mp3"),
        b"ID3\x03\x00\x00\x80\x00\x00\x00" + sound("mp3"),
        id3(3) + b"garbage" * 900,
        id3(3),
        sound("mp3") + b"garbage" * 10,
        sound("mp3") + b"TAG" + bytes(100),
        sound("mp3")[:-400] + sound("mp3")[-200:],
        b"\xff\xfb\x90\x64" + bytes(1000),
    ],
    ids=["v1", "v5", "revision", "size", "no-frames", "tag-only", "tail", "short-tag", "hole", "one-frame"],
)
def test_what_only_looks_like_an_mp3_is_refused(body: bytes) -> None:
    """M5: a sync or a tag alone is no recording."""
    assert failure(body) is not None


RESERVED = ["ffeb9064", "fff99064", "fffbf064", "fffb0064", "fffb9c64", "fffb9066", "fffb"]


@pytest.mark.parametrize("reserved", [bytes.fromhex(text) for text in RESERVED], ids=RESERVED)
def test_reserved_bits_are_no_frame_header(reserved: bytes) -> None:
    """M5: version, layer, bit rate, free format, sample rate, emphasis, and too short."""
    assert None is sniff(reserved + bytes(500))


def test_an_mp3_cut_between_two_frames_is_found_by_its_own_count() -> None:
    """The Xing header says how many frames there are."""
    body = sound("mp3")
    for cut in range(len(body) - 2000, len(body) - 1):
        assert "structure_whole" == failure(body[:cut])


def flac_with(info_samples: int) -> bytes:
    """Return a FLAC that announces another number of samples than it has."""
    body = bytearray(sound("flac"))
    packed = int.from_bytes(body[18:26]) & ~((1 << 36) - 1) | info_samples
    body[18:26] = packed.to_bytes(8)
    return bytes(body)


def test_a_flac_ends_at_the_sample_it_announces() -> None:
    """Whole frames can be missing; their number tells. Zero means unknown (RFC 9639, 8.2)."""
    assert "structure_whole" == failure(flac_with(10**6))
    assert None is failure(flac_with(0))
    assert "structure_whole" == failure(b"fLaC\x81\0\0\0")
    assert "structure_whole" == failure(b"fLaC" + b"\x01\0\0\0" * 5000)


def test_a_long_flac_has_longer_frame_numbers() -> None:
    """Numbers above 127 take two bytes, as in UTF-8 (RFC 9639, 9.1.5)."""
    body = sound("flac-mono", samples=4096 * 140)
    assert (None, 35_840) == (failure(body), look(body).audio.duration_milliseconds)
    assert "structure_whole" == failure(body[:-7])


@pytest.mark.parametrize(
    ("header", "end"),
    [
        ("fff8190800", 192),
        ("fff8290800", 576),
        ("fff8590801", 4608 + 1000),
        ("fff8890802", 256 + 2000),
        ("fff869080107", 8 + 1000),
        ("fff87908010fff", 4096 + 1000),
        ("fff91908c480", 0x100 + 192),
        ("fff91d0800ac44", 192),
        ("fff9190880", None),
        ("fff91908c4", None),
        ("fff91908c4c4", None),
        ("fff9090800", None),
        ("fff9", None),
        ("fff91908", None),
    ],
)
def test_a_flac_frame_header_says_where_its_frame_ends(header: str, end: int | None) -> None:
    """Fixed and variable block sizes, each way to code them, and what is no header (RFC 9639, 9.1)."""
    coded = bytes.fromhex(header)
    assert end == end_sample(coded + bytes([header_crc(coded)]), 1000)
    assert None is end_sample(coded + bytes([header_crc(coded) ^ 1]), 1000)


def test_the_checksums_of_a_flac_are_those_of_the_standard() -> None:
    """The library's CRCs equal the bit-by-bit definitions of RFC 9639, 9.1.8 and 9.3."""
    for crc, polynomial, bits in ((header_crc, 0x07, 8), (frame_crc, 0x8005, 16)):
        data, value = bytes(range(7, 250, 3)), 0
        for byte in data:
            value ^= byte << (bits - 8)
            for _ in range(8):
                value = (value << 1 ^ (polynomial if value >> (bits - 1) else 0)) & ((1 << bits) - 1)
        assert value == crc(data)


def test_a_cut_frame_is_found_without_any_announcement() -> None:
    """Not every encoder writes a Xing header: the cut frame itself must tell."""
    body = sound("mp3")
    bare = body[frame_header(body[:4]).length :]
    assert None is failure(bare)
    assert [] == [cut for cut in (1, 50, 100) if failure(bare[:-cut]) is None]


@pytest.mark.parametrize("reserved", [bytes.fromhex(text) for text in RESERVED], ids=RESERVED)
def test_a_header_with_a_reserved_value_is_none(reserved: bytes) -> None:
    """Each field on its own, whatever follows it in the file."""
    assert None is frame_header(reserved)
