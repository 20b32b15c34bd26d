"""Row D20: a server may be slow, but not for ever."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from include.transfer.download import MediaDownloader
from tests.transfer.behaviours import after, partial_head
from tests.transfer.conftest import url_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.transfer.download import Downloaded
    from tests.transfer.fault_server import FaultServer, Request, Wire

    Fetched = Callable[[], Downloaded]
    Refused = Callable[[type[BaseException]], BaseException]


def drip_body(request: Request, wire: Wire) -> None:
    """One byte each 0.1 seconds: no read time-out ever fires."""
    wire.drip(partial_head(request, wire), 0.1)


def drip_head(_: Request, wire: Wire) -> None:
    """A head that never ends."""
    wire.send(b"HTTP/1.1 206 Partial\r\nX-Long: ")
    wire.drip(b"x" * 1000, 0.1)


def drip_chunk_size(request: Request, wire: Wire) -> None:
    """A chunk extension that never ends: below the body, so a body's clock does not see it."""
    partial_head(request, wire, content_length=None, transfer_encoding="chunked")
    wire.drip(b"3e8;" + b"x" * 1000, 0.1)


def endless_continue(_: Request, wire: Wire) -> None:
    """Interim answers at full speed."""
    while not wire.stopping.is_set():
        wire.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def trickle_head(_: Request, wire: Wire) -> None:
    """A head that never ends and never pauses for as long as the shortest time-out."""
    wire.send(b"HTTP/1.1 206 Partial\r\nX-Long: ")
    wire.drip(b"x" * 60_000, 0.0002)


def silence(_: Request, wire: Wire) -> None:
    """Say nothing until the other side leaves."""
    wire.stopping.wait(3)


@pytest.mark.parametrize(
    "behave",
    [drip_body, drip_head, trickle_head, drip_chunk_size, silence],
    ids=["body", "head", "trickle", "chunk-size", "silence"],
)
def test_a_drip_ends_at_the_minimum_rate(
    server: FaultServer, settings, fetched: Fetched, behave: Callable[[Request, Wire], None]
) -> None:
    """D20: each attempt ends within the grace and a little; then the download goes on."""
    server.script = after(1, behave)
    begun = time.monotonic()
    fetched()
    assert time.monotonic() - begun < settings.throughput_grace_seconds + 1


def test_silence_is_bounded_by_the_pace_too(server: FaultServer, settings) -> None:
    """D20: where a read may take longer than the grace, the grace ends it."""
    server.script = after(1, silence)
    sink, patient = io.BytesIO(), replace(settings, read_timeout_seconds=60.0)
    with MediaDownloader(patient, ("127.0.0.1",), lambda _: None) as downloader:
        begun = time.monotonic()
        downloader.fetch(url_of(server), sink)
    assert time.monotonic() - begun < settings.throughput_grace_seconds + 1


def test_endless_interim_answers_end(server: FaultServer, fetched: Fetched) -> None:
    """D20: an answer that never begins is a drip too, however fast."""
    server.script = after(1, endless_continue)
    begun = time.monotonic()
    fetched()
    assert time.monotonic() - begun < 4


def test_a_caller_who_is_slow_is_not_a_slow_server(server: FaultServer, downloader: MediaDownloader) -> None:
    """The clock counts waiting for the source, not the time the sink takes."""

    class SlowSink(io.BytesIO):
        def write(self, data) -> int:
            time.sleep(0.12)
            return super().write(data)

    sink = SlowSink()
    assert 0 == downloader.fetch(url_of(server), sink).retries
