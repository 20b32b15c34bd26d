"""Rows D13 to D19, D23, D25, D29: refusals, pages, redirects, foreign hosts and full disks."""

from __future__ import annotations

import errno
import io
import logging
import os
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
    SourceUnavailable,
    TransferInterrupted,
    UrlExpired,
)
from include.secret import PresignedUrl
from include.transfer.download import MediaDownloader
from tests.transfer.behaviours import after, answer, changed_head, cut
from tests.transfer.conftest import url_of
from tests.transfer.fault_server import SIGNATURE, FaultServer, Request, Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.transfer.download import Downloaded

    Fetched = Callable[[], Downloaded]
    Refused = Callable[[type[BaseException]], BaseException]


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


@pytest.mark.parametrize("filler", [b"", b"x" * 5000], ids=["cut", "long"])
def test_a_refusal_is_read_from_its_first_words(refused: Refused, server: FaultServer, filler: bytes) -> None:
    """D13: its body may be cut or endless; the code stands at the start."""

    def cut_refusal(_: Request, wire: Wire) -> None:
        wire.head(403, content_length=100_000)
        wire.send(EXPIRED + filler)

    server.default = cut_refusal
    refused(UrlExpired)


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
    """X8: urllib3 quotes the target of every request it sends in a debug line, so it is not the one who sends them."""
    with caplog.at_level(logging.DEBUG):
        fetched()
    assert "Starting new HTTP connection" in caplog.text
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
