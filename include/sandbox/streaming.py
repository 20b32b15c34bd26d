"""Sending stored bytes, honestly or as a fault demands."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

from include.sandbox.ranges import Answer, decide
from include.sandbox.sockets import is_gone, reset_connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Receive, Scope, Send

    from include.sandbox.faults import Faults, Switch

LAST_MODIFIED = "Mon, 05 Jan 2026 00:00:00 GMT"
_DRIP_BYTES = 1024


class Readable(Protocol):
    """Anything stored: a body made on request, or a file on disk."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    @property
    def content_type(self) -> str:
        """The content type announced with it."""

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield bytes ``start`` to ``stop`` (excluded)."""


def etag_of(identity: str) -> str:
    """Return the strong ETag of a stored object: a function of what it is, not of when it was asked for."""
    return f'"{blake2b(identity.encode(), digest_size=16).hexdigest()}"'


@dataclass(slots=True)
class Delivery:
    """One GET of a stored object; the fault switches are consulted per request, with ``subject`` as their subject."""

    stored: Readable
    etag: str
    faults: Faults
    subject: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Answer with 200, 206, 412 or 416 and stream the body."""
        asked = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if self._strikes("media-etag-changes"):
            self.etag = etag_of(f"{self.etag}{id(scope)}")
        if "range" in asked and self._strikes("media-ignores-range"):
            asked.pop("range")
        decision = decide(self.stored.size, self.etag, asked)
        start, stop, status = decision.start, decision.stop, decision.answer.value
        headers = {"accept-ranges": "bytes", "etag": self.etag, "last-modified": LAST_MODIFIED}
        refusal = Answer.UNSATISFIABLE if "range" in asked and self._strikes("media-416") else decision.answer
        if refusal in {Answer.UNSATISFIABLE, Answer.FAILED_PRECONDITION}:
            await self._refuse(send, refusal, headers)
            return
        if status == Answer.PART.value:
            if stop - start > 1 and self._strikes("media-wrong-content-range"):
                start += 1
            headers["content-range"] = f"bytes {start}-{stop - 1}/{self.stored.size}"
        headers["content-type"] = self.stored.content_type
        await self._stream(scope, send, status, headers, (start, stop))

    def _strikes(self, name: str) -> Switch | None:
        return self.faults.strike(name, self.subject)

    async def _refuse(self, send: Send, answer: Answer, headers: dict[str, str]) -> None:
        code = "InvalidRange" if answer is Answer.UNSATISFIABLE else "PreconditionFailed"
        body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code></Error>".encode()
        if answer is Answer.UNSATISFIABLE:
            headers["content-range"] = f"bytes */{self.stored.size}"
        await self._head(send, answer.value, {**headers, "content-type": "application/xml"}, len(body))
        await send({"type": "http.response.body", "body": body})

    async def _stream(
        self, scope: Scope, send: Send, status: int, headers: dict[str, str], span: tuple[int, int]
    ) -> None:
        start, stop = span
        half = start + (stop - start) // 2
        if self._strikes("media-gzip"):
            packed = gzip.compress(b"".join(self._bytes(start, stop)), mtime=0)
            await self._head(send, status, {**headers, "content-encoding": "gzip"}, len(packed))
            await send({"type": "http.response.body", "body": packed})
            return
        if self._strikes("media-short-lying-length"):
            stop = half
        await self._head(send, status, headers, stop - start)
        if self._strikes("media-truncated"):
            await self._body(scope, send, start, half)
            return
        if self._strikes("media-reset"):
            await self._body(scope, send, start, half)
            await asyncio.sleep(0.05)  # let what was sent leave: an abort discards the write buffer
            reset_connection(scope)
            return
        await self._body(scope, send, start, stop)
        await send({"type": "http.response.body", "body": b""})

    async def _head(self, send: Send, status: int, headers: dict[str, str], length: int) -> None:
        pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        pairs.append((b"content-length", str(length).encode()))
        await send({"type": "http.response.start", "status": status, "headers": pairs})

    async def _body(self, scope: Scope, send: Send, start: int, stop: int) -> None:
        drip = self._strikes("media-slow-drip")
        for chunk in self._bytes(start, stop):
            pieces = [chunk]
            if drip:
                pieces = [chunk[at : at + _DRIP_BYTES] for at in range(0, len(chunk), _DRIP_BYTES)]
            for piece in pieces:
                if is_gone(scope):
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                if drip:
                    await asyncio.sleep(drip.seconds)

    def _bytes(self, start: int, stop: int) -> Iterator[bytes]:
        wrong = self._wrong_byte()
        position = start
        for chunk in self.stored.read(start, stop):
            if wrong is not None and position <= wrong < position + len(chunk):
                spoiled = bytearray(chunk)
                spoiled[wrong - position] ^= 1
                yield bytes(spoiled)
            else:
                yield chunk
            position += len(chunk)

    def _wrong_byte(self) -> int | None:
        is_zip = self.stored.content_type == "application/zip"
        if is_zip and self._strikes("zip-corrupt"):
            return self.stored.size // 3
        return self.stored.size // 2 if self._strikes("media-bit-flip") else None
