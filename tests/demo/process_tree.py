"""Commands that the process tests run: a service with a stubborn descendant, and a launcher to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from demo.processes import Component, Supervisor

FOREVER = 600


def stubborn(pids: Path) -> None:
    """Write down our pid and sleep, deaf to SIGTERM and in a session of our own: the worst a service can leave."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with pids.open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(FOREVER)


def service(pids: Path) -> None:
    """Start a stubborn descendant, write down our pid, and sleep."""
    subprocess.Popen([sys.executable, "-m", "tests.demo.process_tree", "stubborn", str(pids)])  # noqa: S603 - our own command
    with pids.open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(FOREVER)


def tree(name: str, pids: Path, *, grace_seconds: float = 0.5) -> Component:
    """Return a component that runs one of these functions."""
    return Component(
        name=name,
        command=[sys.executable, "-m", "tests.demo.process_tree", name, str(pids)],
        log=pids.with_suffix(".log"),
        environment=os.environ,
        grace_seconds=grace_seconds,
    )


def launcher(pids: Path) -> None:
    """Supervise a service until somebody kills us."""
    with Supervisor() as supervisor:
        supervisor.start(tree("service", pids))
        time.sleep(FOREVER)


if __name__ == "__main__":
    {"stubborn": stubborn, "service": service, "launcher": launcher}[sys.argv[1]](Path(sys.argv[2]))
