"""Does memory stay the same whatever arrives? A small zip against a large one, to the null sink."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from benchmarks.clock import run_command
from benchmarks.legs_whole import archive
from benchmarks.rivals import Cargo
from benchmarks.verdict import Limit

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench
    from benchmarks.store_under_test import StoreUnderTest

MB = 1_000_000
GROWTH_MOST_PERCENT = 10.0
ABOVE_IDLE_MOST_MB = 150.0


def measure_memory(bench: Bench, sink: StoreUnderTest, say: Callable[[str], None]) -> list[Limit]:
    """Return how much more the large zip takes than the small one, and how much that is above a bare Python.

    Raises:
        WrongResultError: when a recording is missing or wrong.
    """
    inputs = bench.inputs
    small = archive(bench, sink, Cargo.of_bundle(bench, inputs.small_zip, "small zip"))
    large = archive(bench, sink, Cargo.of_bundle(bench, inputs.large_zip, "large zip"))
    bench.clear()
    idle = run_command(
        [sys.executable, "-c", "pass"],
        cwd=bench.scratch,
        environment=dict(os.environ),
    )
    growth = 100 * (large.rss_bytes / small.rss_bytes - 1)
    sizes = f"{inputs.small_zip.size / MB:.0f} MB zip {small.rss_bytes / MB:.0f} MB"
    say(
        f"memory: {sizes}, {inputs.large_zip.size / MB:.0f} MB zip {large.rss_bytes / MB:.0f} MB, bare Python "
        f"{idle.rss_bytes / MB:.0f} MB, with our imports {large.setup_rss_bytes / MB:.0f} MB"
    )
    names = f"{inputs.small_zip.size / MB:.0f} MB zip → {inputs.large_zip.size / MB:.0f} MB zip"
    above = (large.rss_bytes - idle.rss_bytes) / MB
    imported = (large.setup_rss_bytes - idle.rss_bytes) / MB
    return [
        Limit("growth", f"peak RSS, growth from {names}", abs(growth), GROWTH_MOST_PERCENT, "%"),
        Limit(
            "memory", f"peak RSS above a bare Python ({imported:.0f} MB of it imports)", above, ABOVE_IDLE_MOST_MB, "MB"
        ),
    ]
