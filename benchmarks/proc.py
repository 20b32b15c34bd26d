"""What processes used, as the kernel counts it."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds_of_tree(pid: int) -> float:
    """User and system time of a process, of those below it, and of their children that have ended."""
    total = 0.0
    for one in tree(pid):
        fields = _stat(one)
        total += sum(int(value) for value in fields[11:15]) / _TICKS if fields else 0.0
    return total


def tree(pid: int) -> list[int]:
    """Return the process and all below it."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def _stat(pid: int) -> list[str]:
    try:
        # The command's name stands in brackets and may hold blanks.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
