"""The stand-in for ``null_s3.c`` where no compiler is: the same bucket that keeps nothing, at Python's speed."""

from __future__ import annotations

import itertools
import json
import sys
import threading
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from demo.ports import LOOPBACK

_PIECE_BYTES = 1024 * 1024
_PAGE_KEYS = 1000
_NOT_KEPT = ("x-amz-checksum-algorithm", "x-amz-checksum-mode")


@dataclass(slots=True)
class _Stored:
    echo: dict[str, str]
    size: int
    body: bytes = b""
    parts: dict[int, int] = field(default_factory=dict)
    key: str = ""


class _Bucket(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    objects: ClassVar[dict[str, _Stored]] = {}
    uploads: ClassVar[dict[str, _Stored]] = {}
    numbers: ClassVar[itertools.count[int]] = itertools.count(1)
    lock: ClassVar[threading.Lock] = threading.Lock()

    def do_PUT(self) -> None:
        size, body = self._drain()
        place, query = self._place()
        if "uploadId" in query:
            self.uploads[query["uploadId"]].parts[int(query["partNumber"])] = size
            self._answer(200, self._echo())
        elif place.count("/") == 1:
            self._answer(200)
        else:
            self._keep(place, _Stored(self._echo(), size, body))

    def do_POST(self) -> None:
        self._drain()
        place, query = self._place()
        if "uploads" in query:
            number = str(next(self.numbers))
            echo = {name: value for name, value in self._echo().items() if not name.startswith("x-amz-checksum-")}
            self.uploads[number] = _Stored(echo, 0, key=place)
            root = "InitiateMultipartUploadResult"
            self._xml(f"<{root}><Key>{escape(place)}</Key><UploadId>{number}</UploadId></{root}>")
            return
        upload = self.uploads[query["uploadId"]]
        checksums = {name: value for name, value in self._echo().items() if name.startswith("x-amz-checksum-")}
        whole = _Stored({**upload.echo, **checksums}, sum(upload.parts.values()))
        body = b'<CompleteMultipartUploadResult><ETag>"0"</ETag></CompleteMultipartUploadResult>'
        self._keep(upload.key, whole, body)

    def do_HEAD(self) -> None:
        place, _ = self._place()
        found = self.objects.get(place)
        if found is None and place.count("/") > 1:
            self._answer(404)
        elif found is None:
            self._answer(200)
        else:
            self._answer(200, found.echo, size=found.size)

    def do_GET(self) -> None:
        place, query = self._place()
        if place == "/_stats":
            sizes = [item.size for item in self.objects.values()]
            self._answer(200, body=json.dumps({"objects": len(sizes), "bytes": sum(sizes)}).encode())
        elif place in self.objects:
            self._answer(200, self.objects[place].echo, self.objects[place].body)
        elif "uploads" in query:
            self._xml("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>")
        elif place.rstrip("/").count("/") == 1:
            self._list(place.rstrip("/"), query)
        else:
            self._answer(404, body=b"<Error><Code>NoSuchKey</Code></Error>")

    def do_DELETE(self) -> None:
        self._answer(204)

    def log_message(self, *_: object) -> None:
        pass

    def _keep(self, place: str, stored: _Stored, body: bytes = b"") -> None:
        with self.lock:
            is_free = self.headers.get("If-None-Match") != "*" or place not in self.objects
            if is_free:
                self.objects[place] = stored
        if is_free:
            self._answer(200, stored.echo, body)
        else:
            self._answer(412, body=b"<Error><Code>PreconditionFailed</Code></Error>")

    def _list(self, bucket: str, query: dict[str, str]) -> None:
        start, after = (
            f"{bucket}/{query.get('prefix', '')}",
            query.get("continuation-token") or query.get("start-after", ""),
        )
        root = len(bucket) + 1
        keys = sorted(key for key in list(self.objects) if key.startswith(start) and key[root:] > after)
        page = [
            f"<Contents><Key>{escape(key[root:])}</Key><Size>{self.objects[key].size}</Size></Contents>"
            for key in keys[:_PAGE_KEYS]
        ]
        more = len(keys) > _PAGE_KEYS
        token = f"<NextContinuationToken>{escape(keys[_PAGE_KEYS - 1][root:])}</NextContinuationToken>" if more else ""
        truncated = f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        self._xml(f"<ListBucketResult>{truncated}{''.join(page)}{token}</ListBucketResult>")

    def _drain(self) -> tuple[int, bytes]:
        """Read the body; return the object's size, and the bytes of a document, which is kept."""
        length = left = int(self.headers.get("Content-Length", 0))
        kept = bytearray()
        is_document = self.headers.get("Content-Type", "").startswith("application/json")
        while left:
            piece = self.rfile.read(min(left, _PIECE_BYTES))
            if not piece:
                raise ConnectionError("the body ended early")
            left -= len(piece)
            if is_document:
                kept += piece
        return int(self.headers.get("x-amz-decoded-content-length", length)), bytes(kept)

    def _place(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        return unquote(parts.path), {name: values[0] for name, values in query.items()}

    def _echo(self) -> dict[str, str]:
        kept = {name.lower(): value for name, value in self.headers.items()}
        prefixes = ("x-amz-checksum-", "x-amz-meta-", "content-type")
        return {name: value for name, value in kept.items() if name.startswith(prefixes) and name not in _NOT_KEPT}

    def _xml(self, body: str) -> None:
        self._answer(200, {"content-type": "application/xml"}, body.encode())

    def _answer(
        self, status: int, headers: dict[str, str] | None = None, body: bytes = b"", size: int | None = None
    ) -> None:
        self.send_response_only(status)
        fixed = {"Date": formatdate(usegmt=True), "ETag": '"0"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        for name, value in {**fixed, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if size is None else size))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    request_queue_size = 256


def main() -> None:
    """Serve until killed: PORT."""
    _Server((LOOPBACK, int(sys.argv[1])), _Bucket).serve_forever()


if __name__ == "__main__":
    main()
