"""How a signed request reaches the bucket: over a connection that botocore opened, or through its proxy.

botocore's HTTP session knows endpoint, TLS, client certificates and proxies, so its connections are used; what urllib3
and ``http.client`` do with each request and answer is not, since it costs more than the request itself.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSRequest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.exceptions import ConnectTimeoutError as DialTimeoutError
from urllib3.exceptions import HTTPError, NewConnectionError

from include.http_answer import HttpAnswer, MalformedAnswerError
from include.idle_connections import IdleConnections
from include.socket_calls import give_up_after, is_plain, receive, send, send_file

if TYPE_CHECKING:
    import socket

    from urllib3.connectionpool import HTTPConnectionPool

REPLY_BYTES_MAX = 8 * 1024 * 1024
PIECE_BYTES = 1024 * 1024
"""Read at once of a body that is not in memory."""

_TOGETHER_BYTES_MAX = 64 * 1024
_BLOCK_BYTES = 16 * 1024
_FAILURES = (OSError, HTTPError, MalformedAnswerError)


@dataclass(frozen=True, slots=True)
class FileSlice:
    """A stretch of an open file as a body: the kernel sends it without anybody reading it, where there is no TLS."""

    fd: int
    offset: int
    length: int

    def __iter__(self) -> Iterator[bytes]:
        """Yield its bytes; fewer where the file was cut."""
        position, end = self.offset, self.offset + self.length
        while position < end and (piece := os.pread(self.fd, min(PIECE_BYTES, end - position), position)):
            yield piece
            position += len(piece)


Body = bytes | memoryview | FileSlice | Iterable[bytes | memoryview]


@dataclass(frozen=True, slots=True)
class Reply:
    """Any answer at all; header names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class BucketWire:
    """Connections to one origin, such as ``https://bucket.s3.eu-central-1.amazonaws.com``. Thread-safe."""

    def __init__(self, session: Any, origin: str) -> None:  # noqa: ANN401 - botocore's URLLib3Session has no types
        self._session = session
        self._origin = origin
        self._is_proxied = session._proxy_config.proxy_url_for(origin) is not None  # noqa: SLF001 - no public way
        pool: HTTPConnectionPool = session._manager.connection_from_url(origin)  # noqa: SLF001
        session._setup_ssl_cert(pool, origin, session._verify)  # noqa: SLF001
        self._read_timeout = pool.timeout.read_timeout
        self._connections = IdleConnections(pool, session._max_pool_connections)  # noqa: SLF001

    def exchange(self, method: str, target: str, headers: Mapping[str, str], body: Body) -> Reply:
        """Send one request and return its answer, whatever its status.

        Raises:
            BotoCoreError: no answer; what the server did is unknown.
        """
        if self._is_proxied:
            return self._through_session(method, target, headers, body)
        try:
            return self._direct(method, target, headers, body)
        except (DialTimeoutError, TimeoutError) as error:
            kind = ConnectTimeoutError if isinstance(error, DialTimeoutError) else ReadTimeoutError
            raise kind(endpoint_url=self._origin, error=error) from None
        except ssl.SSLError as error:
            raise SSLError(endpoint_url=self._origin, error=error) from None
        except NewConnectionError as error:
            raise EndpointConnectionError(endpoint_url=self._origin, error=error) from None
        except _FAILURES as error:
            raise ConnectionClosedError(endpoint_url=self._origin, error=error) from None

    def _through_session(self, method: str, target: str, headers: Mapping[str, str], body: Body) -> Reply:
        request = AWSRequest(method=method, url=self._origin + target, data=body, headers=dict(headers))
        response = self._session.send(request.prepare())
        fields = {name.lower(): value for name, value in response.headers.items()}
        return Reply(int(response.status_code), fields, response.content or b"")

    def _direct(self, method: str, target: str, headers: Mapping[str, str], body: Body) -> Reply:
        # urllib3 opens the connections; its requests and answers are what is left out.
        connection = self._connections.take()
        keeps = False
        try:
            if connection.sock is None:
                self._dial(connection)
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            head = f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("ascii")
            answer = _asked(connection.sock, method, head, body)
            reply = Reply(answer.status, answer.headers, _whole(answer))
            keeps = answer.keeps_connection
        finally:
            if not keeps:
                connection.close()
            self._connections.give(connection)
        return reply

    def _dial(self, connection: Any) -> None:  # noqa: ANN401 - of botocore's own class
        connection.connect()
        give_up_after(connection.sock, self._read_timeout)


def origin_of(url: str) -> tuple[str, str, str]:
    """Return origin, value of ``Host`` and path of a URL.

    >>> origin_of("https://b.s3.amazonaws.com:443/a/b")
    ('https://b.s3.amazonaws.com:443', 'b.s3.amazonaws.com', '/a/b')
    """
    parts = urlsplit(url)
    default = {"http": ":80", "https": ":443"}.get(parts.scheme, ":")
    return f"{parts.scheme}://{parts.netloc}", parts.netloc.removesuffix(default), parts.path


def _asked(sock: socket.socket, method: str, head: bytes, body: Body) -> HttpAnswer:
    refused: OSError | None = None
    try:
        _send(sock, head, body)
    except (BrokenPipeError, ConnectionResetError) as error:
        refused = error  # it may have said why before it hung up
    try:
        return HttpAnswer(partial(receive, sock), method)
    except _FAILURES as error:
        raise refused or error from None


def _send(sock: socket.socket, head: bytes, body: Body) -> None:
    if isinstance(body, bytes | memoryview):
        together = len(body) <= _TOGETHER_BYTES_MAX
        send(sock, *([head + body] if together else [head, body]))
        return
    send(sock, head, more=True)
    if isinstance(body, FileSlice) and is_plain(sock):
        send_file(sock, body.fd, body.offset, body.offset + body.length)
        return
    for piece in body:
        send(sock, piece)


def _whole(answer: HttpAnswer) -> bytes:
    """Read the body.

    Raises:
        ConnectionResetError: when it ends before its length.
        MalformedAnswerError: when it is longer than any answer of S3 to a write.
    """
    body = bytearray()
    while not answer.ended:
        block = memoryview(bytearray(_BLOCK_BYTES))
        count = answer.readinto(block)
        body += block[:count]
        if len(body) > REPLY_BYTES_MAX:
            raise MalformedAnswerError("the answer is too long")
        if count == 0 and not answer.ended:
            raise ConnectionResetError("the answer was cut")
    return bytes(body)
