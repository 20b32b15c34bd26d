"""Child processes that are watched, and that end with the launcher whatever happens to it (see ``leash.py``)."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

GRACE_SECONDS = 10.0
"""Between SIGTERM and SIGKILL; SeaweedFS needs 2 to 4 seconds to close its files."""

BLAME_SECONDS = 3.0
TAIL_LINES = 20
POLL_SECONDS = 0.1
_LEASH = Path(__file__).with_name("leash.py")


class ComponentError(Exception):
    """A component died or did not become ready; the message names it and ends with the last lines of its log."""


@dataclass(frozen=True)
class Component:
    """One service: its name for people, its command, its whole environment, and where its output goes."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(repr=False)
    grace_seconds: float = GRACE_SECONDS


class Supervisor:
    """Starts components, notices when one dies, and stops them all; a context manager that leaves no process."""

    def __init__(self) -> None:
        self._running: list[tuple[Component, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pids(self) -> dict[str, int]:
        """Process id of each component's leash, by component name."""
        return {component.name: process.pid for component, process in self._running}

    def start(self, component: Component) -> None:
        """Start a component; its output is appended to its log."""
        component.log.parent.mkdir(parents=True, exist_ok=True)
        with component.log.open("ab") as log:
            process = subprocess.Popen(
                leashed(component.command, component.grace_seconds),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=dict(component.environment),
                # Ctrl-C in the terminal reaches the launcher only, which then ends the components in order.
                start_new_session=True,
            )
        self._running.append((component, process))

    def run(self, component: Component, *, seconds: float) -> None:
        """Run a command to its end.

        Raises:
            ComponentError: when it fails or takes too long; with the last lines of its log.
        """
        self.start(component)
        _, process = self._running.pop()
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _stop([(component, process)])
        if status != 0:
            what = f"failed with status {status}" if status else f"took more than {seconds:.0f} seconds"
            raise ComponentError(
                f"{component.name} {what}; last lines of {component.log}:\n{last_lines(component.log)}"
            )

    def check(self) -> None:
        """Raise when a component has ended by itself.

        Raises:
            ComponentError: naming the component, its exit status and the last lines of its log.
        """
        for component, process in self._running:
            status = process.poll()
            if status is not None:
                raise ComponentError(
                    f"{component.name} ended with status {status}; last lines of {component.log}:\n"
                    f"{last_lines(component.log)}"
                )

    def blame(self, seconds: float = BLAME_SECONDS) -> None:
        """After a failed call: find the component that has just died, if one has.

        Raises:
            ComponentError: as ``check``; a refused connection can be seen some time before the process is gone.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.check()
            time.sleep(POLL_SECONDS)

    def wait_until(self, ready: Callable[[], bool], *, component: str, seconds: float) -> None:
        """Poll until ``ready`` says yes, watching every component meanwhile.

        Raises:
            ComponentError: when a component dies, or the time is over.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                logs = [one.log for one, _ in self._running if one.name == component]
                tail = f"; last lines of {logs[0]}:\n{last_lines(logs[0])}" if logs else ""
                raise ComponentError(f"{component} was not ready after {seconds:.0f} seconds{tail}")
            time.sleep(POLL_SECONDS)

    def forget(self, name: str) -> None:
        """Stop one component and no longer watch it."""
        mine = [one for one in self._running if one[0].name == name]
        self._running = [one for one in self._running if one[0].name != name]
        _stop(mine)

    def stop(self) -> None:
        """End every component, all at once; returns when their processes are gone."""
        _stop(self._running)
        self._running = []


def _stop(running: list[tuple[Component, subprocess.Popen[bytes]]]) -> None:
    for _, process in running:
        if process.stdin:
            with contextlib.suppress(OSError):
                process.stdin.close()
    for component, process in running:
        try:
            process.wait(component.grace_seconds + 5)
        except subprocess.TimeoutExpired:
            # The leash itself is stuck; its death kills the command (PR_SET_PDEATHSIG).
            process.kill()
            process.wait()


def leashed(command: Sequence[str], grace_seconds: float = GRACE_SECONDS) -> list[str]:
    """Return the command on its leash: it ends when the standard input that it is started with closes."""
    return [sys.executable, "-I", "-S", str(_LEASH), str(grace_seconds), *command]


def last_lines(path: Path, count: int = TAIL_LINES) -> str:
    """Return the end of a log, indented."""
    if not path.exists():
        return "    (empty)"
    lines = path.read_text("utf-8", errors="replace").splitlines()[-count:]
    return "\n".join(f"    {line}" for line in lines) or "    (empty)"
