"""POST and GET /api/v2/recording/batchrequests, in the words of either contract."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from starlette.responses import JSONResponse, Response

from include.sandbox.gateway import CLIENT
from include.sandbox.problems import ApiError, bad_request
from include.sandbox.recordings import content_type_of
from include.sandbox.routes import json_body
from include.sandbox.sockets import no_answer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from include.sandbox.jobs import Item, Job, Result
    from include.sandbox.routes import Json, Operation
    from include.sandbox.world import World

ITEMS_MAX = 100
_PATH = "/api/v2/recording/batchrequests"
_GUIDE_FORMATS = (None, "WAV", "MP3")


def operations(world: World) -> list[Operation]:
    """Return the operations of this group."""

    async def submit(request: Request) -> ASGIApp:
        read = _guide_items if world.config.contract == "guide" else _platform_items
        items, output_format = read(await json_body(request))
        for conversation_id, _ in items:
            if world.faults.strike("batch-poisoned-id", conversation_id):
                raise bad_request(
                    f"the request could not be processed: {conversation_id}", "batch.download.bad.request"
                )
        stuck = world.faults.strike("batch-stuck", " ".join(item[0] for item in items)) is not None
        job = await asyncio.to_thread(world.jobs.submit, request.scope[CLIENT], items, output_format, stuck=stuck)
        if world.faults.strike("batch-lost-reply"):
            return no_answer
        if world.config.contract == "guide":
            return JSONResponse({"jobId": job.id}, 202)
        return JSONResponse({"id": job.id, "selfUri": f"{_PATH}/{job.id}"})

    async def status(request: Request) -> Response:
        job = world.jobs.get(request.path_params["jobId"])
        if job is None:
            raise ApiError(404, "batch.download.job.not.found", "The job was not found.")
        if job.client_id != request.scope[CLIENT]:
            message = "Only user that initiated the job can request results"
            raise ApiError(403, "batch.download.permission.denied", message)
        if world.config.contract == "guide":
            return JSONResponse(await asyncio.to_thread(_guide_status, world, job))
        return JSONResponse(_platform_status(world, job))

    return [("POST", _PATH, submit), ("GET", f"{_PATH}/{{jobId}}", status)]


def _platform_items(body: Json) -> tuple[tuple[Item, ...], None]:
    return _items(body.get("batchDownloadRequestList"), may_name_recording=True), None


def _guide_items(body: Json) -> tuple[tuple[Item, ...], str | None]:
    query = body.get("batchDownloadJobSubmissionQuery")
    if not isinstance(query, dict):
        raise bad_request("batchDownloadJobSubmissionQuery is required", "batch.download.bad.request")
    output_format = query.get("outputFormat")
    if output_format not in _GUIDE_FORMATS:
        raise bad_request(f"outputFormat must be WAV or MP3, not {output_format}", "batch.download.bad.request")
    return _items(query.get("batchDownloadJobSignatures"), may_name_recording=False), output_format


def _items(value: object, *, may_name_recording: bool) -> tuple[Item, ...]:
    if not isinstance(value, list) or not value:
        raise bad_request("Request list is required and must not be empty", "batch.download.bad.request")
    if len(value) > ITEMS_MAX:
        raise bad_request(f"Too many items requested, max {ITEMS_MAX} allowed", "batch.download.too.many.items")
    return tuple(_item(entry, may_name_recording=may_name_recording) for entry in value)


def _item(entry: object, *, may_name_recording: bool) -> Item:
    fields = cast("Json", entry) if isinstance(entry, dict) else {}
    conversation_id, recording_id = fields.get("conversationId"), fields.get("recordingId")
    allowed = {"conversationId", "recordingId"} if may_name_recording else {"conversationId"}
    readable = isinstance(conversation_id, str) and isinstance(recording_id, str | None)
    if not conversation_id or not readable or not set(fields) <= allowed:
        raise bad_request(f"an item may hold {', '.join(sorted(allowed))} only", "batch.download.bad.request")
    return str(conversation_id), cast("str | None", recording_id)


def _platform_status(world: World, job: Job) -> Json:
    view = job.poll()
    return {
        "id": job.id,
        "jobId": job.id,
        "expectedResultCount": view.expected,
        "resultCount": len(view.results),
        "errorCount": view.errors,
        "status": "Completed" if view.completed else "InProgress",
        "results": [_result(world, job, result) for result in view.results],
        "selfUri": f"{_PATH}/{job.id}",
    }


def _result(world: World, job: Job, result: Result) -> Json:
    row: Json = {"conversationId": result.conversation_id}
    if result.recording:
        row["recordingId"] = result.recording.id
    if result.error_message or not result.recording or not result.part:
        return {**row, "errorMsg": result.error_message}
    url = world.part_url(result.recording, result.part)
    if world.faults.strike("batch-urls-minted-once"):
        url = job.urls.setdefault((result.recording.id, result.part.index), url)
    return {**row, "resultUrl": url, "contentType": content_type_of(result.recording, result.part)}


def _guide_status(world: World, job: Job) -> Json:
    view = job.poll()
    answer: Json = {"jobId": job.id, "expectedResultCount": view.expected, "resultCount": len(view.results)}
    if view.completed and world.exports.ready(job):
        answer["resultUrl"] = world.sign(f"/exports-{world.config.org_id}/{job.id}.zip")
    return answer
