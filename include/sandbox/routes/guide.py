"""GET /api/v2/recording/media/{mediaId} and /download: operations only the media-download guide knows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from include.sandbox.problems import ApiError, not_found
from include.sandbox.recordings import body_for, content_type_of
from include.sandbox.streaming import Delivery, etag_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from include.sandbox.recordings import Recording
    from include.sandbox.routes import Operation
    from include.sandbox.world import World

_PATH = "/api/v2/recording/media/{mediaId}"


def operations(world: World) -> list[Operation]:
    """Return the operations of this group: none under the platform contract, which does not have them."""
    if world.config.contract != "guide":
        return []

    async def metadata(request: Request) -> Response:
        recording = await asyncio.to_thread(_playable, world, request)
        form = format_served(recording)
        body = body_for(recording, recording.merged, form)
        return JSONResponse(
            {
                "id": recording.id,
                "format": content_type_of(recording, recording.merged, form),
                "size": body.size,
                "downloadUrl": f"{world.api_base_url}{_PATH.format(mediaId=recording.id)}/download",
            }
        )

    async def download(request: Request) -> ASGIApp:
        recording = await asyncio.to_thread(_playable, world, request)
        body = await asyncio.to_thread(body_for, recording, recording.merged, format_served(recording))
        return Delivery(body, etag_of(f"{world.config.seed}{request.url.path}"), world.faults, request.url.path)

    return [("GET", _PATH, metadata), ("GET", f"{_PATH}/download", download)]


def format_served(recording: Recording) -> str | None:
    """Return the format the guide's endpoint renders to: it knows WAV and MP3 only, so Ogg becomes WAV."""
    return "WAV" if recording.media == "audio" and recording.merged.form == "ogg_opus" else None


def _playable(world: World, request: Request) -> Recording:
    recording = world.tenant.media(request.path_params["mediaId"])
    if recording is None or world.tenant.file_state(recording) != "AVAILABLE":
        raise not_found("The media")
    if recording.restricted:
        raise ApiError(403, "not.authorized", "You are not authorized to perform the requested action.")
    return recording
