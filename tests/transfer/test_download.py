"""Rows D1 to D25: a download is the truth or an error, whatever the server does."""

from __future__ import annotations

import errno
import gzip
import io
import logging
import os
import time
from collections import deque
from typing import TYPE_CHECKING

import pytest

from include.errors import (
    ConfigurationError,
    IntegrityError,
    NotAuthorised,
    QuotaExceeded,
    RateLimited,
    RecordingGone,
    RequestRejected,
    SourceChanged,
    SourceUnavailable,
    TransferInterrupted,
    UrlExpired,
)
from include.secret import PresignedUrl
from include.transfer.download import MediaDownloader
from tests.transfer.conftest import CHUNK, url_of
from tests.transfer.fault_server import SIGNATURE, FaultServer, Request, Wire, honest

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.transfer.download import Downloaded

    Fetched = Callable[[], Downloaded]
    Refused = Callable[[type[BaseException]], BaseException]

POSITIONS = [0, 2, 4]


def after(honest_answers: int, *behaviours: Callable[[Request, Wire], None]) -> deque:
    """Return a script: so many honest answers, then these."""
    return deque([honest] * honest_answers + list(behaviours))


def partial_head(request: Request, wire: Wire, **changes: object) -> bytes:
    """Send the head of an honest partial answer with changes, and return the body it belongs to."""
    first, last = request.range
    body = wire.content[first : last + 1]
    fields: dict[str, object] = {
        "content_range": f"bytes {first}-{first + len(body) - 1}/{len(wire.content)}",
        "content_length": len(body),
        "etag": wire.etag,
    }
    wire.head(206, **(fields | changes))
    return body


def cut(count: int, *, reset: bool = False) -> Callable[[Request, Wire], None]:
    """Return a behaviour that breaks off after ``count`` bytes of the body."""

    def behave(request: Request, wire: Wire) -> None:
        wire.send(partial_head(request, wire)[:count])
        if reset:
            wire.reset()

    return behave


def changed_head(**changes: object) -> Callable[[Request, Wire], None]:
    """Return a behaviour that sends an honest body under a changed head."""

    def behave(request: Request, wire: Wire) -> None:
        wire.send(partial_head(request, wire, **changes))

    return behave


def answer(status: int, body: bytes = b"", **headers: object) -> Callable[[Request, Wire], None]:
    """Return a behaviour that sends one fixed answer."""

    def behave(_: Request, wire: Wire) -> None:
        wire.head(status, content_length=len(body), **headers)
        wire.send(body)

    return behave


def whole(_: Request, wire: Wire) -> None:
    """Ignore the range."""
    wire.head(200, content_length=len(wire.content), etag=wire.etag)
    wire.send(wire.content)


def test_ranges_of_an_honest_server_are_joined(fetched: Fetched, server: FaultServer) -> None:
    """Five ranges make the file, over one connection's worth of honest answers."""
    result = fetched()
    assert (5, 0, '"first"', "audio/wav") == (result.requests, result.retries, result.etag, result.content_type)
    assert [None, *['"first"'] * 4] == [request.headers.get("if-match") for request in server.requests]


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


EXPIRED = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message><Expires>x</Expires></Error>"
REFUSALS = {
    "expired": (403, EXPIRED, UrlExpired),
    "expired-token": (403, b"<Error><Code>ExpiredToken</Code></Error>", UrlExpired),
    "expired-token-400": (400, b"<Error><Code>ExpiredToken</Code></Error>", UrlExpired),
    "signature": (403, b"<Error><Code>SignatureDoesNotMatch</Code><M>expired</M></Error>", NotAuthorised),
    "denied": (403, b"<Error><Code>AccessDenied</Code></Error>", NotAuthorised),
    "unauthorised": (401, b"", NotAuthorised),
    "gone": (410, b"", RecordingGone),
    "missing": (404, b"<Error><Code>NoSuchKey</Code></Error>", RecordingGone),
    "bad": (400, b"<Error><Code>InvalidArgument</Code></Error>", RequestRejected),
    "teapot": (418, b"", RequestRejected),
}


@pytest.mark.parametrize(("status", "body", "error"), REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("position", [0, 2])
def test_a_refusal_is_named_by_what_to_do(
    refused: Refused, server: FaultServer, status: int, body: bytes, error: type[BaseException], position: int
) -> None:
    """D13 to D15: no second attempt, and nothing of the body but its code is repeated."""
    server.script = after(position, answer(status, body + SIGNATURE.encode()))
    found = refused(error)
    assert status == found.status
    assert position + 1 == len(server.requests)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_server_that_fails_for_ever_is_unavailable(
    refused: Refused, server: FaultServer, waits: list[float], status: int
) -> None:
    """Four attempts with three waits, then the error."""
    server.default = answer(status)
    refused(SourceUnavailable)
    assert 4 == len(server.requests)
    assert 3 == len(waits)


def test_retry_after_is_kept(fetched: Fetched, server: FaultServer, waits: list[float]) -> None:
    """A 429 is waited out as long as it says."""
    server.script = after(1, answer(429, retry_after="7"))
    fetched()
    assert 7 <= waits[0] < 9


def test_retry_after_above_the_cap_is_left_to_the_caller(refused: Refused, server: FaultServer) -> None:
    """A worker does not sleep for an hour."""
    server.default = answer(429, retry_after="3600")
    error = refused(RateLimited)
    assert 3600 == error.retry_after_seconds
    assert 1 == len(server.requests)


@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html><html>Log in", b"<?xml version='1.0'?><Error/>"], ids=["html", "xml"]
)
def test_a_page_is_no_recording(fetched: Fetched, refused: Refused, server: FaultServer, page: bytes) -> None:
    """D16: a proxy's page comes as a proper 200; once it is retried, for ever it is an error."""
    server.script = after(0, answer(200, page))
    assert 1 == fetched().retries
    server.default = answer(200, page)
    refused(IntegrityError)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(refused: Refused, server: FaultServer, status: int) -> None:
    """D17: the other host is not even contacted."""
    with FaultServer(b"stolen") as other:
        server.default = answer(status, location=url_of(other).reveal())
        refused(IntegrityError)
        assert [] == other.requests
    assert 1 == len(server.requests)


def test_nothing_but_the_url_is_a_credential(
    fetched: Fetched, server: FaultServer, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D18, A8: neither netrc nor proxies of the environment reach the request."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password hidden\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", os.fspath(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    fetched()
    expected = {"host", "accept-encoding", "accept", "user-agent", "range", "if-match"}
    assert set() == {name for request in server.requests for name in request.headers} - expected
    assert {"identity"} == {request.headers["accept-encoding"] for request in server.requests}


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


def silence(_: Request, wire: Wire) -> None:
    """Say nothing until the other side leaves."""
    wire.stopping.wait(3)


@pytest.mark.parametrize(
    "behave", [drip_body, drip_head, drip_chunk_size, silence], ids=["body", "head", "chunk-size", "silence"]
)
def test_a_drip_ends_at_the_minimum_rate(
    server: FaultServer, settings, fetched: Fetched, behave: Callable[[Request, Wire], None]
) -> None:
    """D20: each attempt ends within the grace and a little; then the download goes on."""
    server.script = after(1, behave)
    begun = time.monotonic()
    fetched()
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


def test_no_answer_at_all_is_unavailable(settings, waits: list[float], content: bytes) -> None:
    """D21: FIN before the head, and a port nobody listens on."""
    with FaultServer(content) as server, MediaDownloader(settings, ("127.0.0.1",), waits.append) as downloader:
        server.default = lambda _request, _wire: None
        with pytest.raises(SourceUnavailable):
            downloader.fetch(url_of(server), io.BytesIO())
        gone = url_of(server)
    with MediaDownloader(settings, ("127.0.0.1",), waits.append) as downloader, pytest.raises(SourceUnavailable):
        downloader.fetch(gone, io.BytesIO())


def test_bytes_safe_says_what_the_sink_holds(server: FaultServer, downloader: MediaDownloader, content: bytes) -> None:
    """After the last attempt the sink holds exactly the proven bytes."""
    server.script = after(2, cut(10), cut(10), cut(10), cut(10))
    sink = io.BytesIO()
    with pytest.raises(TransferInterrupted) as caught:
        downloader.fetch(url_of(server), sink)
    assert 2040 == caught.value.bytes_safe
    assert content[:2040] == sink.getvalue()


def test_a_file_above_the_cap_is_refused_before_it_is_fetched(server: FaultServer, downloader: MediaDownloader) -> None:
    """D25: the first Content-Range is enough to know."""
    server.default = changed_head(content_range="bytes 0-999/100001")
    sink = io.BytesIO()
    with pytest.raises(QuotaExceeded):
        downloader.fetch(url_of(server), sink)
    assert (1, b"") == (len(server.requests), sink.getvalue())


def test_a_file_that_outgrows_the_cap_is_stopped(server: FaultServer, downloader: MediaDownloader) -> None:
    """D25: a body of unknown length is counted while it comes."""

    def endless(_: Request, wire: Wire) -> None:
        wire.head(200, transfer_encoding="chunked")
        while not wire.stopping.is_set():
            wire.send(b"3e8\r\n" + b"x" * 1000 + b"\r\n")

    server.default = endless
    sink = io.BytesIO()
    with pytest.raises(QuotaExceeded):
        downloader.fetch(url_of(server), sink)
    assert len(sink.getvalue()) <= 100_000


@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, QuotaExceeded), (errno.EDQUOT, QuotaExceeded), (errno.EIO, ConfigurationError)]
)
def test_a_failing_disk_stops_the_download(
    server: FaultServer, downloader: MediaDownloader, number: int, error: type[BaseException]
) -> None:
    """D23: the message speaks of the disk, and no attempt is wasted on the source."""

    class FailingSink(io.BytesIO):
        def write(self, _data) -> int:
            raise OSError(number, os.strerror(number))

    with pytest.raises(error, match="work directory"):
        downloader.fetch(url_of(server), FailingSink())
    assert 1 == len(server.requests)


def test_no_log_line_holds_a_query(fetched: Fetched, caplog: pytest.LogCaptureFixture) -> None:
    """X8: urllib3's own debug line quotes the target; ours cuts the query."""
    with caplog.at_level(logging.DEBUG):
        fetched()
    assert "/media/file.wav" in caplog.text
    assert SIGNATURE not in caplog.text


def test_an_internal_address_is_not_contacted(settings, server: FaultServer) -> None:
    """D29: a permitted name that resolves to this machine is refused before a connection is made."""
    seen = []

    def resolver(host: str, port: int) -> list[str]:
        seen.append((host, port))
        return ["127.0.0.1"]

    with MediaDownloader(settings, ("example.com",), resolver=resolver) as downloader:
        with pytest.raises(IntegrityError, match="not public"):
            downloader.fetch(PresignedUrl(f"https://media.example.com/x?X={SIGNATURE}"), io.BytesIO())
        with pytest.raises(ConfigurationError):
            downloader.fetch(url_of(server), io.BytesIO())
    assert [("media.example.com", 443)] == seen
    assert [] == server.requests


def test_a_name_that_does_not_resolve_is_unavailable(settings, waits: list[float]) -> None:
    """A DNS failure may pass."""

    def resolver(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    with (
        MediaDownloader(settings, ("example.com",), waits.append, resolver=resolver) as downloader,
        pytest.raises(SourceUnavailable),
    ):
        downloader.fetch(PresignedUrl("https://media.example.com/x"), io.BytesIO())
    assert 3 == len(waits)
