"""One measurement of one command: wall clock, CPU of all its processes, and the largest of them in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STOPWATCH = Path(__file__).with_name("stopwatch.py")
_TAIL = 1500


class WrongResultError(Exception):
    """A contender failed, or its bytes are not the true ones: its time means nothing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run. ``rss_bytes`` is the peak of the largest process; ``server_cpu_seconds`` that of the S3 server.

    Where ``processes`` worked side by side, the CPU time is their sum.
    ``setup_seconds`` and ``setup_rss_bytes`` are what imports and clients took before the clock started.
    """

    seconds: float
    cpu_seconds: float
    rss_bytes: int = 0
    server_cpu_seconds: float = 0.0
    setup_seconds: float = 0.0
    setup_rss_bytes: int = 0
    processes: int = 1


def run_command(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], stdin: str = "") -> Sample:
    """Run a command to its end; its output goes to the files ``out`` and ``err`` in ``cwd``.

    Raises:
        WrongResultError: when it fails or hangs; with the end of its messages.
    """
    given, costs = cwd / ".stdin", cwd / ".costs"
    given.write_text(stdin)
    timed = [sys.executable, "-I", "-S", str(_STOPWATCH), str(costs), str(given), *command]
    with (cwd / "out").open("wb") as out, (cwd / "err").open("wb") as err:
        process = subprocess.Popen(timed, cwd=cwd, env=dict(environment), stdout=out, stderr=err)  # noqa: S603 - our own
        try:
            status = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if status != 0:
        tail = (cwd / "err").read_text(errors="replace")[-_TAIL:]
        raise WrongResultError(f"{' '.join(command)[:200]} failed: {tail}")
    return Sample(**json.loads(costs.read_text()))
