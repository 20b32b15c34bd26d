"""Cutting a connection the hard way: a TCP reset, which ASGI has no word for.

The protocol class puts its transport into the scope, where a fault finds it.
"""

from __future__ import annotations

import socket
from struct import pack
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from asyncio import Transport

    from starlette.types import Receive, Scope, Send

_KEY = "sandbox.transport"


class ResettableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol, with the transport reachable from the application."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own signature, handed through
        super().__init__(*args, **kwargs)
        inner = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - uvicorn has its own ASGI types
            scope[_KEY] = self.transport
            await inner(scope, receive, send)

        self.app = app


def reset_connection(scope: Scope) -> None:
    """Drop whatever is unsent and answer with RST (SO_LINGER 0), as a crashing load balancer does."""
    transport = cast("Transport", scope[_KEY])
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
    transport.abort()


def is_gone(scope: Scope) -> bool:
    """Whether the client has closed its side; ASGI servers swallow what is sent after that."""
    return cast("Transport", scope[_KEY]).is_closing()


async def no_answer(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - an ASGI application
    """Answer a request by resetting its connection."""
    reset_connection(scope)
