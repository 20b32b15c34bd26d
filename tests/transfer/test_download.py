"""Rows D1 to D12: a download is the truth or an error, whatever the server sends."""

from __future__ import annotations

import gzip
import io
from collections import deque
from typing import TYPE_CHECKING

import pytest

from include.errors import (
    IntegrityError,
    SourceChanged,
    TransferInterrupted,
)
from tests.transfer.behaviours import after, answer, changed_head, cut, partial_head, whole
from tests.transfer.conftest import CHUNK, url_of
from tests.transfer.fault_server import FaultServer, Request, Wire, honest

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.secret import PresignedUrl
    from include.transfer.download import Downloaded, MediaDownloader

    Fetched = Callable[[], Downloaded]
    Refused = Callable[[type[BaseException]], BaseException]


POSITIONS = [0, 2, 4]


def test_ranges_of_an_honest_server_are_joined(fetched: Fetched, server: FaultServer) -> None:
    """Five ranges make the file, over one connection's worth of honest answers."""
    result = fetched()
    assert (5, 0, '"first"', "audio/wav") == (result.requests, result.retries, result.etag, result.content_type)
    assert [None, *['"first"'] * 4] == [request.headers.get("if-match") for request in server.requests]


def test_a_file_is_received_without_a_digest(
    downloader: MediaDownloader, server: FaultServer, url: PresignedUrl, content: bytes
) -> None:
    """By the same rules: cut, too long, and begun again when it changed."""

    def longer(request: Request, wire: Wire) -> None:
        honest(request, wire)
        wire.send(b"!")

    server.script = deque([honest, cut(3), longer, honest, answer(412)])
    sink = io.BytesIO(b"old bytes, and more of them than the file has" * 1000)
    assert len(content) == downloader.receive(url, sink)
    assert content == sink.getvalue()


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("count", [0, 1, 300, 499])
@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
def test_a_cut_body_is_resumed_where_it_stopped(
    fetched: Fetched, server: FaultServer, position: int, count: int, *, reset: bool
) -> None:
    """D1, D21: no byte is fetched twice and none is lost."""
    server.script = after(position, cut(count, reset=reset))
    assert 1 == fetched().retries
    again = server.requests[position + 1].range[0]
    # A reset may overtake bytes that were sent before it; what did arrive is kept.
    assert again == position * CHUNK + count or (reset and position * CHUNK <= again <= position * CHUNK + count)


@pytest.mark.parametrize("position", POSITIONS)
def test_a_length_that_matches_the_cut_body_is_not_believed(
    fetched: Fetched, server: FaultServer, position: int
) -> None:
    """D2: Content-Length and Content-Range contradict each other."""

    def lying(request: Request, wire: Wire) -> None:
        wire.send(partial_head(request, wire, content_length=100)[:100])

    server.script = after(position, lying)
    assert 1 == fetched().retries


@pytest.mark.parametrize("position", POSITIONS)
def test_a_body_without_length_must_fill_its_range(fetched: Fetched, server: FaultServer, position: int) -> None:
    """D3: closing early is no end."""

    def close_early(request: Request, wire: Wire) -> None:
        wire.send(partial_head(request, wire, content_length=None)[:100])

    server.script = after(position, close_early)
    assert 1 == fetched().retries


def test_a_whole_file_of_unknown_length_is_refused(refused: Refused, server: FaultServer) -> None:
    """D3: nothing could tell its end from a cut."""

    def close_delimited(_: Request, wire: Wire) -> None:
        wire.head(200)
        wire.send(wire.content)

    server.default = close_delimited
    refused(IntegrityError)


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("tail", [b"64\r\nxyz", b"zz\r\n", b"", b"-5\r\n"], ids=["cut", "no-size", "fin", "negative"])
def test_a_broken_chunked_body_is_resumed(fetched: Fetched, server: FaultServer, position: int, tail: bytes) -> None:
    """D4: the framing breaks after 100 good bytes."""

    def chunked(request: Request, wire: Wire) -> None:
        body = partial_head(request, wire, content_length=None, transfer_encoding="chunked")
        wire.send(b"64\r\n" + body[:100] + b"\r\n" + (b"3\r\n" + body[100:101] if tail == b"64\r\nxyz" else tail))

    server.script = after(position, chunked)
    assert 1 == fetched().retries


def test_a_body_that_lacks_only_its_terminator_is_whole(fetched: Fetched, server: FaultServer) -> None:
    """D4: every byte is there and proven by the range, so none is asked for again."""

    def unterminated(request: Request, wire: Wire) -> None:
        body = partial_head(request, wire, content_length=None, transfer_encoding="chunked")
        wire.send(b"%x\r\n" % len(body) + body + b"\r\n")

    server.script = after(4, unterminated)
    assert (5, 1) == ((result := fetched()).requests, result.retries)


@pytest.mark.parametrize("position", POSITIONS)
def test_more_bytes_than_promised_are_never_appended(fetched: Fetched, server: FaultServer, position: int) -> None:
    """D5: the whole answer is dropped, also its good part."""

    def longer(request: Request, wire: Wire) -> None:
        wire.send(partial_head(request, wire, content_length=None) + b"surplus")

    server.script = after(position, longer)
    fetched()
    assert position * CHUNK == server.requests[position + 1].range[0]


def test_bytes_behind_the_length_do_not_reach_the_next_answer(fetched: Fetched, server: FaultServer) -> None:
    """D5: what a server sends unasked is no answer to the next request."""

    def surplus(request: Request, wire: Wire) -> None:
        wire.send(partial_head(request, wire) + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad")

    server.script = after(1, surplus)
    fetched()


def test_a_whole_file_at_the_start_is_taken(fetched: Fetched, server: FaultServer) -> None:
    """D6: one answer is enough."""
    server.default = whole
    assert 1 == fetched().requests


@pytest.mark.parametrize("position", [1, 3])
def test_a_whole_file_later_starts_anew(fetched: Fetched, server: FaultServer, position: int) -> None:
    """D7: the bytes from before are dropped, the file is taken from this answer."""
    server.script = after(position, whole)
    assert position + 1 == fetched().requests


def test_a_whole_file_that_breaks_off_is_resumed(fetched: Fetched, server: FaultServer) -> None:
    """D7 with D1: the second answer begins where the first one stopped."""

    def half(_: Request, wire: Wire) -> None:
        wire.head(200, content_length=len(wire.content), etag=wire.etag)
        wire.send(wire.content[:2200])

    server.script = after(1, half)
    fetched()
    assert 2200 == server.requests[2].range[0]


@pytest.mark.parametrize("coding", ["chunked", None])
def test_a_range_in_the_clothes_of_a_whole_file_is_not_its_start(
    fetched: Fetched, server: FaultServer, coding: str | None
) -> None:
    """D7 with D3: a proxy made a 200 of a 206 and dropped every length; it ends long before the file does."""

    def disguised(request: Request, wire: Wire) -> None:
        first, last = request.range
        body = wire.content[first : last + 1]
        wire.head(200, transfer_encoding=coding, etag=wire.etag)
        wire.send(b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n" if coding else body)

    server.script = after(2, disguised)
    assert 1 == fetched().retries


def test_a_chunked_whole_file_is_taken_at_its_proper_end(fetched: Fetched, server: FaultServer) -> None:
    """A chunked body tells its own end, so no length is needed."""

    def chunked(_: Request, wire: Wire) -> None:
        wire.head(200, transfer_encoding="chunked")
        wire.send(b"%x\r\n" % len(wire.content) + wire.content + b"\r\n0\r\n\r\n")

    server.script = after(0, chunked)
    assert 1 == fetched().requests


def test_a_200_with_content_range_is_partial(fetched: Fetched, server: FaultServer) -> None:
    """Some gateways answer 200 with a part of the file."""

    def gateway(request: Request, wire: Wire) -> None:
        first, last = request.range
        body = wire.content[first : last + 1]
        total = len(wire.content)
        wire.head(200, content_range=f"bytes {first}-{first + len(body) - 1}/{total}", content_length=len(body))
        wire.send(body)

    server.default = gateway
    assert 5 == fetched().requests


WRONG_RANGES = {
    "start": "bytes 1-999/4500",
    "end": "bytes 0-1000/4500",
    "sliver": "bytes 0-10/4500",
    "backwards": "bytes 10-0/4500",
    "total": "bytes 0-999/500",
    "unknown-total": "bytes 0-999/*",
    "unit": "items 0-999/4500",
    "missing": None,
    "empty": "",
    "unsatisfied": "bytes */4500",
    "twice": "bytes 0-999/4500, bytes 0-999/4500",
    "signed": "bytes 0-+999/4500",
}


@pytest.mark.parametrize("value", WRONG_RANGES.values(), ids=WRONG_RANGES)
def test_a_wrong_content_range_is_never_kept(
    fetched: Fetched, refused: Refused, server: FaultServer, value: str | None
) -> None:
    """D8: once it is retried, for ever it is an error."""
    server.script = after(0, changed_head(content_range=value))
    assert 1 == fetched().retries
    server.default = changed_head(content_range=value)
    refused(IntegrityError)


@pytest.mark.parametrize(
    "head",
    [
        {"content_type": "multipart/byteranges; boundary=x"},
        {"content_encoding": "gzip"},
        {"content_encoding": "br"},
        {"transfer_encoding": "gzip, chunked"},
    ],
    ids=["multipart", "gzip", "br", "transfer-gzip"],
)
@pytest.mark.parametrize("position", [0, 2])
def test_an_unasked_form_is_refused(fetched: Fetched, server: FaultServer, head: dict, position: int) -> None:
    """D9, D19: identity and one part were asked for."""
    server.script = after(position, changed_head(**head))
    assert 1 == fetched().retries


def test_a_gzip_bomb_is_not_unpacked(refused: Refused, server: FaultServer) -> None:
    """D19: the encoding is refused before a byte is read."""
    bomb = gzip.compress(bytes(50_000_000))
    server.default = answer(200, bomb, content_encoding="gzip")
    refused(IntegrityError)


def test_an_empty_file_is_complete(downloader: MediaDownloader) -> None:
    """D10: 416 at byte 0 of nothing is the end; whether empty is good is for integrity."""
    with FaultServer(b"") as server:
        result = downloader.fetch(url_of(server), io.BytesIO())
    assert (0, 1) == (result.size, result.requests)


@pytest.mark.parametrize("value", [None, "bytes */4500", "nonsense"])
def test_a_416_inside_the_file_is_retried(fetched: Fetched, server: FaultServer, value: str | None) -> None:
    """D10: it contradicts itself or says nothing."""
    server.script = after(2, answer(416, content_range=value))
    assert 1 == fetched().retries


def test_a_416_with_another_total_means_another_file(fetched: Fetched, server: FaultServer) -> None:
    """D10: the file shrank, so everything is fetched anew."""
    server.script = after(2, answer(416, content_range="bytes */77"))
    fetched()
    assert 0 == server.requests[3].range[0]


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("etags", [('"a"', '"b"'), ('W/"a"', 'W/"b"')], ids=["strong", "weak"])
def test_a_swapped_file_is_fetched_anew(
    downloader: MediaDownloader, content: bytes, k: int, etags: tuple[str, str]
) -> None:
    """D11, D12: the result is wholly the new file, whichever chunk saw it first."""
    with FaultServer(content, etag=etags[0]) as server:

        def swap(request: Request, wire: Wire) -> None:
            server.content, server.etag = content[::-1], etags[1]
            honest(request, Wire(wire.connection, server.content, server.etag, wire.stopping))

        server.script = after(k, swap)
        sink = io.BytesIO()
        result = downloader.fetch(url_of(server), sink)
    assert content[::-1] == sink.getvalue()
    assert etags[1] == result.etag


def test_a_swapped_file_without_etag_shows_by_its_size_or_time(downloader: MediaDownloader, content: bytes) -> None:
    """D12: without any ETag, total and Last-Modified still speak."""
    with FaultServer(content, etag=None) as server:
        server.script = deque([changed_head(last_modified="Mon, 01 Jan 2024 00:00:00 GMT")])
        server.script.append(changed_head(last_modified="Tue, 02 Jan 2024 00:00:00 GMT"))
        sink = io.BytesIO()
        assert 1 == downloader.fetch(url_of(server), sink).retries
    assert content == sink.getvalue()


def test_a_server_that_now_and_then_begins_anew_is_given_up(refused: Refused, server: FaultServer) -> None:
    """D7 with D1: every second answer is the whole file and breaks off, so that what had arrived is lost each time."""
    count = 0

    def flapping(request: Request, wire: Wire) -> None:
        nonlocal count
        count += 1
        if count > 50:
            answer(404)(request, wire)  # or the test would never end
        elif count % 2:
            changed_head()(request, wire)
        else:
            wire.head(200, content_length=len(wire.content), etag=wire.etag)
            wire.send(wire.content[:10])

    server.default = flapping
    refused(TransferInterrupted)


@pytest.mark.parametrize("etag", ['"first"', None], ids=["etag", "no-etag"])
def test_a_page_between_two_ranges_is_not_joined_to_the_file(
    fetched: Fetched, server: FaultServer, etag: str | None
) -> None:
    """D16: a page whose length the framing tells; it ends before the file does."""

    def page(_: Request, wire: Wire) -> None:
        wire.head(200, transfer_encoding="chunked", content_type="text/html")
        wire.send(b"20\r\n<html><body>log in</body></html>\r\n0\r\n\r\n")

    server.etag = etag
    server.script = after(2, page)
    assert 1 == fetched().retries


def test_a_file_that_keeps_changing_is_given_up(refused: Refused, server: FaultServer) -> None:
    """D11: good ranges in between do not refill the patience."""
    count = 0

    def flapping(request: Request, wire: Wire) -> None:
        nonlocal count
        count += 1
        changed_head(etag=f'"{count // 2}"')(request, wire)

    server.default = flapping
    refused(SourceChanged)
    assert count <= 12
