"""The second port: stored objects behind presigned URLs, as an S3-like host serves and refuses them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, RedirectResponse

from include.sandbox.gateway import TEMPLATE
from include.sandbox.presign import Verdict
from include.sandbox.problems import xml_response
from include.sandbox.recordings import OUTPUT_FORMATS, body_for
from include.sandbox.streaming import Delivery, Readable, etag_of
from include.sandbox.world import CHANNEL, MERGED

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from include.sandbox.recordings import Part, Recording
    from include.sandbox.world import World

_ONE_AUTHENTICATION = (
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or "
    "the Authorization header should be specified"
)
_PARTS = 5
_HTML = "<!DOCTYPE html><html><head><title>Service notice</title></head><body>Please try again later.</body></html>"


def media_app(world: World) -> ASGIApp:
    """Return the ASGI application of the media port."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope[TEMPLATE] = "/exports/{jobId}.zip" if scope["path"].endswith(".zip") else "/recordings/{part}"
        answer = _refusal(world, scope) or _staged(world, scope)
        if answer is None:
            stored = await asyncio.to_thread(_find, world, scope["path"])
            if stored is None:
                answer = xml_response(404, "NoSuchKey", "The specified key does not exist.")
            else:
                answer = Delivery(stored, etag_of(f"{world.config.seed}{scope['path']}"), world.faults, scope["path"])
        await answer(scope, receive, send)

    return app


def _refusal(world: World, scope: Scope) -> ASGIApp | None:
    if b"authorization" in dict(scope["headers"]):
        return xml_response(400, "InvalidArgument", _ONE_AUTHENTICATION)
    verdict = world.presigner.judge(scope["method"], scope["path"], scope["query_string"].decode("latin-1"))
    if verdict is Verdict.EXPIRED:
        return xml_response(
            403, "AccessDenied", "Request has expired", f"<Expires>{world.config.url_ttl_seconds}</Expires>"
        )
    if verdict is Verdict.MISSING:
        return xml_response(403, "AccessDenied", "Access Denied")
    if verdict is Verdict.TAMPERED:
        text = "The request signature we calculated does not match the signature you provided."
        return xml_response(403, "SignatureDoesNotMatch", text)
    return None


def _staged(world: World, scope: Scope) -> ASGIApp | None:
    strike, path = world.faults.strike, scope["path"]
    if strike("media-expired-once", path):
        return xml_response(403, "AccessDenied", "Request has expired")
    if strike("media-404", path):
        return xml_response(404, "NoSuchKey", "The specified key does not exist.")
    if strike("media-503", path):
        return xml_response(503, "SlowDown", "Please reduce your request rate.")
    if strike("media-html", path):
        return HTMLResponse(_HTML)
    if redirect := strike("media-redirect", path):
        return RedirectResponse(redirect.target or world.sign(path), 302)
    return None


def _find(world: World, path: str) -> Readable | None:
    parts = path.strip("/").split("/")
    if parts[0] == f"exports-{world.config.org_id}" and path.endswith(".zip"):
        job = world.jobs.get(parts[-1].removesuffix(".zip"))
        return world.exports.zip_of(job) if job else None
    if parts[0] != f"recordings-{world.config.org_id}" or len(parts) != _PARTS:
        return None
    recording = world.tenant.recording(parts[1], parts[2])
    part = _piece(recording, parts[3]) if recording else None
    if recording is None or part is None or parts[4] not in {"original", *OUTPUT_FORMATS}:
        return None
    return body_for(recording, part, None if parts[4] == "original" else parts[4])


def _piece(recording: Recording, name: str) -> Part | None:
    """Return one part, the whole, or one channel of it."""
    if name == MERGED:
        return recording.merged
    number = name.removeprefix(CHANNEL)
    if not number.isdigit():
        return None
    if number != name:
        return recording.channel(int(number)) if int(number) < recording.merged.channels else None
    return recording.parts[int(number)] if int(number) < len(recording.parts) else None
