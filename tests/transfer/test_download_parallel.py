"""Several connections for one file, and URLs that expire half-way."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from include.errors import IntegrityError, SourceUnavailable, UrlExpired
from include.secret import PresignedUrl
from include.transfer.download import MediaDownloader
from include.transfer.ranges import BUSY_SHARE_MAX, FAST_BYTES_PER_SECOND, Tempo, connections_for
from tests.transfer.behaviours import answer, changed_head, cut, whole
from tests.transfer.conftest import url_of
from tests.transfer.fault_server import FaultServer, Request, Wire, honest
from tests.transfer.range_server import RangeServer, marked_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from include.settings import ArchiveSettings
    from include.transfer.download import Downloaded

CONNECTIONS = 3


@pytest.fixture
def divided(settings: ArchiveSettings) -> ArchiveSettings:
    """Settings that divide every file of more than one range."""
    return replace(settings, connections_per_object=CONNECTIONS, parallel_ranges_from_bytes=1)


@pytest.fixture
def big() -> bytes:
    """Forty ranges of bytes that repeat nowhere."""
    return random.Random(1).randbytes(39_700)  # noqa: S311 - any bytes


@pytest.fixture
def source(big: bytes) -> Iterator[FaultServer]:
    """A server whose first range is waited for, so that more connections seem to pay."""

    def unhurried(request: Request, wire: Wire) -> None:
        time.sleep(0.1 if request.range[0] == 0 else 0.002)
        honest(request, wire)

    with FaultServer(big, default=unhurried) as running:
        yield running


def fetch(settings: ArchiveSettings, url: PresignedUrl, content: bytes, **options: object) -> Downloaded:
    """Fetch and expect the truth."""
    with (
        MediaDownloader(settings, ("127.0.0.1",), lambda _: None) as downloader,
        downloader.spool("key") as spool,
    ):
        result = downloader.fetch(url, spool, **options)
        spool.seek(0)
        assert content == spool.read()
        assert hashlib.sha256(content).hexdigest() == result.sha256
    return result


def test_a_throttled_source_gives_each_connection_its_share(tmp_path: Path, settings: ArchiveSettings) -> None:
    """Four connections take about a quarter of the time that one takes, where the source limits each of them."""
    path = marked_file(tmp_path / "object", 16 * 1024**2)
    seconds = {}
    for connections in (1, 4):
        ready = replace(
            settings,
            chunk_bytes=512 * 1024,
            connections_per_object=connections,
            parallel_ranges_from_bytes=1,
            recording_bytes_max=10**9,
        )
        with RangeServer(path, bytes_per_second=5e6) as server:
            begun = time.monotonic()
            fetch(ready, PresignedUrl(f"http://127.0.0.1:{server.port}/x"), path.read_bytes())
            seconds[connections] = time.monotonic() - begun
            assert connections == server.connections
    assert seconds[1] / seconds[4] > 2.5  # 3.6 on a quiet machine, as the first range comes alone


WAITED_FOR = Tempo(5e7, 0.03)


@pytest.mark.parametrize(
    ("missing", "tempo", "expected"),
    [
        (10**9, WAITED_FOR, 4),
        (10**9, Tempo(FAST_BYTES_PER_SECOND, 0.03), 1),
        (10**9, Tempo(5e7, BUSY_SHARE_MAX), 4),
        (10**9, Tempo(5e7, 0.5), 1),
        (10**8, WAITED_FOR, 4),
        (10**8 - 1, WAITED_FOR, 1),
        (2 * 10**8, WAITED_FOR, 4),
    ],
    ids=["large", "fast", "just-idle", "busy", "edge", "below", "ranges"],
)
def test_more_connections_only_where_they_pay(missing: int, tempo: Tempo, expected: int) -> None:
    """A large rest of a source that is waited for is divided, anything else is not."""
    assert expected == connections_for(missing, tempo, 10**7, from_bytes=10**8, connections_max=4)


def test_no_more_connections_than_ranges() -> None:
    """Two ranges are shared by two."""
    assert 2 == connections_for(2 * 10**7, WAITED_FOR, 10**7, from_bytes=1, connections_max=4)


@pytest.mark.parametrize(
    "fault",
    [
        cut(300),
        cut(0, reset=True),
        answer(503),
        answer(429, retry_after="1"),
        changed_head(content_length=5),
        changed_head(content_range="bytes 0-1/2"),
        changed_head(content_encoding="gzip"),
    ],
    ids=["cut", "reset", "503", "429", "length", "range", "gzip"],
)
def test_a_fault_of_one_connection_costs_one_answer(
    divided: ArchiveSettings, source: FaultServer, big: bytes, fault: Callable
) -> None:
    """D1, D8, D19, D21 over several connections: the part is asked for again from its last good byte."""
    source.script = deque([source.default] * 7 + [fault])
    assert (1, 41) == ((result := fetch(divided, url_of(source), big)).retries, result.requests)


def test_a_surplus_in_one_part_is_never_kept(divided: ArchiveSettings, source: FaultServer, big: bytes) -> None:
    """D5 over several connections: it would lie where another part belongs."""

    def longer(request: Request, wire: Wire) -> None:
        first, last = request.range
        body = wire.content[first : last + 1]
        wire.head(206, content_range=f"bytes {first}-{last}/{len(wire.content)}", etag=wire.etag)
        wire.send(bytes(len(body)) + b"surplus")

    source.script = deque([source.default] * 5 + [longer] * 2)
    fetch(divided, url_of(source), big)


@pytest.mark.parametrize("k", [1, 4, 20, 38])
def test_a_swapped_file_starts_anew_over_several_connections(
    divided: ArchiveSettings, source: FaultServer, big: bytes, k: int
) -> None:
    """D11: whichever connection sees it first, the result is wholly the new file."""
    plain = source.default

    def swap(request: Request, wire: Wire) -> None:
        source.content, source.etag = big[::-1], '"second"'
        plain(request, Wire(wire.connection, source.content, source.etag, wire.stopping))

    source.script = deque([plain] * k + [swap])
    fetch(divided, url_of(source), big[::-1])


def test_a_server_that_stops_serving_ranges_is_taken_as_it_comes(
    divided: ArchiveSettings, source: FaultServer, big: bytes
) -> None:
    """D7: the whole file replaces the parts."""
    source.script = deque([source.default] * 9)
    source.default = whole
    fetch(divided, url_of(source), big)


def test_a_part_that_never_comes_stops_all(divided: ArchiveSettings, source: FaultServer, big: bytes) -> None:
    """The error is that of the part, after its own attempts, and no thread is left behind."""
    source.script = deque([source.default] * 6)
    source.default = answer(500)
    with pytest.raises(SourceUnavailable):
        fetch(divided, url_of(source), big)
    assert [] == [thread.name for thread in threading.enumerate() if thread.name.startswith(("range-", "sha256"))]
    assert len(source.requests) <= 6 + CONNECTIONS * divided.download_attempts


@pytest.mark.parametrize("connections", [1, CONNECTIONS])
def test_an_expired_url_goes_on_with_the_next(tmp_path: Path, divided: ArchiveSettings, connections: int) -> None:
    """D13: three URLs expire under one download; the bytes are kept, and each byte is sent about once."""
    path = marked_file(tmp_path / "object", 39_700, step=100)
    settings = replace(divided, connections_per_object=connections)
    with RangeServer(path, bytes_per_second=2e6) as server:
        urls = [f"http://127.0.0.1:{server.port}/x?expires={limit}" for limit in (9_000, 20_000, 31_000, 99_000)]
        given = []

        def renew(expired: PresignedUrl) -> PresignedUrl:
            given.append(expired.reveal())
            return PresignedUrl(urls[len(given)])

        result = fetch(settings, PresignedUrl(urls[0]), path.read_bytes(), renew=renew)
    assert urls[:3] == given
    assert server.size == server.sent
    assert 0 == result.retries


def test_an_expired_url_for_another_file_starts_anew(settings: ArchiveSettings, big: bytes) -> None:
    """D13, D11: the renewed URL serves other bytes under another ETag."""
    with FaultServer(big) as old, FaultServer(big[::-1], etag='"second"') as new:
        old.script = deque([honest] * 5 + [answer(403, b"<Code>ExpiredToken</Code>")])
        fetch(settings, url_of(old), big[::-1], renew=lambda _: url_of(new))


def test_a_fresh_url_that_is_refused_too_is_the_end(settings: ArchiveSettings, source: FaultServer, big: bytes) -> None:
    """D13: bounded: one renewal without a byte of progress, then the caller decides."""
    source.default = answer(403, b"<Code>ExpiredToken</Code>")
    asked = []

    def renew(expired: PresignedUrl) -> PresignedUrl:
        asked.append(1)
        return expired

    with pytest.raises(UrlExpired):
        fetch(settings, url_of(source), big, renew=renew)
    assert (1, 2) == (len(asked), len(source.requests))


def test_trouble_while_renewing_is_the_callers(settings: ArchiveSettings, source: FaultServer, big: bytes) -> None:
    """What the job says when it is asked for a URL passes through."""
    source.default = answer(403, b"<Code>ExpiredToken</Code>")

    def renew(_: PresignedUrl) -> PresignedUrl:
        raise IntegrityError("no such job")

    with pytest.raises(IntegrityError, match="no such job"):
        fetch(settings, url_of(source), big, renew=renew)
