"""The harness itself, on small inputs: it runs, it notices wrong bytes, and it leaves nothing behind."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from benchmarks.bench import Bench
from benchmarks.clock import WrongResultError
from benchmarks.engine import joined
from benchmarks.inputs import make_inputs
from benchmarks.legs_download import download_legs
from benchmarks.legs_whole import Places, archive, whole_legs
from benchmarks.memory import measure_memory
from benchmarks.proc import tree
from benchmarks.race import race
from benchmarks.resume import measure_resume
from benchmarks.rivals import SHELL, Cargo
from benchmarks.sizes import MB, QUICK
from benchmarks.slots import download_slots, tasks_at_once
from benchmarks.source import running_source
from benchmarks.store_under_test import null_sink
from benchmarks.story import NULL_TIMES
from benchmarks.verdict import ONE_TASK, OURS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.store_under_test import StoreUnderTest

SIZES = replace(
    QUICK,
    big_bytes=72 * MB,
    singles=6,
    job_conversations=2,
    bundle_members=6,
    bundle_conversations=3,
    large_zip_bytes=20 * MB,
    kills=1,
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Return small inputs behind a running source."""
    root = tmp_path_factory.mktemp("bench")
    inputs = make_inputs(root / "www", SIZES)
    with running_source(root / "run", inputs) as source:
        yield Bench(root, SIZES, inputs, source)


@pytest.fixture(scope="module")
def sink(bench: Bench) -> Iterator[StoreUnderTest]:
    """Return the null S3 sink."""
    with null_sink(bench.root / "run") as store:
        yield store


def test_download_legs(bench: Bench) -> None:
    """Every download leg runs, and whoever is installed brings the true bytes."""
    for leg in download_legs(bench):
        result = race(leg, 1, lambda _: None)
        assert all(row.missing or row.seconds > 0 for row in result.rows)
        assert result.row(OURS).rss_bytes > 0
        assert (leg.key == "download-singles") == (ONE_TASK in {row.name for row in result.rows})


def test_whole_legs(bench: Bench, sink: StoreUnderTest) -> None:
    """All four whole legs arrive in the sink: what we say, and what it counted."""
    for leg in whole_legs(bench, Places(sink, NULL_TIMES)):
        result = race(leg, 1, lambda _: None)
        own = {OURS, ONE_TASK} if leg.key == "null-singles" else {OURS}
        assert {*own, SHELL} == {row.name for row in result.rows}


def test_batches_run_side_by_side(bench: Bench, sink: StoreUnderTest) -> None:
    """Three batches of recordings are three shards for as many processes as may run; one task is one process."""
    cargo = Cargo.of_files(bench, bench.inputs.singles, "singles")
    cores = len(os.sched_getaffinity(0))

    assert min(3, cores) == archive(bench, sink, cargo).processes
    assert 1 == archive(bench, sink, cargo, in_one_task=True).processes


def test_what_bounds_the_processes() -> None:
    """No more tasks run at once than there are shards, cores, or slots of the download pool as shipped."""
    assert [2, 3, download_slots()] == [tasks_at_once(2, 64), tasks_at_once(500, 3), tasks_at_once(500, 64)]


def test_one_shard_that_fails_fails_the_run(bench: Bench, sink: StoreUnderTest) -> None:
    """A recording that one of the processes cannot archive stops the run with its reason."""
    missing = bench.inputs.folder / bench.inputs.singles[-1].name
    content = missing.read_bytes()
    missing.unlink()
    try:
        with pytest.raises(WrongResultError, match=r"(?s)tasks shard failed.*nothing is missing of"):
            archive(bench, sink, Cargo.of_files(bench, bench.inputs.singles, "a hole"))
    finally:
        missing.write_bytes(content)


def test_nothing_is_moved_twice() -> None:
    """A recording in the results of two parts does not hide behind its namesake."""
    with pytest.raises(SystemExit, match="1 recordings were moved twice, one of them: a"):
        joined([{"a": [1, "x"], "b": [1, "y"]}, {"a": [1, "x"]}])


def test_wrong_bytes_are_noticed(bench: Bench, sink: StoreUnderTest) -> None:
    """A result whose digest is not the true one stops the run, however fast it was."""
    first, *others = bench.inputs.singles
    with altered(bench.inputs.folder / first.name), pytest.raises(WrongResultError, match="1 of 6"):
        archive(bench, sink, Cargo.of_files(bench, [first, *others], "altered"))
    singles = next(leg for leg in download_legs(bench) if leg.key == "download-singles")
    curl = next(rival for rival in singles.contenders if rival.name == "curl")
    with altered(bench.inputs.folder / first.name), pytest.raises(WrongResultError, match="wrong"):
        curl.run()


def test_memory_and_resume(bench: Bench, sink: StoreUnderTest) -> None:
    """Memory and resume are measured to the end, and both come to plausible numbers."""
    growth, above = measure_memory(bench, sink, lambda _: None)
    (again,) = measure_resume(bench, sink, lambda _: None)

    assert growth.value < 100
    assert 0 < above.value < 500
    assert 0 <= again.value <= SIZES.big_bytes / MB


def test_stand_ins(bench: Bench, sink: StoreUnderTest) -> None:
    """Without nginx and without a compiler the same bytes arrive, large and small, alone and in a zip."""
    del sink  # started first, so that both sinks are alive at once
    inputs = bench.inputs
    with (
        running_source(bench.root / "plain", inputs, with_nginx=False) as source,
        null_sink(bench.root / "plain", compiled=False) as store,
    ):
        plain = replace(bench, source=source)
        assert ("Python" in source.software, "Python" in store.name) == (True, True)
        archive(plain, store, Cargo.of_files(plain, inputs.singles, "singles"))
        archive(plain, store, Cargo.of_files(plain, [inputs.big], "big"))
        archive(plain, store, Cargo.of_bundle(plain, inputs.deflated, "zip"))


def test_servers_end_with_their_block(bench: Bench) -> None:
    """A server of the benchmark is gone when its block ends."""
    with null_sink(bench.root / "second") as store:
        assert len(tree(store.pid)) > 1
        pids = tree(store.pid)

    assert [] == [pid for pid in pids if _is_alive(pid)]


@contextmanager
def altered(path: Path) -> Iterator[None]:
    """Change one byte in the middle of a file for the length of the block."""
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    try:
        yield
    finally:
        path.write_bytes(content)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
