"""Where the CPU time of a whole leg goes: ``perf`` counts while the archive works, sorted by whose code ran."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.clock import WrongResultError, run_command
from benchmarks.legs_whole import shard_task
from benchmarks.rivals import Cargo
from benchmarks.tools import find

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.bench import Bench
    from benchmarks.store_under_test import StoreUnderTest

_HERTZ = 499
_LINE = re.compile(r"^\s*(\d+\.\d+)%\s+(\S+)\s+\[(.)\]\s+(\S+)", re.MULTILINE)
_OWNERS = {
    "libcrypto": "SHA-256 (libcrypto)",
    "deflate": "inflate (libdeflate)",
    "isal": "CRC-32, and inflate of large members (ISA-L)",
    "fastcrc": "CRC-32 of Ogg pages (fastcrc)",
    "_awscrt": "CRC64NVME (awscrt)",
    "libz": "zlib",
    "libc.so": "memory copies (libc)",
    "libc-": "memory copies (libc)",
    "python": "Python itself",
}
KERNEL_COPY = "kernel: copying between sockets, files and memory"
KERNEL_OTHER = "kernel: the rest (TCP, pages, scheduling)"
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Profile:
    """Shares of the archive's CPU time, in percent, largest first."""

    title: str
    shares: Mapping[str, float]


def profile_legs(bench: Bench, sink: StoreUnderTest, say: Callable[[str], None]) -> list[Profile]:
    """Profile the four whole legs; nothing where ``perf`` is missing or not permitted."""
    if not find("perf"):
        return []
    inputs = bench.inputs
    cargoes = [
        Cargo.of_files(bench, inputs.singles, "recordings of 1 MB"),
        Cargo.of_files(bench, [inputs.big], "one large recording"),
        Cargo.of_bundle(bench, inputs.deflated, "zip of deflated WAV"),
        Cargo.of_bundle(bench, inputs.stored, "zip of stored Ogg"),
    ]
    try:
        profiles = [Profile(cargo.title, _profiled(bench, sink, cargo)) for cargo in cargoes]
    except (WrongResultError, OSError) as error:
        say(f"no profile: {error}")  # perf is not permitted everywhere
        return []
    for profile in profiles:
        shares = ", ".join(f"{owner} {share:.0f} %" for owner, share in profile.shares.items())
        say(f"profile of {profile.title}: {shares}")
    return profiles


def _profiled(bench: Bench, sink: StoreUnderTest, cargo: Cargo) -> dict[str, float]:
    bench.clear()
    control, data = bench.scratch / "control", bench.scratch / "perf.data"
    os.mkfifo(control)
    asked = shard_task(bench, sink, cargo, bench.fresh_prefix())
    task = {**asked, "folder": str(bench.scratch / "files"), "perf_control": str(control)}
    perf = ["perf", "record", "-q", "-F", str(_HERTZ), "--delay=-1", f"--control=fifo:{control}", "-o", str(data), "--"]
    run_command(
        [*perf, sys.executable, "-m", "benchmarks.engine", "shard"],
        cwd=bench.scratch,
        environment={**os.environ, "PYTHONPATH": str(bench.root.parent)},
        stdin=json.dumps(task),
    )
    report = ["perf", "report", "-i", str(data), "--stdio", "--sort", "dso,symbol", "-w", "0,60,60"]
    return shares_of(subprocess.run(report, capture_output=True, text=True, check=True, timeout=60).stdout)  # noqa: S603 - fixed


def shares_of(report: str) -> dict[str, float]:
    r"""Sort the lines of a ``perf report`` by owner.

    >>> shares_of("  60.00%  libcrypto.so.3  [.] 0x01\n  40.00%  [kernel.kallsyms]  [k] _copy_to_iter")
    {'SHA-256 (libcrypto)': 60.0, 'kernel: copying between sockets, files and memory': 40.0}
    """
    found: Counter[str] = Counter()
    for share, place, ring, symbol in _LINE.findall(report):
        found[_owner(place, ring, symbol)] += float(share)
    return dict(found.most_common())


def _owner(place: str, ring: str, symbol: str) -> str:
    if ring == "k":
        return KERNEL_COPY if "copy" in symbol or "rep_movs" in symbol else KERNEL_OTHER
    return next((owner for word, owner in _OWNERS.items() if word in place), OTHER)
