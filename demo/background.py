"""A stack that stays: ``make up`` leaves it running in the background, ``make down`` ends it.

The pid stands in the lock file, and counts only while the lock is held: a pid alone may meanwhile be another process.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from demo.options import PROJECT
from demo.private_file import write_private
from demo.processes import ComponentError, last_lines
from demo.stack import LOCK_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from demo.stack import Stack

FACTS_NAME = "stack.json"
START_SECONDS = 300.0
STOP_SECONDS = 45.0
POLL_SECONDS = 0.2


def announce(directory: Path, stack: Stack) -> None:
    """Write down where the stack is, for ``make up`` and for people; the file holds the UI's password."""
    facts = {
        "pid": os.getpid(),
        "ui": stack.ui_url,
        "username": stack.username,
        "password": stack.password,
        "s3": stack.lake.endpoint_url,
        "sandbox": stack.sandbox.api_base_url if stack.sandbox else None,
        "logs": str(stack.logs),
    }
    write_private(directory / FACTS_NAME, json.dumps(facts, indent=2))


def start_in_background(directory: Path, arguments: list[str]) -> dict[str, Any]:
    """Start ``python -m demo serve`` detached from this terminal and wait until it is healthy; return its facts.

    Raises:
        ComponentError: when it ends instead, with the last lines of its log.
    """
    facts_file, log = directory / FACTS_NAME, directory / "logs" / "stack.log"
    facts_file.unlink(missing_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo", "serve", *arguments],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while not facts_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.terminate()
            raise ComponentError(f"the stack did not start; last lines of {log}:\n{last_lines(log)}")
        time.sleep(POLL_SECONDS)
    facts: dict[str, Any] = json.loads(facts_file.read_text("utf-8"))
    return facts


def running_facts(directory: Path) -> dict[str, Any] | None:
    """Return the facts of the stack that runs on this folder, or None."""
    try:
        facts: dict[str, Any] = json.loads((directory / FACTS_NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return facts if holder(directory) else None


def stop_in_background(directory: Path) -> bool:
    """End the stack that runs on this folder and wait until it is gone; false when none runs."""
    pid = holder(directory)
    if not pid:
        return False
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while holder(directory) == pid and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        if holder(directory) != pid:
            break
    (directory / FACTS_NAME).unlink(missing_ok=True)
    return True


def holder(directory: Path) -> int | None:
    """Return the process id of the launcher that holds the folder's lock, or None."""
    path = directory / LOCK_NAME
    if not path.exists():
        return None
    with path.open("r") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read() or 0) or None
    return None
