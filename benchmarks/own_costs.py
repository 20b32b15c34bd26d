"""What a Python contender measures of itself, so that its imports are not counted."""

from __future__ import annotations

import re
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.warm_memory import warm_as_told

if TYPE_CHECKING:
    from collections.abc import Callable

_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


def peak_bytes() -> int:
    """Return the peak of this process since it became this program; ``ru_maxrss`` would count who started it."""
    match = _PEAK.search(Path("/proc/self/status").read_text())
    return int(match[1]) * 1024 if match else 0


def cpu_seconds() -> float:
    """Return user and system time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measured(act: Callable[[], object]) -> dict[str, object]:
    """Run once; return costs and result under the names of ``Sample``."""
    setup = time.process_time()
    setup_rss = peak_bytes()
    warm_as_told()
    before = cpu_seconds()
    begun = time.perf_counter()
    digests = act()
    seconds = time.perf_counter() - begun
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds() - before,
        "rss_bytes": peak_bytes(),
        "setup_seconds": setup,
        "setup_rss_bytes": setup_rss,
        "digests": digests,
    }
