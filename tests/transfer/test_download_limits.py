"""Rows D23, D24 and D28, and memory: a worker stays within what its machine gives it."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
from collections import deque
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from include.errors import ArchiveError, RecordingGone
from include.secret import PresignedUrl
from include.transfer.download import MediaDownloader
from tests.transfer.behaviours import answer, cut
from tests.transfer.conftest import url_of
from tests.transfer.fault_server import FaultServer, Request, Wire, honest
from tests.transfer.range_server import RangeServer, marked_file

if TYPE_CHECKING:
    from pathlib import Path

    from include.settings import ArchiveSettings

MEBIBYTE = 1024**2


def work(urls: list[str], state_dir: Path, **order: object) -> dict:
    """Download in a process of its own, and return what it says."""
    text = json.dumps({"urls": urls, "state_dir": os.fspath(state_dir), **order})
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "tests.transfer.worker_process", text], stdout=subprocess.PIPE, check=True, timeout=90
    )
    return json.loads(done.stdout)


def test_a_full_disk_costs_the_one_recording(tmp_path: Path) -> None:
    """D23: what does not fit is refused by name and its part removed; what fits is not harmed."""
    large, small = (marked_file(tmp_path / name, size) for name, size in (("large", 6 * MEBIBYTE), ("small", MEBIBYTE)))
    with RangeServer(large) as first, RangeServer(small) as second:
        urls = [f"http://127.0.0.1:{server.port}/x" for server in (first, second)]
        order = {"memory_bytes": 1000, "chunk_bytes": MEBIBYTE, "file_bytes_max": 3 * MEBIBYTE}
        found = work(urls, tmp_path / "state", **order)["results"]
    assert "QuotaExceeded" == found[0]["error"]
    assert "work directory is full" in found[0]["message"]
    assert hashlib.sha256(small.read_bytes()).hexdigest() == found[1]["sha256"]
    assert [] == list((tmp_path / "state" / "work").iterdir())


def test_a_full_disk_stops_several_connections_too(tmp_path: Path) -> None:
    """D23: whichever of them meets the end of the disk."""
    path = marked_file(tmp_path / "large", 12 * MEBIBYTE)
    with RangeServer(path, bytes_per_second=30e6) as server:
        order = {"memory_bytes": 1000, "chunk_bytes": MEBIBYTE, "file_bytes_max": 5 * MEBIBYTE}
        found = work([f"http://127.0.0.1:{server.port}/x"], tmp_path / "state", parallel_ranges_from_bytes=1, **order)
    assert "QuotaExceeded" == found["results"][0]["error"]
    assert [] == list((tmp_path / "state" / "work").iterdir())


def test_many_hosts_do_not_use_up_the_files(tmp_path: Path) -> None:
    """D28: seventy servers that keep their connections open, and 64 files to have open at a time."""
    path = marked_file(tmp_path / "small", 10_000, step=1000)
    with ExitStack() as stack:
        servers = [stack.enter_context(RangeServer(path)) for _ in range(70)]
        urls = [f"http://127.0.0.1:{server.port}/x" for server in servers] * 2
        found = work(urls, tmp_path / "state", files_max=64, memory_bytes=5000)["results"]
    assert {hashlib.sha256(path.read_bytes()).hexdigest()} == {item.get("sha256") for item in found}
    assert 140 == len(found)


def test_many_urls_of_one_host_share_its_connections(settings: ArchiveSettings, content: bytes) -> None:
    """D28: one thread needs one connection, however many URLs it fetches."""
    with FaultServer(content) as server, MediaDownloader(settings, ("127.0.0.1",)) as downloader:
        for number in range(30):
            with downloader.spool() as spool:
                downloader.fetch(url_of(server, f"/{number}"), spool)
        assert 1 == len(server._connections)


def test_a_kept_connection_that_was_closed_costs_no_attempt(
    settings: ArchiveSettings, content: bytes, waits: list[float]
) -> None:
    """D28: the server closes at the moment of the next request; a GET is sent again at once."""

    def gone(_: Request, wire: Wire) -> None:
        """Close without a word, as after an idle time."""

    with (
        FaultServer(content, script=deque([honest, gone, honest, honest, gone])) as server,
        MediaDownloader(settings, ("127.0.0.1",), waits.append) as downloader,
        downloader.spool() as spool,
    ):
        assert 0 == downloader.fetch(url_of(server), spool).retries
    assert [] == waits
    assert 3 == len(server._connections)


def test_a_fresh_connection_that_is_closed_costs_an_attempt(
    settings: ArchiveSettings, content: bytes, waits: list[float]
) -> None:
    """D21: nobody kept it too long, so something is wrong; only the attempts bound that."""

    def gone(_: Request, wire: Wire) -> None:
        wire.connection.shutdown(socket.SHUT_RDWR)

    with (
        FaultServer(content, default=gone) as server,
        MediaDownloader(settings, ("127.0.0.1",), waits.append) as downloader,
        downloader.spool() as spool,
        pytest.raises(ArchiveError),
    ):
        downloader.fetch(url_of(server), spool)
    assert settings.download_attempts == len(server.requests)


def test_buffers_come_back_after_any_end(settings: ArchiveSettings, content: bytes) -> None:
    """D24: however a download ends, its memory is free for the next; when all is taken, a file will do."""
    with (
        FaultServer(content[:1500]) as server,
        MediaDownloader(replace(settings, concurrent_downloads=2), ("127.0.0.1",), lambda _: None) as downloader,
    ):
        for fault in (honest, cut(5), answer(404), answer(503), answer(200, b"<html>")):
            server.default = fault
            with downloader.spool() as spool:
                try:
                    downloader.fetch(url_of(server), spool)
                except ArchiveError:
                    continue
        server.default = honest
        with ExitStack() as stack:
            spools = [stack.enter_context(downloader.spool()) for _ in range(4)]
            for spool in spools:
                downloader.fetch(url_of(server), spool)
            assert [False, False, True, True] == [spool.in_file for spool in spools]
            assert [content[:1500]] * 4 == [spool.read() for spool in spools]
        assert 2 == len(downloader._buffers._free)


def test_a_spool_shows_its_memory_without_a_copy(settings: ArchiveSettings, content: bytes) -> None:
    """What an uploader sends is the buffer that the socket filled; it cannot be changed, nor used afterwards."""
    with FaultServer(content[:1500]) as server, MediaDownloader(settings, ("127.0.0.1",)) as downloader:
        with downloader.spool() as spool:
            downloader.fetch(url_of(server), spool)
            view = spool.view
            assert view is not None
            assert content[:1500] == view
            assert view.readonly
            assert (700, content[700:710]) == (spool.seek(700), spool.read(10))
        with pytest.raises(ValueError, match="released"):
            bytes(view)
        with pytest.raises(ValueError, match="closed"):
            spool.read()


def test_memory_is_the_same_whatever_the_size(tmp_path: Path) -> None:
    """Peak memory of a process that fetches 8 MiB and of one that fetches 512 MiB differ by less than 24 MiB."""
    peaks = []
    for size in (8 * MEBIBYTE, 512 * MEBIBYTE):
        with RangeServer(marked_file(tmp_path / str(size), size)) as server:
            order = {"memory_bytes": MEBIBYTE, "concurrent_downloads": 1}
            peaks.append(work([f"http://127.0.0.1:{server.port}/x"], tmp_path / "state", **order)["peak_bytes"])
    assert peaks[1] - peaks[0] < 24 * MEBIBYTE


def test_a_refused_recording_leaves_no_part(settings: ArchiveSettings, content: bytes) -> None:
    """D23, D15: half of it was on disk under a key when the source said that it is gone."""
    with (
        FaultServer(content, script=deque([honest, honest, answer(404)])) as server,
        MediaDownloader(settings, ("127.0.0.1",)) as downloader,
        pytest.raises(RecordingGone),
        downloader.spool("key") as spool,
    ):
        downloader.fetch(PresignedUrl(f"http://127.0.0.1:{server.port}/x"), spool)
    assert [] == list((settings.state_dir / "work").iterdir())
