"""A media host that serves what a test puts on it, and a source that answers as the test says."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import TYPE_CHECKING

from include.errors import RecordingGone
from include.genesys.models import BatchStatus, RecordingMetadata, RecordingResult
from include.secret import PresignedUrl
from tests.loopback import HttpDoor

if TYPE_CHECKING:
    from collections.abc import Sequence

EXPIRED = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


class Shelf(HttpDoor):
    """Files by path on 127.0.0.1. A path may have refusals to give out before its file: pairs of status and body."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.refusals: dict[str, list[tuple[int, bytes]]] = {}
        self.asked: list[str] = []
        self._lock = Lock()
        super().__init__(_handler_of(self))

    def put(self, path: str, content: bytes, refusals: Sequence[tuple[int, bytes]] = ()) -> PresignedUrl:
        """Put a file on the shelf and return its URL."""
        self.files[path] = content
        self.refusals[path] = list(refusals)
        return self.url(path)

    def url(self, path: str, signature: str = "first") -> PresignedUrl:
        """Return the URL of a path with another signature."""
        return PresignedUrl(f"{self.base_url}{path}?X-Amz-Signature={signature}")

    def answer(self, target: str) -> tuple[int, bytes]:
        """Return what to say to one GET; a URL signed ``expired`` is always too old."""
        path, _, query = target.partition("?")
        with self._lock:
            self.asked.append(path)
            if query.endswith("expired"):
                return 403, EXPIRED
            if self.refusals.get(path):
                return self.refusals[path].pop(0)
            return (200, self.files[path]) if path in self.files else (404, b"<Error><Code>NoSuchKey</Code></Error>")


def _handler_of(shelf: Shelf) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body = shelf.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@dataclass
class ScriptedSource:
    """A source with one answer per question; an exception in its place is raised. Statuses are used up but the last."""

    statuses: dict[str, list[BatchStatus | Exception]] = field(default_factory=dict)
    recordings: dict[str, tuple[RecordingMetadata, ...] | Exception] = field(default_factory=dict)
    asked_jobs: list[str] = field(default_factory=list)
    asked_metadata: list[str] = field(default_factory=list)

    def batch_status(self, job_id: str) -> BatchStatus:
        """Return the next status of the job."""
        self.asked_jobs.append(job_id)
        answers = self.statuses.get(job_id) or [RecordingGone("no such job", status=404)]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def recording_metadata(self, conversation_id: str) -> tuple[RecordingMetadata, ...]:
        """Return what is known of the conversation's recordings: nothing, unless said otherwise."""
        self.asked_metadata.append(conversation_id)
        answer = self.recordings.get(conversation_id, ())
        if isinstance(answer, Exception):
            raise answer
        return answer


def finished(*results: RecordingResult, job_id: str = "job", completed: bool | None = True) -> BatchStatus:
    """Return a job that delivers these results."""
    return BatchStatus(job_id, completed, len(results), len(results), 0, results)


def recording(conversation_id: str, recording_id: str, state: str = "AVAILABLE", media: str = "audio"):
    """Return an entry of ``recordingmetadata``."""
    return RecordingMetadata(recording_id, conversation_id, state, media, None, None)
