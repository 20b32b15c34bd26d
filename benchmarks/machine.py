"""Facts about the machine that a number means nothing without."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.tools import versions

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Machine:
    """``load`` is the average of the minute before the run began."""

    date: str
    cores: int
    processor: str
    sha_extensions: bool
    memory_bytes: int
    kernel: str
    python: str
    load: float
    tools: Mapping[str, str]


def describe() -> Machine:
    """Return the facts."""
    information = _read("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", information)
    return Machine(
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        cores=os.cpu_count() or 0,
        processor=model[1] if model else platform.processor(),
        sha_extensions=" sha_ni" in information,
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        kernel=platform.release(),
        python=platform.python_version(),
        load=load(),
        tools=versions(),
    )


def load() -> float:
    """Return the load average of the last minute."""
    return os.getloadavg()[0]


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
