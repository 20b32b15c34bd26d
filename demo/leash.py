"""Run one command so that nothing of it outlives the launcher; a script of its own, standard library only.

``leash.py GRACE_SECONDS COMMAND...`` starts the command in a session of its own and waits. It ends the command, and
everything the command started, when the command ends, on SIGTERM, and when standard input closes: the launcher holds
the other end of that pipe, so the kernel closes it even when the launcher is killed with SIGKILL. PR_SET_PDEATHSIG
alone would not do: it reaches the direct child only, and an Airflow scheduler has children of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
POLL_SECONDS = 0.05


def main(arguments: list[str]) -> int:
    """Run the command and return its exit status, 128 + n where signal n ended it."""
    grace_seconds, command = float(arguments[0]), arguments[1:]
    wake, _writer = _wakeup_pipe()
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        # The preexec function is safe here: this process has one thread.
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - see above
        )
    except OSError as error:
        sys.stderr.write(f"cannot start {command[0]}: {error.strerror}\n")
        return 127
    while child.poll() is None and _nothing_said(wake):
        pass
    _end(child, grace_seconds)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _wakeup_pipe() -> tuple[int, int]:
    """Return a pipe that becomes readable with each SIGCHLD and SIGTERM."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return reader, writer


def _nothing_said(wake: int) -> bool:
    """Wait for a signal or the pipe's end; true when it was only a child that changed state."""
    readable, _, _ = select.select([0, wake], [], [])
    if 0 in readable:
        return False
    return signal.SIGTERM not in os.read(wake, 4096)


def _end(child: subprocess.Popen[bytes], grace_seconds: float) -> None:
    """End the command and every descendant: SIGTERM, the grace, then SIGKILL."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline and (child.poll() is None or _descendants(os.getpid())):
        _reap(child)
        time.sleep(POLL_SECONDS)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    while victims := _descendants(os.getpid()):
        for victim in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        _reap(child)
        time.sleep(POLL_SECONDS)
    child.wait()


def _reap(child: subprocess.Popen[bytes]) -> None:
    """Collect adopted orphans; the command itself is left to ``Popen``, which must see its exit status."""
    for pid in _children(os.getpid()):
        if pid != child.pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
    child.poll()


def _descendants(pid: int) -> list[int]:
    found = _children(pid)
    return found + [grandchild for one in found for grandchild in _descendants(one)]


def _children(pid: int) -> list[int]:
    """List child processes by /proc; empty where the system has none (the process group still ends there)."""
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    except OSError:
        return []


def _die_with_parent() -> None:
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
