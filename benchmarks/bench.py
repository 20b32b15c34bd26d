"""What every leg shares: the run's folders, inputs, servers, and how a contender is run and checked."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from benchmarks.clock import Sample, WrongResultError, run_command
from benchmarks.warm_memory import WARM_VARIABLE, warm_memory

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.inputs import Inputs, Item
    from benchmarks.sizes import Sizes
    from benchmarks.source import Source
    from benchmarks.store_under_test import StoreUnderTest

Truth = Mapping[str, tuple[int, str]]
"""Size and SHA-256 by name."""
_TASK_TIME = ("seconds", "cpu_seconds", "rss_bytes", "setup_seconds", "setup_rss_bytes", "processes")


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that does a leg's work once, and raises when its result is wrong; ``missing`` says why it cannot."""

    name: str
    run: Callable[[], Sample]
    missing: str = ""


@dataclass(slots=True)
class Bench:
    """One run of the benchmark. ``scratch`` is emptied before each contender and after the last."""

    root: Path
    sizes: Sizes
    inputs: Inputs
    source: Source
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def scratch(self) -> Path:
        """Where contenders put their files."""
        return self.root / "scratch"

    def fresh_prefix(self) -> str:
        """Return a key prefix that nobody has used."""
        return f"run-{next(self._numbers):04d}"

    def batches(self, items: Sequence[Item]) -> list[Sequence[Item]]:
        """Divide recordings, each of a conversation of its own, as a plan divides a day into batches."""
        size = self.sizes.job_conversations
        return [items[start : start + size] for start in range(0, len(items), size)]

    def clear(self) -> None:
        """Empty the scratch folder."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        (self.scratch / "files").mkdir(parents=True)
        os.sync()  # the disk must not be busy with what the contender before has written

    def shell(
        self, script: str, extra: Mapping[str, str] | None = None, given: Mapping[str, str] | None = None
    ) -> Sample:
        """Run a script in the emptied scratch folder; ``given`` are files that lie there before the clock starts.

        Raises:
            WrongResultError: when it fails.
        """
        self.clear()
        for name, text in (given or {}).items():
            (self.scratch / name).write_text(text)
        warm_memory(self.sizes.warm_bytes, self.scratch)
        return self._run(["sh", "-ec", script], extra or {}, "")

    def engine(self, leg: str, task: Mapping[str, Any], truth: Truth) -> Sample:
        """Run a leg through the archive, and hold its digests against the truth.

        Several parts are worked off side by side, as Airflow's pool does with the shards of a day; one part in one
        process.

        Raises:
            WrongResultError: when it fails, or a digest is not the true one.
        """
        module = "benchmarks.tasks" if len(task["parts"]) > 1 else "benchmarks.engine"
        return self.python(module, leg, {**task, "folder": str(self.scratch / "files")}, truth)

    def python(self, module: str, leg: str, task: Mapping[str, Any], truth: Truth) -> Sample:
        """Run a module that reports its own clock (its imports are not counted) and its digests.

        Raises:
            WrongResultError: as ``engine``.
        """
        self.clear()
        extra = {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path) or ".",
            WARM_VARIABLE: str(self.sizes.warm_bytes),
            **task.get("environment", {}),
        }
        self._run([sys.executable, "-m", module, leg], extra, json.dumps(task))
        report = json.loads((self.scratch / "out").read_text().splitlines()[-1])
        check(report["digests"], truth)
        return Sample(**{name: report[name] for name in _TASK_TIME if name in report})

    def _run(self, command: list[str], extra: Mapping[str, str], stdin: str) -> Sample:
        return run_command(
            command,
            cwd=self.scratch,
            environment={**_plain_environment(), **extra},
            stdin=stdin,
        )

    def check_openssl(self, truth: Truth) -> None:
        """Hold the output of ``openssl dgst -r`` or ``sha256sum`` against the truth, by the end of each name.

        Raises:
            WrongResultError: when something is missing or different.
        """
        lines = (self.scratch / "sums").read_text().splitlines()
        found = {line[66:].removeprefix("files/"): line[:64] for line in lines}
        wrong = [name for name, (_, digest) in truth.items() if found.get(name) != digest]
        if wrong:
            raise WrongResultError(f"{len(wrong)} of {len(truth)} files are wrong, the first: {wrong[0]}")


def _plain_environment() -> dict[str, str]:
    """Without proxies and credentials of the machine."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    tools = os.path.dirname(sys.executable)  # noqa: PTH120 - a text for PATH; resolving it would leave the venv
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    return {**environment, "PATH": f"{tools}{os.pathsep}{environment.get('PATH', '')}"}


def check(found: Mapping[str, Any], truth: Truth) -> None:
    """Compare size and digest of everything.

    Raises:
        WrongResultError: when something is missing, too much, or different.
    """
    got = {name: tuple(value) for name, value in found.items()}
    if got != dict(truth):
        wrong = [name for name in {*got, *truth} if got.get(name) != truth.get(name)]
        raise WrongResultError(f"{len(wrong)} of {len(truth)} recordings are wrong or missing, the first: {wrong[0]}")


def with_server(sample: Sample, store: StoreUnderTest, before: float) -> Sample:
    """Return the sample with the CPU that the server used meanwhile."""
    return replace(sample, server_cpu_seconds=store.cpu_seconds() - before)
