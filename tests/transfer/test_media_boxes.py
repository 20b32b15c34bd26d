"""Row M7: WebM, Matroska, MP4 and AMR, each walked to its end."""

from __future__ import annotations

import struct

import pytest

from include.transfer.integrity import AudioFacts, verdict
from tests.transfer.boxes import box, webm
from tests.transfer.examined import failure, look


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


@pytest.mark.parametrize("block", [b"\xa3\x87" + bytes(7), b"\xa3\x10\0\0\x07" + bytes(7)], ids=["short", "longer"])
def test_hours_of_silence_are_walked(block: bytes) -> None:
    """M7: an encoder that says little in silence still says it fifty times a second, in blocks of nine bytes."""
    body = webm(unknown=True) + b"\x1f\x43\xb6\x75\xff" + block * 50 * 3600 * 8
    assert None is failure(body)
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
