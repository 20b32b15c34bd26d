"""The asynchronous details jobs: submit, state, results by cursor, cancel, availability."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from include.sandbox.dice import uuid_for
from include.sandbox.problems import bad_request, not_found
from include.sandbox.routes import json_body, whole_number
from include.sandbox.wire import conversation_json, iso

if TYPE_CHECKING:
    from starlette.requests import Request

    from include.sandbox.conversations import Conversation
    from include.sandbox.routes import Json, Operation
    from include.sandbox.world import World

_PATH = "/api/v2/analytics/conversations/details/jobs"
PAGE_SIZE_MAX = 10_000


@dataclass(slots=True)
class DetailsJob:
    """One asynchronous query."""

    id: str
    found: list[Conversation]
    seconds: float
    created: float = field(default_factory=monotonic)
    submitted: datetime = field(default_factory=lambda: datetime.now(UTC))
    cancelled: bool = False

    @property
    def state(self) -> str:
        """QUEUED, PENDING, FULFILLED or CANCELLED, by age."""
        if self.cancelled:
            return "CANCELLED"
        share = (monotonic() - self.created) / self.seconds if self.seconds else 1.0
        if share >= 1:
            return "FULFILLED"
        return "PENDING" if share > 1 / 3 else "QUEUED"

    def to_json(self) -> Json:
        """Return it as AsyncQueryStatus."""
        status: Json = {"state": self.state, "submissionDate": iso(self.submitted)}
        if self.state == "FULFILLED":
            status["completionDate"] = iso(self.submitted + timedelta(seconds=self.seconds))
            status["expirationDate"] = iso(self.submitted + timedelta(days=3))
        return status


def operations(world: World) -> list[Operation]:
    """Return the operations of this group."""
    jobs: dict[str, DetailsJob] = {}

    def job_of(request: Request) -> DetailsJob:
        job = jobs.get(request.path_params["jobId"])
        if job is None:
            raise not_found("The details job")
        return job

    async def submit(request: Request) -> Response:
        body = await json_body(request)
        if "paging" in body:
            raise bad_request(
                "Value [paging] is not a valid property for object [AsyncConversationQuery]", "invalid.property"
            )
        found = await asyncio.to_thread(world.queries.active, body)
        job = DetailsJob(uuid_for(world.config.seed, "details job", len(jobs)), found, world.config.job_seconds)
        jobs[job.id] = job
        return JSONResponse({"jobId": job.id}, 202)

    async def status(request: Request) -> Response:
        job = job_of(request)
        return JSONResponse(job.to_json(), 202 if job.state in {"QUEUED", "PENDING"} else 200)

    async def results(request: Request) -> Response:
        return JSONResponse(_results(job_of(request), request))

    async def cancel(request: Request) -> Response:
        job_of(request).cancelled = True
        return Response(status_code=204)

    async def availability(request: Request) -> Response:  # noqa: ARG001 - a handler
        return JSONResponse({"dataAvailabilityDate": iso(datetime.now(UTC))})

    return [
        ("GET", f"{_PATH}/availability", availability),
        ("POST", _PATH, submit),
        ("GET", f"{_PATH}/{{jobId}}", status),
        ("DELETE", f"{_PATH}/{{jobId}}", cancel),
        ("GET", f"{_PATH}/{{jobId}}/results", results),
    ]


def _results(job: DetailsJob, request: Request) -> Json:
    if job.state != "FULFILLED":
        raise bad_request(f"the job is {job.state}")
    size = whole_number(request, "pageSize", 1000, PAGE_SIZE_MAX)
    cursor = request.query_params.get("cursor", "0")
    if not cursor.isascii() or not cursor.isdigit():
        raise bad_request("the cursor is not one of ours")
    start = int(cursor)
    page = job.found[start : start + size]
    answer: Json = {
        "conversations": [conversation_json(each, attributes=True) for each in page],
        "dataAvailabilityDate": iso(datetime.now(UTC)),
    }
    if start + size < len(job.found):
        answer["cursor"] = str(start + size)
    return answer
