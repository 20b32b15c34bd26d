"""What a killed worker costs: SIGKILL at random points of one large recording, then the next try carries on.

What was fetched twice is what the source sent beyond the file's size, by the source's own log.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from benchmarks.bench import check
from benchmarks.clock import WrongResultError
from benchmarks.legs_whole import shard_task
from benchmarks.read_back import check_stored
from benchmarks.rivals import Cargo
from benchmarks.verdict import Limit
from include.settings import ArchiveSettings, LakeLocation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.bench import Bench
    from benchmarks.store_under_test import StoreUnderTest

TRY_SECONDS = 120.0
_POLL_SECONDS = 0.002
_SENT = re.compile(r"/big\.wav \d+ (\d+)")


def measure_resume(bench: Bench, sink: StoreUnderTest, say: Callable[[str], None]) -> list[Limit]:
    """Return how many bytes each kill made the archive fetch again.

    Raises:
        WrongResultError: when the recording is wrong in the end, or a try hangs.
    """
    big, kills = bench.inputs.big, bench.sizes.kills
    cargo = Cargo.of_files(bench, [big], "killed")
    task = {**shard_task(bench, sink, cargo, bench.fresh_prefix()), "folder": str(bench.scratch / "files")}
    bench.clear()
    bench.source.sent_log.write_text("")
    # Every try adds a random share of an even one, so that all kills fall inside the file, at no point twice.
    dice = random.Random(1)  # noqa: S311 - a repeatable choice of moments
    share = big.size / (kills + 1)
    killed = 0
    for number in range(kills):
        killed += _killed_try(bench, task, (number + dice.uniform(0.2, 1.0)) * share)
    output = _whole_try(bench, task)
    check(output["digests"], {big.recording_id: (big.size, big.sha256)})
    check_stored(sink, f"{task['prefix']}/media/", [big], besides=1)
    again = _settled(bench.source.sent_log) - big.size
    chunk = ArchiveSettings(lake=LakeLocation("unused")).chunk_bytes
    per_kill = again / max(killed, 1) / 1e6
    say(f"resume: {killed} kills of {kills}, {again / 1e6:.1f} MB fetched again, {per_kill:.2f} MB a kill")
    name = f"fetched again after each of {killed} SIGKILLs in {big.size / 1e6:.0f} MB (at most one chunk)"
    return [Limit("resume", name, per_kill, chunk / 1e6, "MB")]


def _start(task: dict[str, Any], output: Path) -> subprocess.Popen[bytes]:
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.engine", "shard"],
            stdin=subprocess.PIPE,
            stdout=out,
            env=dict(os.environ),
        )
    with contextlib.suppress(BrokenPipeError), process.stdin or contextlib.nullcontext() as given:  # type: ignore[union-attr]
        given.write(json.dumps(task).encode())
    return process


def _killed_try(bench: Bench, task: dict[str, Any], at_bytes: float) -> bool:
    """Begin, and kill as soon as the source has sent so much in all tries; false if the try was over by then."""
    process = _start(task, bench.scratch / "out")
    deadline = time.monotonic() + TRY_SECONDS
    while process.poll() is None and _sent(bench.source.sent_log) < at_bytes:
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise WrongResultError("a try made no progress")
        time.sleep(_POLL_SECONDS)
    ended = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.wait()
    _settled(bench.source.sent_log)
    return not ended


def _whole_try(bench: Bench, task: dict[str, Any]) -> dict[str, Any]:
    output = bench.scratch / "out"
    process = _start(task, output)
    try:
        status = process.wait(TRY_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise WrongResultError("the last try did not end") from None
    if status != 0:
        raise WrongResultError(f"the last try ended with status {status}")
    result: dict[str, Any] = json.loads(output.read_text())
    return result


def _sent(log: Path) -> int:
    try:
        return sum(int(size) for size in _SENT.findall(log.read_text()))
    except FileNotFoundError:
        return 0


def _settled(log: Path) -> int:
    """Return what was sent in all, once the server has written down what the kill broke off."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 0.3:  # noqa: PLR2004 - nginx notes a reset at once; a third of a second is ample
        now = _sent(log)
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.02)
    return last
