"""Rows M5 to M10: a whole recording is known as one, and a cut one is not taken for it."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.transfer.integrity import AudioFacts, Finding, Inspection, examine, inspect, sniff, verdict
from include.transfer.media.flac import crc8, end_sample
from include.transfer.media.ogg import checksum
from tests.transfer.sound import FORMATS, RATE_HZ, SECONDS, sound


def look(body: bytes, declared: str | None = None) -> Inspection:
    """Examine bytes."""
    return examine(io.BytesIO(body), len(body), declared)


def failure(body: bytes) -> str | None:
    """Return the name of the first required check that fails."""
    found = verdict(look(body).findings)
    return found.name if found else None


@pytest.mark.parametrize("name", FORMATS)
def test_real_sound_is_whole(name: str) -> None:
    """Kind, channels, rate and length come from the headers."""
    found = look(sound(name))
    assert None is verdict(found.findings)
    assert "wav" == found.kind.extension if name.startswith(("wav", "rf64")) else found.kind.extension in name
    assert FORMATS[name][2] == found.audio.channels
    assert (48000 if "opus" in name else RATE_HZ) == found.audio.sample_rate_hz
    assert SECONDS * 1000 == pytest.approx(found.audio.duration_milliseconds, abs=150)


@pytest.mark.parametrize("name", FORMATS)
def test_cut_sound_is_found_at_every_percent(name: str) -> None:
    """M8: a good signature and a missing end, also when only the last byte is missing."""
    body = sound(name)
    cuts = {len(body) * percent // 100 for percent in range(1, 100)} | {len(body) - n for n in (1, 2, 3, 20)}
    data_at = body.find(b"data") + 4
    odd = body[:4] == b"RIFF" and body[data_at] % 2
    padded = {len(body) - 1} if odd else set()  # a writer may leave the last pad byte out: its loss is no loss
    assert [] == [cut for cut in sorted(cuts - padded) if failure(body[:cut]) is None]


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


@given(st.binary(max_size=300))
def test_the_ogg_checksum_is_the_one_of_the_standard(data: bytes) -> None:
    """The mirrored zlib CRC equals the bit-by-bit definition of RFC 3533."""
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    assert crc == checksum(data)


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


@pytest.mark.parametrize(
    "body",
    [sound("wav-pcm", samples=0), sound("rf64", samples=0), b"fLaC\x80\0\0\x22" + sound("flac")[8:21] + bytes(21)],
    ids=["wav", "rf64", "flac"],
)
def test_headers_without_sound_are_flagged(body: bytes) -> None:
    """M9: legal, so it is kept, and said."""
    found = look(body)
    assert None is verdict(found.findings)
    assert ("contains_sound", False) == (found.findings[-1].name, found.findings[-1].ok)


def test_one_sample_and_silence_are_recordings() -> None:
    """M9: short or quiet is not empty."""
    assert all(finding.ok for finding in look(sound("wav-pcm", samples=1)).findings)


def test_no_bytes_are_no_recording() -> None:
    """M9: the only check that can be made fails."""
    assert (Finding("not_empty", ok=False, required=True, note="the file has no bytes"),) == inspect(
        io.BytesIO(), 0, "audio/wav"
    )


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
    assert end == end_sample(coded + bytes([crc8(coded)]), 1000)
    assert None is end_sample(coded + bytes([crc8(coded) ^ 1]), 1000)


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


@pytest.mark.parametrize(("doctype", "name"), [(b"webm", "webm"), (b"matroska", "mkv")])
def test_ebml_is_walked(doctype: bytes, name: str) -> None:
    """M7: kind and facts; a cut at any byte is found."""
    body = webm(doctype)
    found = look(body)
    assert (name, None) == (found.kind.name, verdict(found.findings))
    assert AudioFacts("opus", 2, 48000, 2500) == found.audio
    assert [] == [cut for cut in range(1, len(body)) if failure(body[:cut]) is None]


def test_live_webm_is_walked_too() -> None:
    """M7: a segment of unknown size ends with the file; cuts inside an element are found, and the note warns."""
    body = webm(unknown=True)
    found = look(body)
    assert None is verdict(found.findings)
    assert "cannot be proven" in found.findings[3].note
    assert "structure_whole" == failure(body[:-1])


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (webm(b"ebmlx"), "signature_known"),
        (webm() + b"\0\0", "structure_whole"),
        (webm() + b"\x1f\x43\xb6\x75\x00", "structure_whole"),
        (webm().replace(b"\x18\x53\x80\x67\x01", b"\x18\x53\x80\x67\x00"), "structure_whole"),
    ],
    ids=["doctype", "bad-id", "cut-size", "bad-size"],
)
def test_what_is_no_webm_is_refused(body: bytes, name: str) -> None:
    """M7: unknown document types and damaged elements."""
    assert name == failure(body)


def box(kind: bytes, body: bytes, *, wide: bool = False, to_end: bool = False) -> bytes:
    """Return an MP4 box."""
    if wide:
        return struct.pack(">I4sQ", 1, kind, len(body) + 16) + body
    return struct.pack(">I4s", 0 if to_end else len(body) + 8, kind) + body


MVHD = struct.pack(">IIIII", 0, 0, 0, 1000, 4200) + bytes(80)
MVHD_1 = struct.pack(">IQQIQ", 1 << 24, 0, 0, 1000, 4200) + bytes(80)


@pytest.mark.parametrize(
    ("brand", "name", "mvhd", "mdat"),
    [
        (b"M4A ", "m4a", MVHD, box(b"mdat", b"x" * 90)),
        (b"isom", "mp4", MVHD_1, box(b"mdat", b"x" * 90, wide=True)),
        (b"mp42", "mp4", MVHD, box(b"mdat", b"x" * 90, to_end=True)),
    ],
)
def test_mp4_is_walked(brand: bytes, name: str, mvhd: bytes, mdat: bytes) -> None:
    """M7: both header versions, wide boxes, and a last box that reaches to the end."""
    body = box(b"ftyp", brand + bytes(8)) + box(b"moov", box(b"free", b"") + box(b"mvhd", mvhd)) + mdat
    found = look(body)
    assert (name, None, 4200) == (found.kind.name, verdict(found.findings), found.audio.duration_milliseconds)
    # A box "to the end" has no length to miss: only the others are proven.
    last = len(body) - 91 if mdat.startswith(b"\0\0\0\0") else len(body) - 1
    assert [] == [cut for cut in range(8, last) if failure(body[:cut]) is None]


def test_an_mp4_without_index_or_with_unknown_length() -> None:
    """No moov is no recording; a length of all ones is unknown; a box that ends before it begins is damage."""
    head = box(b"ftyp", b"isom" + bytes(8))
    assert "structure_whole" == failure(head + box(b"mdat", b"x"))
    assert "structure_whole" == failure(head + b"\0\0\0\x01mdat" + bytes(8))
    unknown = struct.pack(">IIIII", 0, 0, 0, 1000, 0xFFFFFFFF) + bytes(80)
    for inner in (box(b"mvhd", unknown), b""):
        found = look(head + box(b"moov", inner) + box(b"mdat", b"x"))
        assert (None, None) == (verdict(found.findings), found.audio.duration_milliseconds)


@pytest.mark.parametrize(
    ("magic", "frame", "facts"),
    [
        (b"#!AMR\n", b"\x3c" + bytes(31), AudioFacts("amr-nb", 1, 8000, 60)),
        (b"#!AMR-WB\n", b"\x44" + bytes(60), AudioFacts("amr-wb", 1, 16000, 60)),
    ],
)
def test_amr_is_walked(magic: bytes, frame: bytes, facts: AudioFacts) -> None:
    """M7: frame by frame; a cut inside one is found."""
    body = magic + frame * 3
    assert (facts, None) == (look(body).audio, failure(body))
    assert "structure_whole" == failure(body[:-1])
    assert "structure_whole" == failure(body + b"\x54")


@pytest.mark.parametrize(
    "body",
    [b'{"a": [1, 2]}', b" \n[]", b"[1]", b"{}", b'\xef\xbb\xbf{"a": 1}', '{"a": 1}'.encode("utf-16")],
    ids=["object", "space", "array", "empty", "mark", "utf-16"],
)
def test_json_is_parsed(body: bytes) -> None:
    """Transcripts and metadata: any Unicode encoding."""
    assert ("json", None) == (look(body).kind.name, failure(body))


@pytest.mark.parametrize("body", [b'{"a": ', b'{"a": 1} x', b"[" * 100_000, b'{"a": "\xff"}', b"{"])
def test_json_that_does_not_parse_is_refused(body: bytes) -> None:
    """M1: cut, followed by more, too deep, not text."""
    assert "structure_whole" == failure(body)


def test_json_too_large_to_parse_is_refused() -> None:
    """M1: memory is bounded."""
    body = b'["' + b"x" * (33 * 1024 * 1024) + b'"]'
    assert "structure_whole" == failure(body)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"<!DOCTYPE html><html>", "html"),
        (b"\n <HTML>", "html"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><!DOCTYPE html><html/>', "html"),
        (b'<?xml version="1.0"?><Error/>', "xml"),
        (b"<Error><Code>AccessDenied</Code></Error>", "xml"),
        (b"PK\x03\x04" + bytes(40), "zip"),
    ],
)
def test_a_known_kind_that_is_no_recording_is_named(body: bytes, name: str) -> None:
    """D16: the finding says what it is instead."""
    found = look(body)
    assert name == found.kind.name
    assert "signature_known" == failure(body)
    assert name in verdict(found.findings).note


@pytest.mark.parametrize("body", [b"hello", b"\0" * 100, b"< 3", b"MZ\x90", b"\x7fELF", b"ID3"])
def test_an_unknown_kind_is_refused(body: bytes) -> None:
    """Nothing is guessed."""
    assert "signature_known" == failure(body)


def test_a_mail_is_a_recording() -> None:
    """Genesys Cloud records mails too."""
    body = b"Received: from x\r\nSubject: hello\r\n\r\nbody"
    assert ("eml", None) == (look(body).kind.name, failure(body))


@pytest.mark.parametrize(
    ("declared", "agrees"),
    [
        (None, True),
        ("", True),
        ("audio/wav", True),
        ("Audio/X-WAV; charset=binary", True),
        ("application/octet-stream", True),
        ("audio/mpeg", False),
        ("text/html" * 50, False),
    ],
)
def test_the_bytes_win_over_what_was_declared(declared: str | None, *, agrees: bool) -> None:
    """M10: a disagreement is recorded and stops nothing."""
    found = look(sound("wav-pcm"), declared)
    declared_finding = next(finding for finding in found.findings if finding.name == "declared_type_agrees")
    assert (agrees, False, None) == (declared_finding.ok, declared_finding.required, verdict(found.findings))
    assert agrees == (declared_finding.note == "")


@given(st.binary(max_size=400), st.sampled_from([sound(name)[:300] for name in FORMATS] + [webm(), b"", b"ID3\4\0\0"]))
def test_no_bytes_make_it_raise(tail: bytes, head: bytes) -> None:
    """A bad file is a finding, never an exception."""
    found = look(head + tail)
    assert isinstance(found.findings, tuple)
    json.dumps([finding.note for finding in found.findings])


class Repeated(io.RawIOBase):
    """A large file that is never held: a head, then the same bytes again and again."""

    def __init__(self, head: bytes, period: bytes, repeats: int) -> None:
        self.head, self.period, self.at = head, period, 0
        self.size = len(head) + len(period) * repeats

    def seek(self, offset: int, _whence: int = 0) -> int:
        """Go to a place."""
        self.at = offset
        return offset

    def read(self, count: int = -1) -> bytes:
        """Make the bytes that would be there."""
        count = max(0, min(count, self.size - self.at))
        piece = self.head[self.at : self.at + count]
        begin = (self.at + len(piece) - len(self.head)) % len(self.period)
        repeats = (begin + count) // len(self.period) + 1
        piece += (self.period * repeats)[begin : begin + count - len(piece)]
        self.at += count
        return piece


def large_wav() -> Repeated:
    """Two gigabytes of PCM."""
    size = 2_000_000_000
    fields = (b"RIFF", size + 36, b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", size)
    return Repeated(struct.pack("<4sI4s4sIHHIIHH4sI", *fields), bytes(1000), size // 1000)


def large_mp3() -> Repeated:
    """Forty megabytes of frames."""
    return Repeated(b"", b"\xff\xfb\xe0\x64" + bytes(1040), 40_000)


def large_ogg() -> Repeated:
    """Forty megabytes that begin like an Ogg and are none."""
    return Repeated(sound("ogg-vorbis"), b"\0" * 1000, 40_000)


@pytest.mark.parametrize("make", [large_wav, large_mp3, large_ogg])
def test_a_large_file_is_walked_in_constant_memory(make) -> None:
    """The walk holds one window, whatever the size."""
    stream = make()
    tracemalloc.start()
    try:
        found = examine(stream, stream.size, None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (make is large_ogg) == (verdict(found.findings) is not None)
    assert peak < 2_000_000
