"""Row Z21's like for sound: no file of 10 MB, however it was made, keeps a worker for more than two seconds."""

from __future__ import annotations

import io
import struct
import time
from itertools import islice, product

import pytest

from include.transfer.integrity import examine
from include.transfer.media.mp3 import frame_header
from include.transfer.media.ogg import checksum
from tests.transfer.boxes import box, element, webm

SIZE = 10_000_000
SECONDS_MAX = 2.0


def filled(head: bytes, period: bytes) -> bytes:
    """Return a file of ``SIZE`` bytes at most: a head, then the same again and again."""
    return head + period * ((SIZE - len(head)) // len(period))


def many_headers() -> bytes:
    """Return short MP3 frames, no two of 5000 alike: more than are remembered."""
    heads = (bytes((0xFF, *rest)) for rest in product((0xF2, 0xF3), range(0x14, 0x50), range(256)))
    lengths = ((head, header.length) for head in heads if (header := frame_header(head)) is not None)
    return b"".join(head + bytes(length - 4) for head, length in islice(lengths, 5000))


def ogg_page(serial: int) -> bytes:
    """Return an empty stream of one page."""
    page = struct.pack("<4sBBqIIIB", b"OggS", 0, 6, 0, serial, 0, 0, 0)
    return page[:22] + struct.pack("<I", checksum(page)) + page[26:]


HOSTILE = {
    "ebml-elements": filled(webm(unknown=True), b"\xec\x80"),
    "ebml-long-heads": filled(webm(unknown=True), element(b"\x1a\x45\xdf\xa3", b"")),
    "ebml-nested": filled(webm(unknown=True), b"\xae\xff"),
    "mp3-headers": filled(b"", many_headers()),
    "mp4-boxes": filled(box(b"ftyp", b"isom" + bytes(8)), box(b"free", b"")),
    "mp4-children": box(b"ftyp", b"isom" + bytes(8)) + box(b"moov", filled(b"", box(b"free", b""))),
    "ogg-pages": filled(b"", ogg_page(1)),
    "ogg-streams": b"".join(map(ogg_page, range(50_000))),
    "amr-frames": filled(b"#!AMR\n", b"\x78"),
    "flac-tail": b"fLaC\x80\0\0\x22" + bytes(34) + b"\xff\xf8\x18\x08\0\xd1" * 64 + bytes(261_000),
    "flac-syncs": filled(b"fLaC\x80\0\0\x22" + bytes(34), b"\xff\xf8"),
    "wav-chunks": filled(b"RIFF\0\0\0\0WAVE", b"junk\0\0\0\0"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_file_takes_long_to_be_judged(name: str) -> None:
    """M11: by the clock of this thread alone, and the better of two, since the machine may have other work."""
    assert cost(HOSTILE[name]) < SECONDS_MAX or cost(HOSTILE[name]) < SECONDS_MAX


def cost(body: bytes) -> float:
    """Return how many seconds it takes to judge a file, which looks like a recording at first."""
    begun = time.thread_time()
    found = examine(io.BytesIO(body), len(body), None)
    assert found.kind is not None
    assert found.kind.audio
    return time.thread_time() - begun
