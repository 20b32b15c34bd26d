"""What a server of the tests does instead of being honest; one behaviour answers one request."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tests.transfer.fault_server import Request, Wire, honest

if TYPE_CHECKING:
    from collections.abc import Callable


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
