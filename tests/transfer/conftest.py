"""What the tests of the move share: small settings, a file to fetch, and the look for leaked secrets."""

from __future__ import annotations

import hashlib
import io
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

import pytest

from include.secret import PresignedUrl
from include.settings import ArchiveSettings, LakeLocation
from include.transfer.download import Downloaded, MediaDownloader, Spool
from tests.transfer.fault_server import SIGNATURE, FaultServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CHUNK = 1000

Sink = tuple[MediaDownloader, BinaryIO | Spool]


@pytest.fixture
def content() -> bytes:
    """Four and a half chunks of bytes that repeat nowhere."""
    return b"".join(hashlib.sha256(bytes([n])).digest() for n in range(141))[: CHUNK * 4 + 500]


@pytest.fixture
def settings(tmp_path: Path) -> ArchiveSettings:
    """Settings small enough to see every rule at work within a second."""
    return ArchiveSettings(
        lake=LakeLocation("bucket"),
        connect_timeout_seconds=1.0,
        read_timeout_seconds=0.5,
        minimum_bytes_per_second=2000,
        throughput_grace_seconds=0.4,
        chunk_bytes=CHUNK,
        memory_bytes=2000,
        recording_bytes_max=100_000,
        state_dir=tmp_path,
    )


@pytest.fixture
def server(content: bytes) -> Iterator[FaultServer]:
    """An honest server until a test gives it a script."""
    with FaultServer(content) as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    """The waits that were asked for; nothing sleeps."""
    return []


@pytest.fixture
def downloader(settings: ArchiveSettings, waits: list[float]) -> Iterator[MediaDownloader]:
    """A downloader that may talk to 127.0.0.1."""
    with MediaDownloader(settings, ("127.0.0.1",), waits.append) as running:
        yield running


@pytest.fixture
def url(server: FaultServer) -> PresignedUrl:
    """The server's file, with the canary signature in its query."""
    return url_of(server)


def url_of(server: FaultServer, path: str = "/media/file.wav") -> PresignedUrl:
    """Return a presigned URL of a server."""
    return PresignedUrl(f"http://127.0.0.1:{server.port}{path}?X-Amz-Signature={SIGNATURE}")


@pytest.fixture(params=["memory", "file", "foreign"])
def sink(request: pytest.FixtureRequest, settings: ArchiveSettings, waits: list[float]) -> Iterator[Sink]:
    """Each kind of place a download may go to, with the downloader whose it is."""
    if request.param == "memory":
        settings = replace(settings, memory_bytes=settings.recording_bytes_max)
    with MediaDownloader(settings, ("127.0.0.1",), waits.append) as running:
        if request.param == "foreign":
            yield running, io.BytesIO(b"left over from before" * 500)
        else:
            with running.spool("conversation/recording/0") as resting:
                yield running, resting


@pytest.fixture
def fetched(sink: Sink, url: PresignedUrl, content: bytes) -> Callable[[], Downloaded]:
    """Fetch, and expect exactly the truth in the sink."""

    def run() -> Downloaded:
        downloader, resting = sink
        result = downloader.fetch(url, resting)
        resting.seek(0)
        assert content == resting.read()
        assert hashlib.sha256(content).hexdigest() == result.sha256
        assert len(content) == result.size
        return result

    return run


@pytest.fixture
def refused(downloader: MediaDownloader, url: PresignedUrl) -> Callable[[type[BaseException]], BaseException]:
    """Fetch, and expect this very error, without the secret in anything that would be printed."""

    def run(expected: type[BaseException]) -> BaseException:
        with pytest.raises(expected) as caught:
            downloader.fetch(url, io.BytesIO())
        assert expected is type(caught.value)
        assert SIGNATURE not in "".join(traceback.format_exception(caught.value))
        return caught.value

    return run
