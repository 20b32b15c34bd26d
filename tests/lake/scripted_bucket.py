"""A bucket that answers from a script: what a real S3 server says too seldom to wait for."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.loopback import HttpDoor


@dataclass(frozen=True)
class Answer:
    """One answer; ``code`` becomes S3's error document, ``body`` stands for itself, ``declared`` lies about its length.

    A status of 0 hangs up without a word.
    """

    status: int
    code: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    declared: int | None = None
    message: str = "no"

    @property
    def payload(self) -> bytes:
        """What goes on the wire."""
        if not self.code:
            return self.body
        text = f"<?xml version='1.0'?><Error><Code>{self.code}</Code><Message>{self.message}</Message></Error>"
        return text.encode()


@dataclass(frozen=True)
class Heard:
    """One request as it came over the wire; header names in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class ScriptedBucket(HttpDoor):
    """Gives the answers of each method in order; the last one is given for ever. ``heard`` are all requests."""

    url = HttpDoor.base_url

    def __init__(self, **answers: list[Answer]) -> None:
        self._answers = {method: deque(script) for method, script in answers.items()}
        self.calls: dict[str, int] = defaultdict(int)
        self.heard: list[Heard] = []
        super().__init__(_handler_for(self))

    def answer_to(self, method: str) -> Answer:
        """Return what to say to this call."""
        self.calls[method] += 1
        script = self._answers[method]
        return script.popleft() if len(script) > 1 else script[0]


def _handler_for(bucket: ScriptedBucket) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            bucket.heard.append(Heard(self.command, self.path, headers, body))
            answer = bucket.answer_to(self.command)
            self.close_connection = True
            if not answer.status:
                return
            payload = answer.payload
            self.send_response_only(answer.status)
            headers = {"Date": self.date_time_string()}
            headers["Content-Length"] = str(len(payload) if answer.declared is None else answer.declared)
            for name, value in {**headers, **answer.headers, "Connection": "close"}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(payload)

        do_PUT = do_HEAD = do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - http.server dispatches by these names

    return Handler
