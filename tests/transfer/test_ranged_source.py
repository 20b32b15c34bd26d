"""A remote file read at any place."""

from __future__ import annotations

import io
import random
import zipfile
from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from include.errors import IntegrityError, RecordingGone, SourceChanged, SourceUnavailable
from include.transfer.archive_reader import ArchiveLimits, open_archive
from include.transfer.body import put
from include.transfer.hashed_sink import HashedSink
from include.transfer.ranged_source import RangedSource
from include.transfer.recording_spool import BufferPool, Spool
from include.transfer.stretches import Stretch, StretchFile
from tests.transfer.behaviours import answer, cut, whole
from tests.transfer.conftest import url_of
from tests.transfer.fault_server import FaultServer, Wire, honest
from tests.transfer.pouring import source_of

if TYPE_CHECKING:
    from pathlib import Path

    from include.secret import PresignedUrl
    from include.transfer.download import MediaDownloader


def test_any_place_can_be_read(downloader: MediaDownloader, url: PresignedUrl, content: bytes) -> None:
    """Inside the first block, across its end, at the end of the file and behind it."""
    draw = random.Random(1)  # noqa: S311 - places to read
    with downloader.open_ranged(url) as source:
        assert len(content) == source.size
        for offset, length in [(0, 10), (990, 20), (4490, 100), (4500, 5), (9000, 5), (0, 4500), (7, 0)] + [
            (draw.randrange(4500), draw.randrange(1500)) for _ in range(20)
        ]:
            assert content[offset : offset + length] == source.read_at(offset, length)


def test_a_small_file_comes_with_one_request(downloader: MediaDownloader, server: FaultServer) -> None:
    """What fits a chunk is held from the first answer on."""
    server.content = b"small"
    with downloader.open_ranged(url_of(server)) as source:
        assert b"mall" == source.read_at(1, 4)
    assert 1 == len(server.requests)


def test_the_first_block_of_a_larger_file_is_held_until_it_was_read(
    downloader: MediaDownloader, server: FaultServer, url: PresignedUrl, content: bytes
) -> None:
    """It is not asked for twice to be read once, and takes no memory any more when it was."""
    with downloader.open_ranged(url) as source:
        assert content[:400] == source.read_at(0, 400)
        assert content[400:1000] == source.read_at(400, 600)
        assert 1 == len(server.requests)
        assert content[:400] == source.read_at(0, 400)
        assert 2 == len(server.requests)


def test_what_was_held_is_asked_for_again(downloader: MediaDownloader, server: FaultServer) -> None:
    """Who doubts it gets it from the source once more."""
    server.content = b"small"
    with downloader.open_ranged(url_of(server)) as source:
        source.forget()
        assert b"mall" == source.read_at(1, 4)
    assert 2 == len(server.requests)


@pytest.mark.parametrize("size", [0, 5, 1000, 4500])
def test_a_server_without_ranges_is_spooled(
    downloader: MediaDownloader, server: FaultServer, content: bytes, size: int
) -> None:
    """The caller sees no difference."""
    server.content, server.default = content[:size], whole
    with downloader.open_ranged(url_of(server)) as source:
        assert content[:size] == source.stream().read()


def test_an_empty_file_has_no_bytes(downloader: MediaDownloader, server: FaultServer) -> None:
    """416 at byte 0."""
    server.content = b""
    with downloader.open_ranged(url_of(server)) as source:
        assert (0, b"") == (source.size, source.read_at(0, 10))


def test_a_cut_range_is_asked_again(
    downloader: MediaDownloader, server: FaultServer, url: PresignedUrl, content: bytes
) -> None:
    """Within the same bounds as a whole download."""
    server.script = deque([cut(5), honest, cut(5)])
    with downloader.open_ranged(url) as source:
        assert content[2000:2500] == source.read_at(2000, 500)
    assert 4 == len(server.requests)


def test_errors_of_a_read_are_those_of_a_fetch(
    downloader: MediaDownloader, server: FaultServer, url: PresignedUrl, content: bytes
) -> None:
    """A refusal, a change and a server that gives up."""
    with downloader.open_ranged(url) as source:
        server.script = deque([answer(404)])
        with pytest.raises(RecordingGone):
            source.read_at(2000, 5)
        server.default = answer(503)
        with pytest.raises(SourceUnavailable):
            source.read_at(2000, 5)
        server.default = whole
        with pytest.raises(IntegrityError, match="stopped serving ranges"):
            source.read_at(2000, 5)

        def swapped(request, wire: Wire) -> None:
            honest(request, Wire(wire.connection, content[:4000], '"first"', wire.stopping))

        server.default = swapped
        with pytest.raises(SourceChanged):
            source.read_at(2000, 5)


def test_a_zip_is_read_through_ranges(downloader: MediaDownloader, server: FaultServer, content: bytes) -> None:
    """Members come out right without a temporary file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.bin", content)
        archive.writestr("b.bin", content[::-1])
    server.content = packed.getvalue()
    with downloader.open_ranged(url_of(server)) as source:
        contents = open_archive(source.stream(), ArchiveLimits())
        read = {member.name: b"".join(contents.pieces(member)) for member in contents.members}
    assert {"a.bin": content, "b.bin": content[::-1]} == read


def test_a_lost_connection_is_not_a_bad_archive(
    downloader: MediaDownloader, server: FaultServer, content: bytes
) -> None:
    """The archive reader lets errors of the source through: they may pass, a bad archive does not."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.bin", content)
    server.content = packed.getvalue()
    with downloader.open_ranged(url_of(server)) as source:
        server.default = answer(503)
        with pytest.raises(SourceUnavailable):
            open_archive(source.stream(), ArchiveLimits())


def test_a_place_before_the_start_is_a_mistake() -> None:
    """Negative numbers are refused, also through the stream."""
    source = source_of(b"abc")
    with pytest.raises(ValueError, match="negative"):
        source.read_at(-1, 2)
    stream = source.stream()
    assert 1 == stream.seek(-2, io.SEEK_END)
    assert b"bc" == stream.read()
    with pytest.raises(ValueError, match="before the start"):
        stream.seek(-9, io.SEEK_CUR)


class Restless(Spool):
    """A whole copy that somebody else moves to its end each time it was moved, as it is before it is uploaded."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to a place, and away from it."""
        super().seek(offset, whence)
        return super().seek(0, io.SEEK_END)


def test_a_whole_copy_is_read_by_several(tmp_path: Path) -> None:
    """Members are read from it by threads of their own, and another one keeps it as evidence: none moves the others."""
    with Restless(BufferPool(1, 100), tmp_path) as spool, closing(HashedSink(spool, 100)) as sink:
        put(sink, bytes(range(100)))
        source = RangedSource.of_spool(spool, 100)
        assert bytes(range(10, 30)) == source.read_at(10, 20)


def test_bytes_are_shown_where_they_lie_together() -> None:
    """Those of one block; nothing where a block ends in them, and nothing is no bytes."""
    body = bytes(range(100))
    view = StretchFile(source_of(body), 40)
    view.aim((Stretch(0, 60), Stretch(60, 100)))
    assert body[10:30] == bytes(view.shown(10, 20) or b"")
    assert [None, None, None] == [view.shown(10, 41), view.shown(30, 30), view.shown(30, 0)]
    assert body[60:100] == bytes(view.shown(60, 40) or b"")
