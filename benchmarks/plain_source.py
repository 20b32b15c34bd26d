"""The stand-in where nginx is missing: files and single ranges, sent by the kernel (``sendfile``)."""

from __future__ import annotations

import os
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from demo.ports import LOOPBACK

_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")
_TYPES = {".wav": "audio/wav", ".ogg": "audio/ogg", ".zip": "application/zip"}
_FIXED = {"/oauth/token": b'{"access_token":"t","expires_in":1800}', "/webhook": b"{}"}


class _Files(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root: ClassVar[Path]
    sent: ClassVar[int]

    def do_GET(self) -> None:
        path = self.root / self.path.partition("?")[0].lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        size = path.stat().st_size
        span = _span(self.headers.get("Range"), size)
        if span is None:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._head(path, size, *span)
        try:
            count = self._send(path, *span)
        finally:
            if path.name == "big.wav":
                os.write(self.sent, f"/{path.name} 206 {count}\n".encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = _FIXED.get(self.path, b"{}")
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass

    def _head(self, path: Path, size: int, first: int, last: int) -> None:
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Type", _TYPES.get(path.suffix, "application/json"))
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{path.stat().st_mtime_ns:x}-{size:x}"')
        if "Range" in self.headers:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()

    def _send(self, path: Path, first: int, last: int) -> int:
        self.wfile.flush()
        at = first
        with path.open("rb") as file:
            while at <= last:
                count = os.sendfile(self.connection.fileno(), file.fileno(), at, last + 1 - at)
                if not count:
                    break
                at += count
        return at - first


def _span(header: str | None, size: int) -> tuple[int, int] | None:
    """Return first and last byte; ``None`` for a range outside the file.

    >>> _span(None, 10), _span("bytes=2-3", 10), _span("bytes=-4", 10), _span("bytes=10-", 10)
    ((0, 9), (2, 3), (6, 9), None)
    """
    match = _RANGE.match(header or "bytes=0-")
    if match is None or match[0] == "bytes=-":
        return 0, size - 1
    if not match[1]:
        return max(0, size - int(match[2])), size - 1
    first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
    return (first, last) if first <= last else None


def main() -> None:
    """Serve a folder until killed: PORT FOLDER LOG."""
    _Files.root = Path(sys.argv[2])
    _Files.sent = os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    ThreadingHTTPServer((LOOPBACK, int(sys.argv[1])), _Files).serve_forever()


if __name__ == "__main__":
    main()
