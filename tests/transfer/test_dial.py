"""A host of several addresses costs one connect time-out, however many of them are down; sockets on loopback."""

from __future__ import annotations

import io
import socket
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from include.errors import SourceUnavailable
from include.secret import PresignedUrl
from include.transfer.dial import NEXT_SECONDS, dial
from include.transfer.download import MediaDownloader
from tests.transfer.conftest import url_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.settings import ArchiveSettings
    from tests.transfer.fault_server import FaultServer

HOLES = [f"127.0.0.{number}" for number in range(2, 10)]
"""Eight, as Amazon S3 names."""


@contextmanager
def holes(addresses: list[str], port: int = 0) -> Iterator[int]:
    """Let connections to these addresses of this machine hang for ever: a queue that is full and nobody empties."""
    with ExitStack() as stack:
        for address in addresses:
            listener = stack.enter_context(socket.socket())
            listener.bind((address, port))
            listener.listen(0)
            port = listener.getsockname()[1]
            for _ in range(2):
                waiting = stack.enter_context(socket.socket())
                waiting.settimeout(0.0)
                waiting.connect_ex((address, port))
        yield port


@contextmanager
def living(port: int, address: str = "127.0.0.1") -> Iterator[socket.socket]:
    """Listen on the same port of another address."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(8)
        yield listener


def open_files() -> int:
    """Count this process' open files."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_addresses_that_are_all_down_cost_one_time_out() -> None:
    """Eight of them took eight; nothing stays open."""
    with holes(HOLES) as port:
        before, began = open_files(), time.monotonic()
        with pytest.raises(TimeoutError):
            dial(HOLES, port, 0.6)
        assert 0.6 <= time.monotonic() - began < 1.2
        assert before == open_files()


def test_address_behind_some_that_are_down_is_found_in_time() -> None:
    """Each that hangs costs a moment, not the time-out; the socket waits as long as it was told to."""
    with holes(HOLES[:2]) as port, living(port):
        began = time.monotonic()
        with dial([*HOLES[:2], "127.0.0.1"], port, 20.0) as connected:
            assert 2 * NEXT_SECONDS <= time.monotonic() - began < 5
            assert (("127.0.0.1", port), 20.0) == (connected.getpeername(), connected.gettimeout())


def test_first_that_answers_is_the_only_one() -> None:
    """No second connection is begun where the first address is well."""
    with living(0) as first:
        port = first.getsockname()[1]
        with living(port, "127.0.0.2") as second:
            with dial(["127.0.0.1", "127.0.0.2"], port, 5.0, [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]) as found:
                assert ("127.0.0.1", 1) == (
                    found.getpeername()[0], found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY),
                )  # fmt: skip
            second.settimeout(0.0)
            with pytest.raises(BlockingIOError):
                second.accept()


def test_refusal_is_not_waited_for() -> None:
    """Nobody listens on some, and IPv6 may be missing: the next is tried at once."""
    with living(0) as listener:
        port, began = listener.getsockname()[1], time.monotonic()
        with dial(["::1", *HOLES, "127.0.0.1"], port, 5.0) as found:
            assert "127.0.0.1" == found.getpeername()[0]
        assert time.monotonic() - began < NEXT_SECONDS
    with pytest.raises(ConnectionRefusedError):
        dial(HOLES, port, 5.0)
    with pytest.raises(OSError, match="no address"):
        dial([], port, 5.0)


def test_media_host_that_is_down_costs_one_time_out(settings: ArchiveSettings, server: FaultServer) -> None:
    """With addresses that hang before the one that serves it is served, and without it given up in time."""
    short = replace(settings, connect_timeout_seconds=0.8, throughput_grace_seconds=5.0, download_attempts=1)
    url = PresignedUrl(url_of(server).reveal().replace("127.0.0.1", "localhost"))
    addresses = [*HOLES[:2], "127.0.0.1"]
    with (
        holes(HOLES[:2], server.port),
        MediaDownloader(short, ("localhost",), lambda _: None, resolver=lambda _host, _port: addresses) as downloader,
    ):
        sink = io.BytesIO()
        downloader.fetch(url, sink)
        assert server.content == sink.getvalue()
    with (
        holes(HOLES[:4], server.port),
        MediaDownloader(short, ("localhost",), lambda _: None, resolver=lambda _host, _port: HOLES[:4]) as downloader,
    ):
        began = time.monotonic()
        with pytest.raises(SourceUnavailable):
            downloader.fetch(url, io.BytesIO())
        assert time.monotonic() - began < 2 * 0.8
