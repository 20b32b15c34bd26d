"""One run from beginning to end: inputs, servers, every leg against its rivals, memory, resume, profile, documents."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks import machine
from benchmarks.bench import Bench
from benchmarks.inputs import make_inputs
from benchmarks.legs_download import download_legs
from benchmarks.legs_whole import Places, whole_legs
from benchmarks.memory import measure_memory
from benchmarks.physics import measure_ceilings
from benchmarks.profile import profile_legs
from benchmarks.race import race
from benchmarks.resume import measure_resume
from benchmarks.source import running_source
from benchmarks.store_under_test import null_sink, seaweedfs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.machine import Machine
    from benchmarks.physics import Ceiling
    from benchmarks.profile import Profile
    from benchmarks.sizes import Sizes
    from benchmarks.verdict import LegResult, Limit

NULL_TIMES = {"singles": 1.6, "big": 1.6, "deflated": 2.5, "stored": 2.5}
SERVER_TIMES = dict.fromkeys(NULL_TIMES, 1.2)
OTHERS_TIMES = 1.5
EXTRAS = ("memory", "resume", "profile", "ceilings")


class DiskTooSmallError(Exception):
    """The run would fill the disk."""


@dataclass(slots=True)
class Results:
    """Everything one run found."""

    machine: Machine
    source: str = ""
    load_after: float = 0.0
    legs: list[LegResult] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    ceilings: list[Ceiling] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Choice:
    """What to run: all of it where ``words`` is empty, else what has one of them in its name."""

    words: tuple[str, ...] = ()

    def takes(self, key: str) -> bool:
        """Whether a leg or an extra is wanted."""
        return not self.words or any(word in key for word in self.words)


def run_benchmarks(root: Path, sizes: Sizes, choice: Choice, say: Callable[[str], None], *, keep: bool) -> Results:
    """Measure, and leave nothing behind but the inputs where ``keep`` says so.

    Raises:
        DiskTooSmallError: before anything is written.
        WrongResultError: when anybody's result is wrong.
        ComponentError: when a server does not start.
    """
    root.mkdir(parents=True, exist_ok=True)
    _check_disk(root, sizes, say)
    results = Results(machine.describe())
    try:
        say("making the inputs ...")
        inputs = make_inputs(root / "www", sizes)
        with running_source(root / "run", inputs) as source:
            results.source = source.software
            bench = Bench(root, sizes, inputs, source)
            _measure(bench, choice, results, say)
    finally:
        for name in ("scratch", "run", "weed", "airflow", *(() if keep else ("www",))):
            shutil.rmtree(root / name, ignore_errors=True)
    results.load_after = machine.load()
    return results


def _measure(bench: Bench, choice: Choice, results: Results, say: Callable[[str], None]) -> None:
    sizes = bench.sizes
    if choice.takes("ceilings"):
        results.ceilings = measure_ceilings(bench)
    with ExitStack() as stack:
        sink = stack.enter_context(null_sink(bench.root / "run"))
        legs = [*download_legs(bench), *whole_legs(bench, Places(sink, NULL_TIMES))]
        results.legs += [race(leg, sizes.repeats, say) for leg in legs if choice.takes(leg.key)]
        if choice.takes("memory"):
            results.limits += measure_memory(bench, sink, say)
        if choice.takes("resume"):
            results.limits += measure_resume(bench, sink, say)
        if choice.takes("profile"):
            results.profiles = profile_legs(bench, sink, say)
    for key in SERVER_TIMES:
        if choice.takes(f"weed-{key}"):
            results.legs.append(_race_on_server(bench, key, say))


def _race_on_server(bench: Bench, key: str, say: Callable[[str], None]) -> LegResult:
    """Race on a server of its own: SeaweedFS gives no space back at once, and four legs would need a large disk."""
    with seaweedfs(bench.root / "weed") as server:
        legs = whole_legs(bench, Places(server, SERVER_TIMES, OTHERS_TIMES))
        return race(next(leg for leg in legs if leg.key.endswith(key)), bench.sizes.server_repeats, say)


def _check_disk(root: Path, sizes: Sizes, say: Callable[[str], None]) -> None:
    free = shutil.disk_usage(root).free
    say(f"{free / 1e9:.0f} GB free below {root}, up to {sizes.disk_bytes / 1e9:.1f} GB needed")
    if free < sizes.disk_bytes:
        raise DiskTooSmallError(f"{sizes.disk_bytes / 1e9:.0f} GB are needed below {root}")
