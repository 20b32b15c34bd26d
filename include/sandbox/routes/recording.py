"""Recording metadata, single recordings (with transcoding) and the recording settings."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from include.sandbox.problems import ApiError, bad_request, not_found
from include.sandbox.recordings import OUTPUT_FORMATS, body_for
from include.sandbox.wire import iso

if TYPE_CHECKING:
    from starlette.requests import Request

    from include.sandbox.conversations import Conversation
    from include.sandbox.recordings import Recording
    from include.sandbox.routes import Json, Operation
    from include.sandbox.world import World

FORMAT_IDS = ("WAV", "WEBM", "WAV_ULAW", "OGG_VORBIS", "OGG_OPUS", "MP3", "NONE")
"""``formatId`` of the published operation. The sandbox cannot write WebM audio or Vorbis and serves Ogg/Opus there."""

OTHER_FORMAT_IDS = {
    "emailFormatId": ("EML", "NONE"),
    "chatFormatId": ("ZIP", "NONE"),
    "messageFormatId": ("ZIP", "NONE"),
}
"""The same of other media, which the sandbox serves in one form whatever is asked for."""
WAIT_MILLISECONDS = 5000
"""``maxWaitMs`` of the published operation, where none is given."""

_LOOK_SECONDS = 0.01
_CONVERSATION = "/api/v2/conversations/{conversationId}"


def operations(world: World) -> list[Operation]:
    """Return the operations of this group."""

    async def metadata(request: Request) -> Response:
        conversation = _permitted(world, request)
        return JSONResponse([_metadata(world, recording) for recording in conversation.recordings])

    async def one_metadata(request: Request) -> Response:
        return JSONResponse(_metadata(world, _recording(_permitted(world, request), request)))

    async def recordings(request: Request) -> Response:
        conversation = _permitted(world, request)
        wanted = _format(request)
        deadline = monotonic() + _wait_seconds(request)
        waiting = list(conversation.recordings)
        while waiting := [item for item in waiting if not _playable_now(world, item, wanted)]:
            if monotonic() >= deadline:
                return Response(status_code=202)
            await asyncio.sleep(_LOOK_SECONDS)
        return JSONResponse([_full(world, item, request) for item in conversation.recordings])

    async def one_recording(request: Request) -> Response:
        recording = _recording(_permitted(world, request), request)
        if _playable_now(world, recording, _format(request)):
            return JSONResponse(_full(world, recording, request))
        answer = {"id": recording.id, "conversationId": recording.conversation_id, "estimatedTranscodeTimeMs": 1000}
        return JSONResponse(answer, 202)

    async def settings(request: Request) -> Response:  # noqa: ARG001 - a handler
        minutes = max(2, min(60, round(world.config.url_ttl_seconds / 60)))
        return JSONResponse(
            {
                "maxSimultaneousStreams": 10,
                "maxConfigurableScreenRecordingStreams": 10,
                "regionalRecordingStorageEnabled": False,
                "recordingPlaybackUrlTtl": minutes,
                "recordingBatchDownloadUrlTtl": minutes,
            }
        )

    return [
        ("GET", f"{_CONVERSATION}/recordingmetadata", metadata),
        ("GET", f"{_CONVERSATION}/recordingmetadata/{{recordingId}}", one_metadata),
        ("GET", f"{_CONVERSATION}/recordings", recordings),
        ("GET", f"{_CONVERSATION}/recordings/{{recordingId}}", one_recording),
        ("GET", "/api/v2/recording/settings", settings),
    ]


def _permitted(world: World, request: Request) -> Conversation:
    conversation_id = request.path_params["conversationId"]
    conversation = world.tenant.conversation(conversation_id)
    if conversation is None:
        message = f"Conversation {conversation_id} was not found."
        raise ApiError(404, "conversation.not.found", message)
    if conversation.kind.restricted or world.faults.strike("metadata-403", request.url.path):
        message = "Request forbidden due to recording view permissions check failing."
        raise ApiError(403, "recording.recording.view.permission.check.failed", message)
    return conversation


def _recording(conversation: Conversation, request: Request) -> Recording:
    for recording in conversation.recordings:
        if recording.id == request.path_params["recordingId"]:
            return recording
    raise not_found("The recording", "recording.recording.not.found")


def _metadata(world: World, recording: Recording) -> Json:
    state = world.tenant.file_state(recording)
    ended = recording.start + timedelta(seconds=recording.seconds)
    answer: Json = {
        "id": recording.id,
        "conversationId": recording.conversation_id,
        "media": recording.media,
        "fileState": state,
        "sessionId": recording.session_id,
        "startTime": iso(recording.start) if recording.media == "screen" else None,
        "archiveDate": iso(ended) if state == "ARCHIVED" else None,
        "deleteDate": iso(ended + timedelta(days=1 if state == "DELETED" else 365)),
        "annotations": [],
        "region": "eu-central-1",
        "selfUri": f"/api/v2/conversations/{recording.conversation_id}/recordings/{recording.id}",
    }
    # Enumerated fields are left out rather than null: the vendor's SDK cannot read a null enumeration.
    if recording.media in {"audio", "screen"}:
        answer["mediaSubtype"] = recording.subtype
    if state == "ARCHIVED":
        answer["archiveMedium"] = "CLOUDARCHIVE"
    return answer


def _format(request: Request) -> str | None:
    """Return what to render to; ``mediaFormats`` overrides ``formatId``, and its first is taken here."""
    for name, allowed in OTHER_FORMAT_IDS.items():
        _allowed(name, request.query_params.get(name, "NONE"), allowed)
    wanted = _allowed("formatId", request.query_params.get("formatId", "WEBM"), FORMAT_IDS)
    given = ",".join(request.query_params.getlist("mediaFormats"))
    for each in given.split(",") if given else ():
        _allowed("mediaFormats", each, FORMAT_IDS[:-1])
    wanted = given.partition(",")[0] or wanted
    if wanted == "NONE":
        return None
    return wanted if wanted in OUTPUT_FORMATS else "OGG_OPUS"


def _wait_seconds(request: Request) -> float:
    text = request.query_params.get("maxWaitMs", str(WAIT_MILLISECONDS))
    if not text.isdigit() or not int(text):
        raise bad_request(f"maxWaitMs must be a positive value, not {text}", "constraint.validation")
    return int(text) / 1000


def _allowed(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        text = f"Value [{value}] is not valid for parameter [{name}]. Allowable values are: {', '.join(allowed)}"
        raise bad_request(text, "invalid.query.param.value")
    return value


def _playable_now(world: World, recording: Recording, wanted: str | None) -> bool:
    if recording.media != "audio" or world.tenant.file_state(recording) != "AVAILABLE" or wanted is None:
        return True
    return world.transcoded(recording.id, wanted)


def _full(world: World, recording: Recording, request: Request) -> Json:
    wanted = _format(request)
    answer = _metadata(world, recording) | {"mediaUris": None}
    if world.tenant.file_state(recording) != "AVAILABLE":
        return answer
    part, heard = recording.merged, recording.media == "audio"
    return answer | {
        "mediaUris": _media_uris(world, recording, request),
        "startTime": iso(recording.start),
        "endTime": iso(recording.start + timedelta(seconds=recording.seconds)),
        "actualTranscodeTimeMs": 800 if heard and wanted else 0,
        "outputDurationMs": round(part.seconds * 1000) if heard and wanted else 0,
        "outputSizeInBytes": body_for(recording, part, wanted).size if heard and wanted else 0,
        "recordingFileRole": "CUSTOMER_EXPERIENCE",
    }


def _media_uris(world: World, recording: Recording, request: Request) -> Json:
    """Return one merged file under ``S`` for a download, else one file for each channel, under its number.

    What public clients read is all that is known of the keys: the published model allows any. How Genesys merges a
    recording of several results, and whether it splits what is not transcoded, nobody has written down.
    """
    wanted = _format(request) if recording.media == "audio" else None
    download = request.query_params.get("download", "false").lower() == "true"
    apart = world.faults.strike("recording-channels-apart", request.url.path) is not None
    if recording.media != "audio" or (download and not apart):
        return {"S" if download else "0": {"mediaUri": world.merged_url(recording, wanted)}}
    channels = range(recording.merged.channels)
    return {str(channel): {"mediaUri": world.channel_url(recording, channel, wanted)} for channel in channels}
