"""The server that everything is fetched from: nginx with sendfile, or where it is missing a small one of ours.

It also plays the three calls that the media-download guide's own program makes (token, media, webhook), as fixed
answers, so that this program can run as one of the rivals.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo.ports import LOOPBACK, free_ports
from demo.processes import Component, Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.inputs import Inputs, Item

READY_SECONDS = 15.0
_CONFIGURATION = """
{user}
daemon off;
worker_processes 2;
pid {run}/nginx.pid;
error_log {run}/nginx.log warn;
events {{ worker_connections 1024; }}
http {{
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    log_format sent '$uri $status $body_bytes_sent';
    client_body_temp_path {run}/body; proxy_temp_path {run}/proxy; fastcgi_temp_path {run}/fastcgi;
    uwsgi_temp_path {run}/uwsgi; scgi_temp_path {run}/scgi;
    types {{ audio/wav wav; audio/ogg ogg; application/zip zip; application/json json; }}
    server {{
        listen {host}:{port};
        root {root};
        access_log off;
        default_type application/json;
        location = /oauth/token {{ return 200 '{{"access_token":"t","expires_in":1800}}'; }}
        location = /webhook {{ return 204; }}
        location = /big.wav {{ access_log {run}/sent.log sent; }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the inputs are served. ``sent_log`` has a line for each answer about the big file, nginx only."""

    url: str
    host: str
    software: str
    sent_log: Path

    def url_of(self, name: str) -> str:
        """Return the address of an input."""
        return f"{self.url}/{name}"


@contextmanager
def running_source(run: Path, inputs: Inputs, *, with_nginx: bool = True) -> Iterator[Source]:
    """Serve the inputs for the length of the block.

    Raises:
        ComponentError: when the server does not start.
    """
    run.mkdir(parents=True, exist_ok=True)
    port = free_ports(1)[0]
    nginx = nginx_binary() if with_nginx else None
    host = f"{LOOPBACK}:{port}"
    _describe_media(inputs, host)
    if nginx:
        user = "user root;" if os.geteuid() == 0 else ""
        text = _CONFIGURATION.format(user=user, run=run, host=LOOPBACK, port=port, root=inputs.folder)
        (run / "nginx.conf").write_text(text)
        command = [nginx, "-c", str(run / "nginx.conf"), "-p", str(run), "-e", str(run / "nginx.log")]
    else:
        command = [
            sys.executable,
            "-m",
            "benchmarks.plain_source",
            str(port),
            str(inputs.folder),
            str(run / "sent.log"),
        ]
    with Supervisor() as supervisor:
        supervisor.start(Component("source", command, run / "source.log", dict(os.environ)))
        source = Source(
            f"http://{host}",
            host,
            "nginx with sendfile" if nginx else "a small Python server (nginx is missing)",
            run / "sent.log",
        )
        supervisor.wait_until(
            lambda: _answers(source.url_of("singles/0000.wav")), component="source", seconds=READY_SECONDS
        )
        yield source


def nginx_binary() -> str | None:
    """Return nginx, also where only root has it on the path."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def _describe_media(inputs: Inputs, host: str) -> None:
    folder = inputs.folder / "api" / "v2" / "recording" / "media"
    folder.mkdir(parents=True, exist_ok=True)
    for item in (inputs.big, *inputs.singles):
        (folder / item.recording_id).write_text(json.dumps(_description(item, host)))


def _description(item: Item, host: str) -> dict[str, object]:
    return {
        "id": item.recording_id,
        "format": item.media_type,
        "size": item.size,
        "downloadUrl": f"http://{host}/{item.name}",
    }


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own server on loopback
            return bool(response.status == 200)  # noqa: PLR2004 - OK
    except OSError:
        return False
