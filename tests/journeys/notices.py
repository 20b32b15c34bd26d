"""Whoever is on call, as Apprise's ``json://`` reaches them: remembers what it was told."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.loopback import listening


class Heard(list):
    """The notices, in order; knows the port they come to."""

    port = 0


@contextmanager
def told():
    """Listen on loopback."""
    heard = Heard()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    heard.port = server.server_port
    with listening(server):
        yield heard
