"""Answers that are cut, garbled, packed or endless: tried again, or refused, and never taken for an answer."""

from __future__ import annotations

import gzip
import json
import socket

import pytest

from include.errors import RequestRejected, SourceUnavailable
from include.genesys.wire import ANSWER_BYTES_MAX
from tests.genesys.one_job import JOB, OPEN, ask
from tests.genesys.scripted_server import Reply

pytestmark = pytest.mark.usefixtures("one_open_job")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"<html>",
        b"null",
        b"[]",
        b'{"status": NaN}',
        b"\xff\xfe",
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' + b"9" * 5_000 + b"}",
    ],
    ids=["empty", "cut", "html", "null", "list", "nan-status", "bytes", "deep", "huge-number"],
)
def test_a_success_that_cannot_be_read_is_tried_again(client, genesys, body):
    """Nothing is made of half a document; the next attempt may be whole."""
    genesys.script(JOB, Reply(200, body))
    assert "job-1" == ask(client).job_id
    assert 2 == len(genesys.calls_to(JOB))


@pytest.mark.parametrize("body", [b"<html>bad gateway</html>", b"[1]", b'{"code": 7, "message": 7, "details": 7}', b""])
def test_an_error_without_an_error_body_is_still_that_error(client, genesys, body):
    """A proxy answers in its own words."""
    genesys.script(JOB, Reply(400, body))
    with pytest.raises(RequestRejected) as caught:
        ask(client)
    assert (400, None) == (caught.value.status, caught.value.code)


def cut_after(fraction: float):
    """Send that part of a whole answer, then hang up."""

    def misbehave(handler) -> None:
        payload = json.dumps(OPEN).encode()
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(payload))
        handler.wfile.write(payload[: int(len(payload) * fraction)])

    return Reply(misbehave=misbehave)


def reset(handler) -> None:
    """Hang up with a reset before any byte."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    handler.connection.close()


def bad_chunk(handler) -> None:
    """Begin a chunked body and break it."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}")


def cut_gzip(handler) -> None:
    """Send half of a compressed document, with the length of that half."""
    packed = gzip.compress(json.dumps(OPEN | {"pad": list(range(2000))}).encode())
    half = packed[: len(packed) // 2]
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(half) + half)


def garbage(handler) -> None:
    """Speak no HTTP at all."""
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")


@pytest.mark.parametrize(
    "reply",
    [
        *[cut_after(tenth / 10) for tenth in range(10)],
        Reply(misbehave=reset),
        Reply(misbehave=bad_chunk),
        Reply(misbehave=cut_gzip),
        Reply(misbehave=garbage),
        Reply(misbehave=lambda _handler: None),
    ],
    ids=[*[f"cut-{tenth}0%" for tenth in range(10)], "reset", "chunk", "gzip", "garbage", "silence"],
)
def test_a_torn_answer_is_tried_again(client, genesys, reply):
    """Wherever the connection ends, the call is repeated and succeeds."""
    genesys.script(JOB, reply)
    assert False is ask(client).completed
    assert 2 == len(genesys.calls_to(JOB))


def test_a_compressed_answer_is_read(client, genesys):
    """Analytics pages are large; gzip is offered and understood."""
    packed = gzip.compress(json.dumps(OPEN | {"resultCount": 3}).encode())
    genesys.script(JOB, Reply(200, packed, {"Content-Encoding": "gzip"}))
    assert 3 == ask(client).result_count
    assert "gzip" == genesys.calls_to(JOB)[0].headers["accept-encoding"]


def test_nobody_listens(make_client, time):
    """A refused connection is an outage, not a bug, and is given up in time."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    client = make_client(api_base_url=url)
    with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1"):
        ask(client)
    assert 9 == len(time.slept)


def test_an_answer_beyond_all_bounds_is_refused(client, genesys):
    """Reading stops at the cap: memory stays bounded, also for a gzip bomb."""
    bomb = gzip.compress(b" " * (ANSWER_BYTES_MAX + 1))
    assert len(bomb) < ANSWER_BYTES_MAX / 500
    genesys.script(JOB, Reply(200, bomb, {"Content-Encoding": "gzip"}))
    with pytest.raises(RequestRejected) as caught:
        ask(client)
    assert (413, "answer.too.large") == (caught.value.status, caught.value.code)
