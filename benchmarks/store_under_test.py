"""Where uploads go: the null S3 sink, which shows what a client costs, or SeaweedFS, a real server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.proc import cpu_seconds_of_tree
from demo.object_store import start_object_store
from demo.ports import LOOPBACK, free_ports
from demo.processes import Component, Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "recordings"
REGION = "us-east-1"
READY_SECONDS = 15.0
_C_SOURCE = Path(__file__).with_name("null_s3.c")


@dataclass(frozen=True, slots=True)
class StoreUnderTest:
    """An S3 endpoint, its credentials and the process that serves it."""

    name: str
    url: str
    access_key: str
    secret_key: str = field(repr=False)
    pid: int
    keeps_bytes: bool

    @property
    def environment(self) -> dict[str, str]:
        """What every S3 client reads its credentials from."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def cpu_seconds(self) -> float:
        """CPU time that the server has used so far."""
        return cpu_seconds_of_tree(self.pid)


@contextmanager
def null_sink(run: Path, *, compiled: bool = True) -> Iterator[StoreUnderTest]:
    """Run the sink that keeps nothing: C where gcc is there, else Python, which is slower and says so in its name.

    Raises:
        ComponentError: when it does not start.
    """
    run.mkdir(parents=True, exist_ok=True)
    port = free_ports(1)[0]
    gcc = shutil.which("gcc") if compiled else None
    if gcc:
        binary = run / "null_s3"
        subprocess.run([gcc, "-O2", "-o", str(binary), str(_C_SOURCE), "-lpthread"], check=True)  # noqa: S603 - our own source
        command, name = [str(binary), str(port)], "null S3 (C)"
    else:
        command, name = [sys.executable, "-m", "benchmarks.null_s3", str(port)], "null S3 (Python, as gcc is missing)"
    with Supervisor() as supervisor:
        supervisor.start(Component("null-s3", command, run / "null_s3.log", dict(os.environ)))
        pid = supervisor.pids["null-s3"]
        store = StoreUnderTest(name, f"http://{LOOPBACK}:{port}", "null", "null-null-null", pid, keeps_bytes=False)
        supervisor.wait_until(lambda: _answers(store.url), component="null-s3", seconds=READY_SECONDS)
        yield store


@contextmanager
def seaweedfs(directory: Path) -> Iterator[StoreUnderTest]:
    """Run SeaweedFS on an empty folder, and delete the folder afterwards.

    Raises:
        ComponentError: when it does not start.
    """
    with Supervisor() as supervisor:
        server = start_object_store(supervisor, directory, bucket=BUCKET)
        yield StoreUnderTest(
            "SeaweedFS",
            server.endpoint_url,
            server.access_key,
            server.secret_key,
            supervisor.pids["object-store"],
            keeps_bytes=True,
        )
    shutil.rmtree(directory, ignore_errors=True)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stats", timeout=2) as response:  # noqa: S310 - our own server on loopback
            return "objects" in json.load(response)
    except (OSError, ValueError):
        return False
