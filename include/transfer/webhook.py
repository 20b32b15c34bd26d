"""The one door for webhooks: a signed POST to the configured address, and one word for what came of it.

Only 2xx is success, whatever its body says; no redirect is followed, no proxy or netrc of the environment is used,
and neither the answer's length nor its speed can hold the caller. Retries nothing (``outbox`` does) but a request that
met a kept connection the receiver had already closed: the event has an id, so a second one does no harm.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import urllib3
from urllib3.exceptions import HTTPError

from include.audit.delivery import Reply, Trouble
from include.audit.notify import signed_headers
from include.errors import IntegrityError
from include.genesys.retry import retry_after_seconds
from include.http_answer import MalformedAnswerError
from include.tool import TOOL_NAME, TOOL_VERSION
from include.transfer.media_connection import Exchange, GuardedConnections, StaleConnectionError
from include.transfer.url_guard import AddressGuard, Resolver, resolve

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from include.transfer.webhook_settings import WebhookSettings

DELIVERED = Reply()
"""Success: there is nothing to say about it."""
ANSWER_BYTES_MAX = 16 * 1024
"""So much of an answer's body is read, to keep the connection; of a longer one nothing more is."""
_NO_RATE = 1e12
"""Bytes earn no time: the limit is for the whole answer."""
_SUCCESS = range(200, 300)
_ASKING = frozenset({429, 503})
"""Where ``Retry-After`` is about the receiver (RFC 6585, 4; RFC 9110, 15.6.4); elsewhere it is not looked at."""


class WebhookSender:
    """Connections to the receiver; closed by leaving the context. Not for several threads."""

    def __init__(
        self, settings: WebhookSettings, resolver: Resolver = resolve, clock: Callable[[], float] = time.time
    ) -> None:
        self._target = settings.target
        self._keys = settings.keys
        self._seconds = settings.webhook_timeout_seconds
        self._clock = clock
        guard = AddressGuard(resolver, settings.hosts)
        timeout = urllib3.Timeout(connect=self._seconds, read=self._seconds)
        self._connections = GuardedConnections(guard, timeout, kept=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connections.close()

    def send(self, event_id: str, body: bytes) -> Reply:
        """Send one request; return ``DELIVERED`` or why not. Raises nothing for the receiver's sake."""
        request = self._head(event_id, body) + body
        connections = self._connections.to(self._target.scheme, self._target.host, self._target.port)
        while True:
            try:
                exchange = Exchange.begin(connections, request, (self._seconds, _NO_RATE), self._seconds)
            except StaleConnectionError:
                continue  # it is closed by that, and the next one is new
            except IntegrityError:
                return Reply(Trouble.ADDRESS_REFUSED)
            except MalformedAnswerError:
                return Reply(Trouble.MALFORMED_ANSWER)
            except TimeoutError:
                return Reply(Trouble.TIMEOUT)
            except (HTTPError, OSError):
                return Reply(Trouble.UNREACHABLE)
            return _judge(exchange, self._clock())

    def _head(self, event_id: str, body: bytes) -> bytes:
        headers = {
            "Host": self._target.host_header,
            "User-Agent": f"{TOOL_NAME}/{TOOL_VERSION}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **signed_headers(self._keys, event_id, int(self._clock()), body),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {self._target.path.reveal()} HTTP/1.1\r\n{lines}\r\n".encode("ascii")


def _judge(exchange: Exchange, wall: float) -> Reply:
    """Return what an answer says, and leave the connection fit for the next request or closed."""
    answer = exchange.answer
    try:
        view, left = memoryview(bytearray(ANSWER_BYTES_MAX)), ANSWER_BYTES_MAX
        while left and (count := answer.readinto(view[:left])):
            left -= count
    except (MalformedAnswerError, HTTPError, OSError):
        # The status has been said; a body that breaks off or drips takes nothing of it back.
        pass
    finally:
        exchange.close()
    if answer.status in _SUCCESS:
        return DELIVERED
    said = {name: answer.headers[name.lower()] for name in ("Retry-After", "Date") if name.lower() in answer.headers}
    asked = retry_after_seconds(said, wall) if answer.status in _ASKING else None
    return Reply(f"http_{answer.status}", asked or 0.0)
