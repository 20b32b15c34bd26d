"""Recording bulk jobs (archive, delete, export): the published state machine, with nothing behind it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, cast

from starlette.responses import JSONResponse, Response

from include.sandbox.dice import uuid_for
from include.sandbox.gateway import CLIENT
from include.sandbox.problems import ApiError, bad_request, not_found
from include.sandbox.routes import json_body
from include.sandbox.routes.listing import listing
from include.sandbox.wire import iso

if TYPE_CHECKING:
    from starlette.requests import Request

    from include.sandbox.recordings import Recording
    from include.sandbox.routes import Json, Operation
    from include.sandbox.world import World

_PATH = "/api/v2/recording/jobs"
CONCURRENT_MAX = 2


@dataclass(slots=True)
class BulkJob:
    """One bulk job: PENDING, READY, then PROCESSING once told, then FULFILLED; CANCELLED at any time."""

    id: str
    client_id: str
    query: Json
    recordings: list[Recording]
    conversations: int
    seconds: float
    created: float = field(default_factory=monotonic)
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: float | None = None
    cancelled: bool = False

    @property
    def state(self) -> str:
        """The state, by age."""
        if self.cancelled:
            return "CANCELLED"
        if self.started is not None:
            return "FULFILLED" if monotonic() >= self.started + self.seconds else "PROCESSING"
        return "READY" if monotonic() >= self.created + self.seconds else "PENDING"

    @property
    def failed(self) -> list[Recording]:
        """The recordings the job could not process."""
        return [recording for recording in self.recordings if recording.file_state == "ERROR"]

    def to_json(self) -> Json:
        """Return it as RecordingJob."""
        done = self.state == "FULFILLED"
        failed = len(self.failed) if done else 0
        return {
            "id": self.id,
            "state": self.state,
            "user": {"id": self.client_id},
            "recordingJobsQuery": self.query,
            "dateCreated": iso(self.created_at),
            "totalConversations": self.conversations,
            "totalRecordings": len(self.recordings),
            "totalSkippedRecordings": 0,
            "totalFailedRecordings": failed,
            "totalProcessedRecordings": len(self.recordings) - failed if done else 0,
            "percentProgress": 100 if done else 0,
            "failedRecordings": f"{_PATH}/{self.id}/failedrecordings",
            "selfUri": f"{_PATH}/{self.id}",
        }


@dataclass(slots=True)
class BulkJobs:
    """The bulk jobs of the organisation and their handlers."""

    world: World
    jobs: dict[str, BulkJob] = field(default_factory=dict)

    def _named(self, request: Request) -> BulkJob:
        job = self.jobs.get(request.path_params["jobId"])
        if job is None:
            raise not_found("The recording job")
        return job

    async def create(self, request: Request) -> Response:
        """Accept a job: 202, PENDING."""
        body = await json_body(request)
        _check(body, [job for job in self.jobs.values() if job.state in {"PENDING", "PROCESSING"}])
        found = await asyncio.to_thread(self.world.queries.active, cast("Json", body["conversationQuery"]))
        recordings = [recording for conversation in found for recording in conversation.recordings]
        job_id = uuid_for(self.world.config.seed, "bulk job", len(self.jobs))
        seconds = self.world.config.job_seconds
        job = BulkJob(job_id, request.scope[CLIENT], body, recordings, len(found), seconds)
        self.jobs[job_id] = job
        return JSONResponse(job.to_json(), 202)

    async def every(self, request: Request) -> Response:
        """List the jobs."""
        state = request.query_params.get("state")
        rows = [job.to_json() for job in self.jobs.values() if state in {None, job.state}]
        return JSONResponse(listing(request, rows))

    async def one(self, request: Request) -> Response:
        """Return one job."""
        return JSONResponse(self._named(request).to_json())

    async def execute(self, request: Request) -> Response:
        """Set a READY job to PROCESSING; only its creator may."""
        job = self._named(request)
        if (await json_body(request)).get("state") != "PROCESSING" or job.state != "READY":
            raise bad_request(f"a job that is {job.state} can only be set to PROCESSING when READY")
        if job.client_id != request.scope[CLIENT]:
            raise ApiError(403, "not.authorized", "You are not authorized to perform the requested action.")
        job.started = monotonic()
        return JSONResponse(job.to_json())

    async def cancel(self, request: Request) -> Response:
        """Cancel a job."""
        self._named(request).cancelled = True
        return Response(status_code=204)

    async def failures(self, request: Request) -> Response:
        """List the recordings a job failed for."""
        rows: list[Json] = [
            {"conversation": {"id": recording.conversation_id}, "recording": {"id": recording.id}}
            for recording in self._named(request).failed
        ]
        return JSONResponse(listing(request, rows))


def operations(world: World) -> list[Operation]:
    """Return the operations of this group."""
    jobs = BulkJobs(world)
    return [
        ("POST", _PATH, jobs.create),
        ("GET", _PATH, jobs.every),
        ("GET", f"{_PATH}/{{jobId}}", jobs.one),
        ("PUT", f"{_PATH}/{{jobId}}", jobs.execute),
        ("DELETE", f"{_PATH}/{{jobId}}", jobs.cancel),
        ("GET", f"{_PATH}/{{jobId}}/failedrecordings", jobs.failures),
    ]


def _check(body: Json, running: list[BulkJob]) -> None:
    if body.get("action") not in {"ARCHIVE", "DELETE", "EXPORT"}:
        raise bad_request("action must be ARCHIVE, DELETE or EXPORT", "constraint.validation")
    if body["action"] == "EXPORT" and not body.get("integrationId"):
        raise bad_request("integrationId is required for EXPORT", "constraint.validation")
    if not body.get("actionDate") and not body.get("actionAge"):
        raise bad_request("actionDate or actionAge is required", "constraint.validation")
    if not isinstance(body.get("conversationQuery"), dict):
        raise bad_request("conversationQuery is required", "constraint.validation")
    if len(running) >= CONCURRENT_MAX:
        raise ApiError(409, "request.conflict", f"at most {CONCURRENT_MAX} jobs may be pending or processing")
