"""Runs a command and writes what it cost: ``stopwatch.py REPORT STDIN COMMAND...``.

A process of its own, with the standard library alone: the kernel's "largest resident size" of a child begins with the
size of whoever started it, so the starter must be small.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

TIMEOUT_SECONDS = 600


def main() -> int:
    """Run, report, and return the command's status."""
    report, given, *command = sys.argv[1:]
    with Path(given).open("rb") as stdin:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdin=stdin, start_new_session=True)  # noqa: S603 - of this package
        # A command that hangs must not hold a run for ever; one that is stopped must not leave it behind.
        for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os.killpg(process.pid, signal.SIGKILL))
        signal.alarm(TIMEOUT_SECONDS)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
    costs = {"seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime, "rss_bytes": used.ru_maxrss * 1024}
    Path(report).write_text(json.dumps(costs))
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
