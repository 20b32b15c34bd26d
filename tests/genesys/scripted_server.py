"""A small Genesys Cloud on 127.0.0.1: holds state, remembers every call, misbehaves on request.

It answers login, analytics, batch, metadata and directory calls. ``script()`` puts replies before the normal ones.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from tests.loopback import HttpDoor

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "/oauth/token"
QUERY = "/api/v2/analytics/conversations/details/query"
BATCHES = "/api/v2/recording/batchrequests"
USERS = "/api/v2/users"
ODD_NUMBERS = ("NaN", "Infinity", "-Infinity", "9" * 5000, "-" + "9" * 5000, "9" * 400, "1e999")
"""What some serialisers write for a number that is none, and digits that no field can mean."""


def uuid(number: int) -> str:
    """Return the UUID that stands for a number."""
    return str(UUID(int=number))


@dataclass
class Call:
    """One request as it arrived."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Reply:
    """One answer: JSON or bytes, or ``misbehave``, which gets the handler and writes what it likes."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    misbehave: Callable[[BaseHTTPRequestHandler], None] | None = None

    @property
    def payload(self) -> bytes:
        """The body as bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


def error(status: int, code: str, message: str = "no", **headers: str) -> Reply:
    """Return an ``ErrorBody`` reply."""
    body = {"message": message, "code": code, "status": status, "contextId": "cid-1"}
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


class ScriptedGenesys(HttpDoor):
    """The server and its state."""

    url = HttpDoor.base_url

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.rows: list[dict] = []
        self.names: dict[str, dict[str, str]] = {}
        self.jobs: dict[str, dict] = {}
        self.recordings: dict[str, list[dict]] = {}
        self.poisoned: dict[str, Reply] = {}
        self.page_end: Callable[[int], None] = lambda _page: None
        self.valid_tokens: set[str] = set()
        self.expires_in: object = 3600
        self.on_call: Callable[[Call], Reply | None] = lambda _call: None
        self._scripts: dict[str, deque[Reply]] = defaultdict(deque)
        self._lock = Lock()
        self._tokens = 0
        super().__init__(_handler_for(self))
        self._server.block_on_close = False

    def script(self, path: str, *replies: Reply) -> None:
        """Answer the next calls to ``path`` with ``replies``, in order."""
        self._scripts[path].extend(replies)

    def calls_to(self, path: str) -> list[Call]:
        """Return the calls whose path is, or begins with, ``path``."""
        return [call for call in self.calls if call.path.startswith(path)]

    def answer(self, call: Call) -> Reply:
        """Return what to say to one call."""
        with self._lock:
            self.calls.append(call)
            if self._scripts[call.path]:
                return self._scripts[call.path].popleft()
            special = self.on_call(call)
            if special is not None:
                return special
            if call.path == TOKEN:
                return self._token()
            if call.headers.get("authorization", "").removeprefix("Bearer ") not in self.valid_tokens:
                return error(401, "bad.credentials")
            return self._api(call)

    def _token(self) -> Reply:
        self._tokens += 1
        token = f"canary-token-{self._tokens}"
        self.valid_tokens.add(token)
        return Reply(body={"access_token": token, "token_type": "bearer", "expires_in": self.expires_in})

    def _api(self, call: Call) -> Reply:
        if call.path == QUERY:
            return self._page(call)
        if call.path == BATCHES:
            return self._submit(call)
        if call.path.startswith(BATCHES):
            job = self.jobs.get(call.path.rpartition("/")[2])
            return Reply(body=job) if job is not None else error(404, "batch.download.job.not.found")
        if call.path.endswith("/recordingmetadata"):
            found = self.recordings.get(call.path.split("/")[4])
            return Reply(body=found) if found is not None else error(404, "conversation.not.found")
        return self._entities(call)

    def _page(self, call: Call) -> Reply:
        paging = call.json["paging"]
        first = (paging["pageNumber"] - 1) * paging["pageSize"]
        rows = self.rows[first : first + paging["pageSize"]]
        # Hits are conversations: one that is on two pages is one hit.
        total = len({json.dumps(row["conversationId"] if isinstance(row, dict) else row).lower() for row in self.rows})
        self.page_end(paging["pageNumber"])
        return Reply(body={"conversations": rows, "totalHits": total} if rows else {})

    def _submit(self, call: Call) -> Reply:
        ids = [item["conversationId"] for item in items_of(call.json)]
        bad = [value for value in ids if value in self.poisoned]
        if bad:
            return self.poisoned[bad[0]]
        job_id = f"job-{len(self.jobs) + 1}"
        self.jobs[job_id] = {"jobId": job_id, "status": "InProgress", "ids": ids}
        return Reply(body={"id": job_id, "selfUri": f"{BATCHES}/{job_id}"})

    def _entities(self, call: Call) -> Reply:
        known = self.names.get(call.path, {})
        asked = [value for name, value in call.query if name == "id"]
        if any(value not in known for value in asked):
            return error(404, "general.resource.not.found")
        return Reply(body={"entities": [{"id": value, "name": known[value]} for value in asked]})


def items_of(body: dict) -> list[dict]:
    """Return the requested items of either contract's submission."""
    guide = body.get("batchDownloadJobSubmissionQuery", {}).get("batchDownloadJobSignatures")
    return guide if guide is not None else body["batchDownloadRequestList"]


def _handler_for(genesys: ScriptedGenesys) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = genesys.answer(Call(self.command, parts.path, parse_qsl(parts.query), headers, body))
            if reply.misbehave is not None:
                self.close_connection = True
                with suppress(OSError):  # the client has hung up, which is what such a test waits for
                    reply.misbehave(self)
                return
            self.send_response(reply.status)
            for name, value in {"ININ-Correlation-Id": "corr-1", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.payload)))
            self.end_headers()
            self.wfile.write(reply.payload)

        do_GET = do_POST = do_PUT = _serve  # noqa: N815 - names of http.server

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    return Handler
