"""Inflating in one call: yes to exactly what was promised, and to nothing else."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, cast

import pytest

from include.transfer.archive_reader import ArchiveLimits, open_archive
from include.transfer.hashed_sink import HashedSink
from include.transfer.ranged_source import RangedSource
from include.transfer.stretches import StretchFile
from include.transfer.whole_inflate import WHOLE_INFLATE
from tests.transfer.hostile_archives import EMPTY, descriptor
from tests.transfer.hostile_zip import Part, build
from tests.transfer.test_zip_mutants import PROJECT

if TYPE_CHECKING:
    from typing import BinaryIO

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


@pytest.mark.parametrize("block_bytes", [1000, 30_000, 200_000], ids=["smaller", "a-part", "larger"])
def test_trying_it_fetches_nothing_twice(block_bytes: int) -> None:
    """A member that is larger than a block is poured with as many reads as it takes piece by piece."""
    body = build(Part(b"first"), Part(data=DATA, flags=8, local=EMPTY, descriptor=descriptor(DATA)))
    contents = open_archive(io.BytesIO(body), ArchiveLimits(), is_remote=True)
    streamed, stream_reads = noting(body, block_bytes)
    poured, pour_reads = noting(body, block_bytes)

    first = [b"".join(contents.pieces(member, cast("BinaryIO", streamed))) for member in contents.members]
    places = [io.BytesIO() for _ in contents.members]
    for member, place in zip(contents.members, places, strict=True):
        with closing(HashedSink(place, member.size)) as sink:
            contents.pour(member, sink, cast("BinaryIO", poured))
    assert first == [place.getvalue() for place in places]
    assert stream_reads == pour_reads


def noting(body: bytes, block_bytes: int) -> tuple[StretchFile, list[tuple[int, int]]]:
    """Return a zip as a bundle reads it, and the list in which its reads are noted."""
    reads = []

    def fill(offset: int, view: memoryview) -> int:
        reads.append((offset, len(view)))
        view[:] = body[offset : offset + len(view)]
        return len(view)

    return StretchFile(RangedSource(len(body), fill), block_bytes), reads
