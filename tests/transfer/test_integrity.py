"""Rows M5 to M10: a whole recording is known as one, and a cut one is not taken for it."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.transfer.integrity import Finding, examine, inspect, verdict
from tests.transfer.boxes import box, element, webm
from tests.transfer.examined import failure, look
from tests.transfer.sound import FORMATS, RATE_HZ, SECONDS, sound


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


WAVE_FIELDS = (b"RIFF", 40, b"WAVE", b"fmt ", 16, 1, 1, 2**32 - 1, 8, 1, 8, b"data", 4, b"s")
SOUND_FACTS = element(b"\x16\x54\xae\x6b", element(b"\xae", element(b"\xe1", element(b"\x9f", b"\xff" * 60))))


@pytest.mark.parametrize(
    "body",
    [
        struct.pack("<4sI4s4sIHHIIHH4sI4s", *WAVE_FIELDS),
        webm()[:19] + element(b"\x18\x53\x80\x67", SOUND_FACTS),
        box(b"ftyp", b"isom" + bytes(8))
        + box(b"moov", box(b"mvhd", struct.pack(">IQQIQ", 1 << 24, 0, 0, 1, 2**63) + bytes(80)))
        + box(b"mdat", b"x"),
    ],
    ids=["rate", "channels", "duration"],
)
def test_numbers_that_no_sound_has_are_not_kept(body: bytes) -> None:
    """M6, M7: a header holds any number; one that does not fit its column would cost the day its catalog."""
    found = look(body)
    assert None is verdict(found.findings)
    pa.array([found.audio.sample_rate_hz, found.audio.channels], type=pa.int32())
    pa.array([found.audio.duration_milliseconds], type=pa.int64())


@pytest.mark.parametrize(
    ("declared", "agrees"), [(10**400, False), (-(10**400), False), (2000, True)], ids=["more", "less", "true"]
)
def test_any_number_may_be_declared_as_the_duration(declared: int, *, agrees: bool) -> None:
    """M12: it comes from a JSON of the source, where numbers may be as long as they like."""
    body = sound("wav-pcm")
    found = examine(io.BytesIO(body), len(body), None, declared)
    assert agrees == next(finding.ok for finding in found.findings if finding.name == "declared_duration_agrees")


def test_no_bytes_are_no_recording() -> None:
    """M9: the only check that can be made fails."""
    assert (Finding("not_empty", ok=False, required=True, note="the file has no bytes"),) == inspect(
        io.BytesIO(), 0, "audio/wav"
    )


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


def test_json_of_too_many_values_is_refused() -> None:
    """M1: a few MB of them become hundreds in memory."""
    assert None is failure(b"[" + b"0," * 400_000 + b"0]")
    assert "structure_whole" == failure(b"[" + b"[]," * 300_000 + b"[]]")


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
