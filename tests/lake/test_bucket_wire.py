"""Requests on a connection of botocore's: bodies of every form, refusals in the middle of one, TLS, and proxies."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import threading
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import boto3
import pytest
import trustme
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from include.lake.bucket_wire import PIECE_BYTES, FileSlice
from include.lake.signed_http import UNSIGNED, Request, SignedHttp
from include.lake.store import client_config
from tests.lake.scripted_bucket import Answer, ScriptedBucket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BODY = os.urandom(3 * PIECE_BYTES + 11)
TIMEOUTS = Config(connect_timeout=5, read_timeout=5)


@contextmanager
def signed_to(url: str, **config: object) -> Iterator[SignedHttp]:
    """Return a door to a bucket at an address."""
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    settings = client_config().merge(TIMEOUTS).merge(Config(**config))
    with closing(boto3.client("s3", endpoint_url=url, config=settings, **keys)) as client:
        yield SignedHttp(client, "recordings")


def put(body: object, length: int) -> Request:
    """Return a PUT."""
    return Request("PUT", "k", {"Content-Length": str(length)}, UNSIGNED, body)


@pytest.fixture
def bodies(tmp_path) -> Iterator[dict[str, object]]:
    """The same bytes in every form a body may have."""
    (tmp_path / "f").write_bytes(b"before" + BODY + b"behind")
    with (tmp_path / "f").open("rb") as file:
        pieces = [memoryview(BODY)[: PIECE_BYTES + 1], BODY[PIECE_BYTES + 1 :]]
        part = FileSlice(file.fileno(), len(b"before"), len(BODY))
        yield {"bytes": BODY, "view": memoryview(BODY), "pieces": pieces, "file": part}


@pytest.mark.parametrize("form", ["bytes", "view", "pieces", "file"])
def test_body_of_any_form_arrives_whole(bodies, form):
    """What the bucket hears is what was given, and small bodies too."""
    with ScriptedBucket(PUT=[Answer(200)]) as bucket, signed_to(bucket.url) as signed:
        signed.send(put(bodies[form], len(BODY)))
        signed.send(put(b"small", 5))
    assert [BODY, b"small"] == [request.body for request in bucket.heard]


@pytest.mark.parametrize("form", ["bytes", "view", "pieces", "file"])
def test_proxy_of_the_client_is_used(bodies, form):
    """Where the client has a proxy the request goes there, with the whole address; nothing goes around it."""
    with (
        ScriptedBucket(PUT=[Answer(200, headers={"ETag": "x"})]) as proxy,
        signed_to("http://bucket.invalid", proxies={"http": proxy.url}) as signed,
    ):
        assert "x" == signed.send(put(bodies[form], len(BODY))).headers["etag"]
    assert [("http://bucket.invalid/recordings/k", BODY)] == [(item.path, item.body) for item in proxy.heard]


@contextmanager
def serving(serve: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve one connection after the other, and return the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    if context is None:
                        serve(connection)
                    else:
                        with context.wrap_socket(connection, server_side=True) as secure:
                            serve(secure)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _head(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    return received


@pytest.mark.parametrize("form", ["bytes", "file"])
def test_refusal_before_the_body_is_heard(bodies, form):
    """A bucket that refuses a large body and hangs up has said why."""

    def refuse(connection: socket.socket) -> None:
        _head(connection)
        connection.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 32\r\n\r\n<Error><Code>No</Code></Error>  ")

    with serving(refuse) as port, signed_to(f"http://127.0.0.1:{port}") as signed, pytest.raises(ClientError) as caught:
        signed.send(put([BODY] * 16 if form == "bytes" else bodies[form], 16 * len(BODY)))
    assert "No" == caught.value.response["Error"]["Code"]


@pytest.mark.parametrize(
    "reply",
    [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", b"nonsense\r\n\r\n"],
    ids=["none", "half-head", "half-body", "nonsense"],
)
def test_answer_that_is_not_whole_is_none(reply):
    """What the bucket did is unknown, and the error says so."""

    def answer(connection: socket.socket) -> None:
        _head(connection)
        connection.sendall(reply)

    with serving(answer) as port, signed_to(f"http://127.0.0.1:{port}") as signed, pytest.raises(BotoCoreError):
        signed.send(put(b"x", 1))


def test_endless_answer_is_given_up():
    """No server makes us hold more than a few megabytes."""

    def flood(connection: socket.socket) -> None:
        _head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b" " * 65536)

    with serving(flood) as port, signed_to(f"http://127.0.0.1:{port}") as signed, pytest.raises(BotoCoreError):
        signed.send(put(b"x", 1))


@pytest.mark.parametrize("form", ["bytes", "file"])
def test_bucket_that_takes_no_more_is_given_up(tmp_path, form):
    """A line that stands still ends at the client's own time-out."""
    released = threading.Event()
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 64 * len(BODY))
    with (
        (tmp_path / "sparse").open("rb") as sparse,
        serving(lambda connection: (_head(connection), released.wait(10))) as port,
    ):
        large = [BODY] * 64 if form == "bytes" else FileSlice(sparse.fileno(), 0, 64 * len(BODY))
        with signed_to(f"http://127.0.0.1:{port}", read_timeout=0.3) as signed, pytest.raises(BotoCoreError):
            signed.send(put(large, 64 * len(BODY)))
        released.set()


def test_file_that_became_shorter_is_not_sent_as_whole(tmp_path):
    """The bucket is left waiting for the rest, and then alone."""
    (tmp_path / "f").write_bytes(b"x" * 100_000)
    with (
        (tmp_path / "f").open("rb") as file,
        serving(lambda connection: (_head(connection), connection.recv(1 << 20), connection.recv(1))) as port,
        signed_to(f"http://127.0.0.1:{port}") as signed,
        pytest.raises(BotoCoreError),
    ):
        signed.send(put(FileSlice(file.fileno(), 0, 200_000), 200_000))


def test_file_is_sent_over_tls(bodies, tmp_path):
    """Where the kernel cannot encrypt, the bytes are read; and only a trusted server gets them."""
    authority, heard = trustme.CA(), []
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    def take(connection: socket.socket) -> None:
        _, _, body = _head(connection).partition(b"\r\n\r\n")
        while len(body) < len(BODY):
            body += connection.recv(65536)
        heard.append(hashlib.sha256(body).digest())
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    with serving(take, context) as port:
        place = {"endpoint_url": f"https://localhost:{port}", "config": client_config().merge(TIMEOUTS), **keys}
        with closing(boto3.client("s3", verify=str(tmp_path / "ca.pem"), **place)) as trusting:
            SignedHttp(trusting, "recordings").send(put(bodies["file"], len(BODY)))
        with closing(boto3.client("s3", **place)) as wary, pytest.raises(BotoCoreError):
            SignedHttp(wary, "recordings").send(put(bodies["file"], len(BODY)))
    assert [hashlib.sha256(BODY).digest()] == heard
