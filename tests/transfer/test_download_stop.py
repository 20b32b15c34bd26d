"""A task that is interrupted ends: what its threads are fetching, or waiting to fetch again, does not hold it."""

from __future__ import annotations

import io
import signal
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from include.errors import TransferInterrupted
from include.transfer.download import MediaDownloader
from include.transfer.side_by_side import side_by_side
from tests.transfer.behaviours import answer, partial_head
from tests.transfer.conftest import url_of
from tests.transfer.fault_server import FaultServer, Request, Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.settings import ArchiveSettings

SOON_SECONDS = 0.3
PROMPT_SECONDS = 3.0


class Interruption(BaseException):
    """What Airflow's ``execution_timeout`` raises in the main thread, out of a signal."""


def slow(request: Request, wire: Wire) -> None:
    """Send a range at a pace that is permitted, so that the whole file takes 20 seconds."""
    body = partial_head(request, wire)
    for start in range(0, len(body), 100):
        wire.stopping.wait(0.02)
        wire.send(body[start : start + 100])


def begun_and_silent(request: Request, wire: Wire) -> None:
    """Say what will come, and send nothing."""
    partial_head(request, wire)
    wire.stopping.wait(10)


@pytest.mark.parametrize(
    "behave", [slow, begun_and_silent, answer(429, retry_after=60)], ids=["arriving", "silent", "asked-to-wait"]
)
def test_an_interrupted_thread_waits_for_no_download(
    settings: ArchiveSettings, behave: Callable[[Request, Wire], None]
) -> None:
    """D20: three run and three wait; none of them is under way when the interruption goes on, and none was begun."""

    def interrupt(*_: object) -> None:
        raise Interruption

    patient = replace(settings, chunk_bytes=90_000, read_timeout_seconds=30.0, throughput_grace_seconds=30.0)
    failures: list[BaseException] = []
    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        with (
            FaultServer(bytes(90_000), default=behave) as server,
            MediaDownloader(patient, ("127.0.0.1",)) as fetcher,
        ):

            def work(_: int) -> None:
                try:
                    fetcher.fetch(url_of(server), io.BytesIO())
                except TransferInterrupted as error:
                    failures.append(error)

            signal.setitimer(signal.ITIMER_REAL, SOON_SECONDS)
            begun = time.monotonic()
            with pytest.raises(Interruption):
                side_by_side(work, range(6), threads=3, name="stopped", stop=fetcher.stop)
            assert time.monotonic() - begun < PROMPT_SECONDS
            assert 3 == len(failures)
            assert [] == [thread.name for thread in threading.enumerate() if thread.name.startswith("stopped")]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_a_stopped_downloader_begins_nothing(settings: ArchiveSettings) -> None:
    """Also where there is only one thread."""
    with FaultServer(b"x") as server, MediaDownloader(settings, ("127.0.0.1",)) as fetcher:
        fetcher.stop()
        with pytest.raises(TransferInterrupted):
            fetcher.fetch(url_of(server), io.BytesIO())
        assert [] == server.requests
