"""Start the Genesys Cloud sandbox and read where it listens."""

from __future__ import annotations

import json
import os
import secrets
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import requests

from demo.options import PROJECT
from demo.processes import Component

if TYPE_CHECKING:
    from pathlib import Path

    from demo.options import SandboxOptions
    from demo.processes import Supervisor

READY_SECONDS = 90.0
REQUEST_SECONDS = 30.0
TRUTH_SECONDS = 300.0
"""The truth of a hundred thousand calls takes the sandbox a while."""


@dataclass(frozen=True)
class Sandbox:
    """Where the sandbox listens, who may use it, and the day it plays."""

    api_base_url: str
    login_base_url: str
    media_base_url: str
    org_id: str
    client_id: str
    client_secret: str = field(repr=False)
    options: SandboxOptions

    def calls(self) -> dict[str, object]:
        """Return the number of API calls so far, as the sandbox counted them."""
        return self._read("/sandbox/journal?summary=1")

    def truth(self, date: str) -> dict[str, object]:
        """Return what the sandbox knows to exist on a local day."""
        return self._read(f"/sandbox/truth?date={date}", TRUTH_SECONDS)

    def _read(self, path: str, seconds: float = REQUEST_SECONDS) -> dict[str, object]:
        with requests.Session() as session:
            session.trust_env = False  # a proxy of this machine has no business with loopback
            answer = session.get(f"{self.api_base_url}{path}", timeout=seconds)
        answer.raise_for_status()
        body: dict[str, object] = answer.json()
        return body


def start_sandbox(supervisor: Supervisor, directory: Path, options: SandboxOptions) -> Sandbox:
    """Start the sandbox under a supervisor and wait until it has said where it listens.

    Raises:
        ComponentError: when it does not start.
    """
    directory.mkdir(parents=True, exist_ok=True)
    ready_file = directory / "ready.json"
    ready_file.unlink(missing_ok=True)
    client_id, client_secret = secrets.token_hex(8), secrets.token_hex(24)
    supervisor.start(
        Component(
            name="sandbox",
            command=_command(options, ready_file),
            log=directory / "sandbox.log",
            environment={
                **os.environ,
                "PYTHONPATH": str(PROJECT),
                # Not as arguments: those show in the process list.
                "SANDBOX_CLIENT_ID": client_id,
                "SANDBOX_CLIENT_SECRET": client_secret,
            },
            grace_seconds=3.0,
        )
    )
    supervisor.wait_until(lambda: _complete(ready_file), component="sandbox", seconds=READY_SECONDS)
    ready = json.loads(ready_file.read_text("utf-8"))
    return Sandbox(
        api_base_url=ready["api_base_url"],
        login_base_url=ready["login_base_url"],
        media_base_url=ready["media_base_url"],
        org_id=ready["org_id"],
        client_id=client_id,
        client_secret=client_secret,
        options=options,
    )


def _command(options: SandboxOptions, ready_file: Path) -> list[str]:
    flags = {
        "--port": 0,
        "--media-port": 0,
        "--date": options.day,
        "--timezone": options.timezone,
        "--conversations": options.conversations,
        "--seed": options.seed,
        "--contract": options.contract,
        "--scenario": options.scenario,
        "--job-seconds": options.job_seconds,
        "--ready-file": ready_file,
    }
    given = [(name, str(value)) for name, value in flags.items() if value != ""]
    given += [("--fault", switch) for switch in options.faults]
    return [sys.executable, "-m", "include.sandbox", *(word for pair in given for word in pair)]


def _complete(ready_file: Path) -> bool:
    try:
        return "api_base_url" in json.loads(ready_file.read_text("utf-8"))
    except (OSError, ValueError):
        return False
