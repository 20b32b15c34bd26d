"""Inflating in one call: yes to exactly what was promised, and to nothing else."""

from __future__ import annotations

import random
import subprocess
import sys
import zlib

import pytest

from include.transfer.whole_inflate import WHOLE_INFLATE
from tests.transfer.test_zip_mutants import PROJECT

DATA = random.Random(3).randbytes(40_000) + bytes(40_000)  # noqa: S311 - packs to a half


def packed(data: bytes) -> bytearray:
    """Return a raw deflate stream."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return bytearray(deflate.compress(data) + deflate.flush())


def inflated(stream: bytearray, place: bytearray) -> bool:
    """Inflate; the wheel is pinned, so here it is."""
    assert WHOLE_INFLATE is not None
    return WHOLE_INFLATE(memoryview(stream), memoryview(place))


def test_a_whole_stream_fills_its_place() -> None:
    """Byte for byte."""
    place = bytearray(len(DATA))
    assert inflated(packed(DATA), place)
    assert DATA == place


@pytest.mark.parametrize(
    ("stream", "size"),
    [
        (packed(DATA) + b"\0", len(DATA)),
        (packed(DATA) + packed(b"more"), len(DATA)),
        (packed(DATA)[:-1], len(DATA)),
        (packed(DATA)[:30_000], len(DATA)),
        (packed(DATA), len(DATA) - 1),
        (packed(DATA), len(DATA) + 1),
        (bytearray(b"\xff" * 100), 100),
        (bytearray(), 10),
        (packed(b""), 0),
    ],
    ids=["byte-behind", "stream-behind", "cut", "half", "too-small", "too-large", "none", "no-bytes", "no-place"],
)
def test_anything_else_is_left_to_the_stream(stream: bytearray, size: int) -> None:
    """Also where every byte of the place would be right: what lies behind the stream belongs to nobody."""
    assert not inflated(stream, bytearray(size))


def test_nothing_is_written_behind_the_place() -> None:
    """A stream that unpacks to more than it promised stops at the end of its place."""
    assert WHOLE_INFLATE is not None
    room = bytearray(b"\xaa" * 1000)
    assert not WHOLE_INFLATE(memoryview(packed(bytes(100_000))), memoryview(room)[:500])
    assert b"\xaa" * 500 == room[500:]


def test_without_the_wheel_members_are_streamed() -> None:
    """As on a platform for which there is none."""
    code = (
        "import sys; sys.modules['deflate'] = None\n"
        "from include.transfer.whole_inflate import WHOLE_INFLATE; print(WHOLE_INFLATE)"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, check=True)  # noqa: S603
    assert b"None" == found.stdout.strip()
