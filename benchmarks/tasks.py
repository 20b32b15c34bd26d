"""Runs the parts of a leg as Airflow does its mapped tasks: some processes, and each takes the next part when free.

How many at once is what the download pool as shipped and this machine's cores allow. Reads and writes what ``engine``
does. The processes are there, with their imports and clients, before the one clock starts, which is this process's own:
from the signal to all of them until the last part is done.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.engine import LEGS, Act, Digests, Task, joined
from benchmarks.own_costs import cpu_seconds, peak_bytes
from benchmarks.slots import tasks_at_once
from benchmarks.warm_memory import warm_as_told

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

READY_SECONDS = 60.0


@dataclass(slots=True)
class Worker:
    """What one process has ready: the parts, any of which it may be given, and what that took."""

    acts: list[Act] = field(default_factory=list)
    clients: ExitStack = field(default_factory=ExitStack)
    setup_seconds: float = 0.0
    setup_rss_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """What one part cost in the process that did it, and what it moved."""

    cpu_seconds: float
    rss_bytes: int
    setup_seconds: float
    setup_rss_bytes: int
    digests: Digests


_here = Worker()


def _prepare(leg: str, task: Task, gate: Barrier) -> None:
    _here.acts = LEGS[leg](task, _here.clients)
    _here.setup_seconds, _here.setup_rss_bytes = time.process_time(), peak_bytes()
    gate.wait(READY_SECONDS)  # everybody is there
    gate.wait(READY_SECONDS)  # the signal


def _do(number: int) -> Done:
    before = cpu_seconds()
    digests = _here.acts[number]()
    return Done(cpu_seconds() - before, peak_bytes(), _here.setup_seconds, _here.setup_rss_bytes, digests)


def run(leg: str, task: Task) -> dict[str, object]:
    """Run all parts; return costs and result under the names of ``Sample``."""
    parts = len(task["parts"])
    processes = tasks_at_once(parts, len(os.sched_getaffinity(0)))
    # Spawned and not forked: what this process holds in memory must not count as theirs.
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(processes + 1)
    with ProcessPoolExecutor(processes, context, _prepare, (leg, task, gate)) as pool:
        futures = [pool.submit(_do, number) for number in range(parts)]
        gate.wait(READY_SECONDS)
        warm_as_told()
        begun = time.perf_counter()
        gate.wait(READY_SECONDS)
        done = [future.result() for future in futures]
        seconds = time.perf_counter() - begun
    return {
        "seconds": seconds,
        "cpu_seconds": sum(part.cpu_seconds for part in done),
        "rss_bytes": max(part.rss_bytes for part in done),
        "setup_seconds": max(part.setup_seconds for part in done),
        "setup_rss_bytes": max(part.setup_rss_bytes for part in done),
        "processes": processes,
        "digests": joined(part.digests for part in done),
    }


if __name__ == "__main__":
    json.dump(run(sys.argv[1], json.load(sys.stdin)), sys.stdout)
