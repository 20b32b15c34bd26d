"""The front door of the API port: correlation id, faults, token, rate limit, journal; then the routes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING
from uuid import uuid4

from include.sandbox.journal import Call, without_secrets
from include.sandbox.problems import ApiError, error_response
from include.sandbox.sockets import reset_connection
from include.sandbox.wire import iso

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from include.sandbox.faults import Switch
    from include.sandbox.world import World

REQUEST_BYTES_MAX = 512_000
"""``request.bytes.max`` of the platform."""

TEMPLATE = "sandbox.template"
"""Scope key under which a route leaves its path template for the journal."""

CLIENT = "sandbox.client"
"""Scope key of the authenticated client id."""


@dataclass(slots=True)
class Answering:
    """One answer on its way out: adds the correlation id, counts bytes, and may cut JSON short."""

    send: Send
    correlation_id: str
    truncate: bool = False
    status: int = 0
    bytes_sent: int = 0
    _held: Message | None = field(default=None)

    async def __call__(self, message: Message) -> None:
        """Pass one ASGI message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], (b"inin-correlation-id", self.correlation_id.encode())]
            if self.truncate:
                self._held = message
                return
        elif self._held is not None:
            body = message.get("body", b"")
            message["body"] = body[: max(len(body) // 2, 1)]
            headers = [pair for pair in self._held["headers"] if pair[0] != b"content-length"]
            self._held["headers"] = [*headers, (b"content-length", str(len(message["body"])).encode())]
            await self.send(self._held)
            self._held = None
        self.bytes_sent += len(message.get("body", b""))
        await self.send(message)


@dataclass(slots=True)
class Gateway:
    """The ASGI application of a port: ``routes`` behind the checks that every API call passes."""

    world: World
    routes: ASGIApp
    port: str = "api"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and write it down."""
        if scope["path"].startswith("/sandbox"):
            await self.routes(scope, receive, send)
            return
        began, at = monotonic(), iso(datetime.now(UTC))
        answering = Answering(send, str(uuid4()))
        try:
            await self._answer(scope, receive, answering)
        finally:
            self._note(scope, answering, at, monotonic() - began)

    async def _answer(self, scope: Scope, receive: Receive, answering: Answering) -> None:
        if self.port == "media":
            await self.routes(scope, receive, answering)
            return
        try:
            if await self._cut_or_delayed(scope):
                return
            if scope["path"].startswith("/api/"):
                self._admit(scope)
            self._refuse_on_purpose(scope)
            answering.truncate = self._strikes(scope, "api-truncated-json") is not None
            await self.routes(scope, receive, answering)
        except ApiError as error:
            await error_response(error, answering.correlation_id)(scope, receive, answering)

    def _strikes(self, scope: Scope, name: str) -> Switch | None:
        subject = f"{scope['method']} {scope['path']}"
        return self.world.faults.strike(name, subject, only_if_named=not scope["path"].startswith("/api/"))

    async def _cut_or_delayed(self, scope: Scope) -> bool:
        if slow := self._strikes(scope, "api-slow"):
            await asyncio.sleep(slow.seconds)
        if self._strikes(scope, "api-reset"):
            reset_connection(scope)
            return True
        return False

    def _admit(self, scope: Scope) -> None:
        headers = dict(scope["headers"])
        kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise ApiError(
                401, "authentication.required", "No authentication bearer token specified in authorization header."
            )
        if self._strikes(scope, "token-revoked"):
            self.world.tokens.revoke(token)
        client_id = self.world.tokens.client_of(token)
        if client_id is None:
            raise ApiError(401, "bad.credentials", "Invalid login credentials.")
        scope[CLIENT] = client_id
        wait = self.world.limiter.retry_after(token)
        if wait is not None:
            raise too_many_requests(wait)
        if int(headers.get(b"content-length", b"0")) > REQUEST_BYTES_MAX:
            message = f"The request is over the size limit. Maximum bytes: {REQUEST_BYTES_MAX}"
            raise ApiError(413, "request.entity.too.large", message)

    def _refuse_on_purpose(self, scope: Scope) -> None:
        if storm := self._strikes(scope, "api-429-storm"):
            raise too_many_requests(round(storm.seconds))
        if self._strikes(scope, "api-429-older-code"):
            text = "Rate limit exceeded the maximum [300] requests within [60] seconds"
            raise ApiError(429, "too.many.requests", text)
        if self._strikes(scope, "api-500"):
            text = "The server encountered an unexpected condition which prevented it from fulfilling the request."
            raise ApiError(500, "internal.server.error", text)
        if busy := self._strikes(scope, "api-503-with-retry-after"):
            headers = {"Retry-After": str(round(busy.seconds))}
            raise ApiError(503, "service.unavailable", "Service Unavailable", headers=headers)
        if self._strikes(scope, "api-504"):
            raise ApiError(504, "request.timeout", "The request timed out.")

    def _note(self, scope: Scope, answering: Answering, at: str, seconds: float) -> None:
        headers = dict(scope["headers"])
        call = Call(
            method=scope["method"],
            template=scope.get(TEMPLATE, scope["path"]),
            path=scope["path"],
            query=without_secrets(scope["query_string"].decode("latin-1")),
            port=self.port,
            status=answering.status,
            client_id=scope.get(CLIENT),
            authorised=b"authorization" in headers,
            bytes_sent=answering.bytes_sent,
            at=at,
            seconds=round(seconds, 4),
            range=headers[b"range"].decode("latin-1") if b"range" in headers else None,
        )
        self.world.journal.add(call)


def too_many_requests(seconds: int) -> ApiError:
    """Return the 429 that asks to wait so many seconds; no rate-limit headers, as the platform sends none."""
    return ApiError(
        429,
        "too.many.requests.retry.after",
        f"Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds",
        headers={"Retry-After": str(seconds)},
    )
