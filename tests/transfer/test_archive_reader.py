"""Rows Z1 to Z20: a zip is read as it is meant, or not at all."""

from __future__ import annotations

import hashlib
import io
import random
import time
import zipfile
import zlib
from contextlib import closing

import pytest

from include.errors import ArchiveRejected
from include.transfer.archive_reader import ArchiveLimits, open_archive
from include.transfer.hashed_sink import HashedSink
from tests.transfer.hostile_archives import BAD, DATA, EMPTY, GOOD, LIMITS, descriptor, read_all, zip64
from tests.transfer.hostile_zip import Part, build

LONG = random.Random(5).randbytes(600_000)  # noqa: S311 - several pieces, packed or not


@pytest.mark.parametrize("body", GOOD.values(), ids=GOOD)
def test_an_honest_archive_is_read(body: bytes) -> None:
    """The content is what zipfile reads too; directories are no members."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        expected = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    assert expected == read_all(body)


def test_zipfile_writes_what_is_accepted() -> None:
    """Seekable, streamed, 64-bit and many members."""

    class Unseekable(io.RawIOBase):
        def __init__(self) -> None:
            self.body = b""

        def writable(self) -> bool:
            return True

        def write(self, piece) -> int:
            self.body += bytes(piece)
            return len(piece)

    for sink in (io.BytesIO(), Unseekable()):
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.wav", DATA)
            with archive.open("b.wav", "w", force_zip64=True) as member:
                member.write(DATA)
        body = sink.body if isinstance(sink, Unseekable) else sink.getvalue()
        assert {"a.wav": DATA, "b.wav": DATA} == read_all(body)


def test_more_members_than_16_bits_count_are_read() -> None:
    """Z16: a 64-bit end record is normal for a large archive."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for n in range(65_600):
            archive.writestr(zipfile.ZipInfo(str(n)), b"")
    limits = ArchiveLimits(members_max=70_000)
    assert 65_600 == len(open_archive(body, limits).members)


def test_a_64_bit_end_record_is_read() -> None:
    """Z16: small archives may have one too."""
    assert {"call.wav": DATA} == read_all(zip64())


@pytest.mark.parametrize(("body", "reason"), BAD.values(), ids=BAD)
def test_a_hostile_archive_is_rejected_for_its_reason(body: bytes, reason: str) -> None:
    """Each lie alone is enough, and the reason is one stable word."""
    with pytest.raises(ArchiveRejected) as caught:
        read_all(body)
    assert reason == caught.value.reason


def test_an_overlap_bomb_is_refused_at_once() -> None:
    """Z15: thousands of members that share one kernel, as in the 42 kB bombs."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    kernel = deflate.compress(bytes(10_000_000)) + deflate.flush()
    parts = [Part(b"0", bytes(10_000_000), packed=kernel)]
    parts += [Part(str(n).encode(), central={"offset": 0}) for n in range(1, 1500)]
    body = build(*parts)
    begun = time.monotonic()
    with pytest.raises(ArchiveRejected):
        open_archive(io.BytesIO(body), ArchiveLimits())
    assert time.monotonic() - begun < 2


def test_a_million_members_are_refused_before_they_are_read() -> None:
    """Z15: the end record's count is enough."""
    body = build(Part(), end={"entries": 60_000, "here": 60_000})
    with pytest.raises(ArchiveRejected) as caught:
        open_archive(io.BytesIO(body), ArchiveLimits())
    assert "too_many_members" == caught.value.reason


def test_silence_may_pack_well() -> None:
    """An hour of digital silence is no bomb: the ratio counts only above a size no call reaches."""
    quiet = bytes(20_000_000)
    assert {"call.wav": quiet} == read_all(build(Part(data=quiet)), ArchiveLimits())


def test_a_bad_checksum_never_hands_out_the_last_byte() -> None:
    """Not even to a reader that stops at the declared size and never looks for the end."""
    contents = open_archive(io.BytesIO(build(Part(data=LONG, central={"crc": 1}, local={"crc": 1}))), LIMITS)
    (member,) = contents.members
    got: list[bytes] = []
    with pytest.raises(ArchiveRejected):
        got.extend(contents.pieces(member))
    assert got
    assert len(b"".join(got)) < member.size


def test_a_reader_may_leave_early() -> None:
    """Only who reads to the end asks for the proof."""
    bad = Part(data=LONG, central={"crc": 1}, local={"crc": 1})
    contents = open_archive(io.BytesIO(build(bad, Part(b"b"))), LIMITS)
    first, second = contents.members
    assert LONG.startswith(next(contents.pieces(first)))
    assert DATA == b"".join(contents.pieces(second))


def test_an_archive_that_shrinks_is_rejected() -> None:
    """The file behind the stream may be cut after it was judged."""
    source = io.BytesIO(build(Part(method=0)))
    contents = open_archive(source, LIMITS)
    source.truncate(50)
    with pytest.raises(ArchiveRejected) as caught:
        b"".join(contents.pieces(contents.members[0]))
    assert "truncated" == caught.value.reason
    with pytest.raises(ArchiveRejected) as caught, closing(HashedSink(io.BytesIO(), len(DATA))) as sink:
        contents.pour(contents.members[0], sink)
    assert "truncated" == caught.value.reason


class Broken(io.BytesIO):
    """A source that fails in a way nobody planned for."""

    def read(self, *_args) -> bytes:
        """Fail."""
        raise LookupError("out of the blue")


def test_no_other_exception_escapes() -> None:
    """Z20: one boundary for everything that is not an error of ours."""
    with pytest.raises(ArchiveRejected) as caught:
        open_archive(Broken(b"x" * 100), LIMITS)
    assert "unreadable" == caught.value.reason


def writer_zip(kind: str) -> bytes:
    """Return a three-member zip as a seekable or a streaming writer makes it."""
    draw = random.Random(7)  # noqa: S311 - bytes that do not pack
    audio = draw.randbytes(300)
    if kind == "seekable":
        return build(Part(b"a.wav", audio, 0), Part(b"b.wav", audio[::-1]), Part(b"m.json", b'{"a": 1}'))
    parts = [(b"a.wav", audio), (b"b.wav", audio[::-1]), (b"m.json", b'{"a": 1}')]
    return build(*[Part(name, data, flags=8, local=EMPTY, descriptor=descriptor(data)) for name, data in parts])


@pytest.mark.parametrize("kind", ["seekable", "streamed"])
def test_no_mutant_is_read_as_something_else(kind: str) -> None:
    """Flip, set, cut, repeat and swap bytes: the content is the original's, or the archive is rejected."""
    body = writer_zip(kind)
    truth = sorted(hashlib.sha256(data).hexdigest() for data in read_all(body).values())
    draw = random.Random(2026)  # noqa: S311 - a seed, so that each mutant can be had again
    rejected = 0
    for _ in range(800):
        mutant = bytearray(body)
        at = draw.randrange(len(mutant))
        match draw.randrange(5):
            case 0:
                mutant[at] ^= 1 << draw.randrange(8)
            case 1:
                mutant[at] = draw.choice([0, 1, 0x7F, 0x80, 0xFF])
            case 2:
                del mutant[at:]
            case 3:
                mutant[at:at] = mutant[max(0, at - draw.randrange(60)) : at]
            case 4:
                mutant[at : at + 4] = draw.randbytes(4)
        try:
            read = read_all(bytes(mutant))
        except ArchiveRejected:
            rejected += 1
            continue
        assert truth == sorted(hashlib.sha256(data).hexdigest() for data in read.values())
    assert rejected > 600


@pytest.mark.parametrize("name", ["stored-sizes-differ", "impossible-ratio"])
def test_impossible_sizes_are_refused_before_a_member_is_read(name: str) -> None:
    """The directory alone shows the lie."""
    with pytest.raises(ArchiveRejected):
        open_archive(io.BytesIO(BAD[name][0]), LIMITS)
