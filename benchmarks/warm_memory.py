"""Takes memory from the machine's host before a clock starts, so that it is nobody's share of a race.

A virtual machine may give free memory back to its host (Linux: ``page_reporting``, two seconds after it became free, in
blocks of 2 MiB). Whoever needs it next pays for getting it again, which costs more than writing a file does. A program
that starts at once after its forerunner finds what that one left, a Python one is still importing when it goes.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from tempfile import TemporaryFile

WARM_VARIABLE = "BENCHMARK_WARM_BYTES"
_BLOCK = 1024 * 1024


def warm_memory(bytes_: int, folder: Path) -> None:
    """Fill so many bytes of the page cache and let go of them; a pipe's worth of memory is all this process keeps."""
    block = mmap.mmap(-1, _BLOCK)
    with TemporaryFile(dir=folder) as file:
        for _ in range(bytes_ // _BLOCK):
            os.write(file.fileno(), block)


def warm_as_told() -> None:
    """Do it for a contender written in Python, behind its imports, as the environment says."""
    warm_memory(int(os.environ.get(WARM_VARIABLE, "0")), Path.cwd())
