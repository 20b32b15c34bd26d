"""Where bytes rest while they are judged."""

from __future__ import annotations

import hashlib
import io
import resource
from contextlib import closing
from pathlib import Path

import pytest

from include.errors import ConfigurationError, QuotaExceeded
from include.transfer.body import put
from include.transfer.hashed_sink import HashedSink
from include.transfer.recording_spool import BufferPool, Spool
from tests.limits import at_most


@pytest.mark.parametrize("size", [0, 10, 50_000])
def test_a_spool_leaves_nothing_behind(tmp_path: Path, size: int) -> None:
    """Not even while it is open: the file has no name."""
    with Spool(BufferPool(1, 1000), tmp_path) as rested, closing(HashedSink(rested, size)) as sink:
        put(sink, bytes(size))
        assert (size > 1000) == rested.in_file
        assert [] == list(tmp_path.iterdir())
        assert bytes(size) == rested.read()


@pytest.mark.parametrize("key", [None, "whose"], ids=["unnamed", "named"])
def test_a_file_is_given_back_with_its_spool(tmp_path: Path, key: str | None) -> None:
    """Its name is gone, and nothing holds its place on the disk any more."""
    with Spool(BufferPool(1, 100), tmp_path, key) as rested:
        rested.expect(1000, '"etag"')
        rested.write_at(999, memoryview(b"!"))
        assert open_below(tmp_path)
    assert [] == list(tmp_path.iterdir())
    assert [] == open_below(tmp_path)


def test_a_full_disk_costs_no_buffer(tmp_path: Path) -> None:
    """D24: memory whose bytes do not fit into the file they have outgrown it for is the next recording's."""
    pool = BufferPool(1, 4096)
    with (
        at_most(resource.RLIMIT_FSIZE, 1000),  # the system then says EFBIG, as it says ENOSPC of a disk
        Spool(pool, tmp_path) as rested,
        closing(HashedSink(rested, 10_000)) as sink,
        pytest.raises(QuotaExceeded),
    ):
        put(sink, bytes(5000))
    assert None is not pool.take()


def open_below(folder: Path) -> list[Path]:
    """Return the files of a folder that this process has open, also those without a name."""
    found = [file.readlink() for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
    return [file for file in found if file.is_relative_to(folder)]


def test_a_work_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The message names the setting."""
    blocker = tmp_path / "file"
    blocker.write_text("")
    with (
        Spool(BufferPool(0, 1000), blocker / "work") as rested,
        closing(HashedSink(rested, 100)) as sink,
        pytest.raises(ConfigurationError, match="RECORDING_ARCHIVE_STATE_DIR"),
    ):
        put(sink, b"some bytes")


def test_a_file_may_take_less_than_it_was_given() -> None:
    """As an unbuffered one does where a disk is nearly full, or a signal came."""

    class Taking(io.BytesIO):
        def write(self, piece) -> int:
            return super().write(piece[:7])

    target = Taking()
    put(HashedSink(target, 100), b"twenty bytes, no less")
    assert b"twenty bytes, no less" == target.getvalue()


def test_a_sink_returns_to_a_mark() -> None:
    """Bytes, hash and head are those of that moment."""
    target = io.BytesIO()
    sink = HashedSink(target, 100)
    put(sink, b"keep")
    mark = sink.mark()
    put(sink, b"drop")
    sink.rollback(mark)
    put(sink, b"!")
    assert (b"keep!", b"keep!") == (target.getvalue(), sink.head)
    assert hashlib.sha256(b"keep!").hexdigest() == sink.sha256


def test_a_mark_from_before_a_restart_leads_to_the_start() -> None:
    """Bytes of another generation are not the ones that were marked."""
    target = io.BytesIO()
    sink = HashedSink(target, 100)
    put(sink, b"old")
    mark = sink.mark()
    sink.restart()
    put(sink, b"newer and longer")
    sink.rollback(mark)
    assert (0, b"", b"") == (sink.position, sink.head, target.getvalue())
