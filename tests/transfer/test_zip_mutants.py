"""Ten thousand damaged zips, and bombs, each read in a child process under hard limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.transfer import zip_bombs

PROJECT = Path(__file__).parents[2]
MUTANTS = 10_000
WALL_SECONDS = 60


def run(folder: Path, module: str, *arguments: str) -> dict[str, float]:
    """Run a program of the tests in a folder of its own and return its answer."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        timeout=WALL_SECONDS,
        check=False,
    )
    assert (0, b"") == (done.returncode, done.stderr)
    return json.loads(done.stdout)


def test_no_mutant_is_read_as_something_else(tmp_path: Path) -> None:
    """Z20, Z21: all content or a refusal; no other exception, no file anywhere, no hang, within 512 MB and bounded CPU.

    Two hundred thousand more were read clean by hand: ``python -m tests.transfer.zip_mutants 300000``.
    """
    found = run(tmp_path, "tests.transfer.zip_mutants", str(MUTANTS))
    assert (0, 0) == (found["different"], found["unmapped"])
    assert found["refused"] + found["accepted"] == MUTANTS
    assert found["accepted"] > MUTANTS * 0.02  # the damage is not so coarse that everything would be refused
    assert len([reason for reason in found if reason.startswith("reason")]) > 15
    assert found["slowest_seconds"] < 5
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", zip_bombs.BOMBS)
def test_bombs_are_refused_at_once(tmp_path: Path, name: str) -> None:
    """Z15, Z21: refused, or bounded by what they declare, within two seconds and 64 MB, and no file is written."""
    found = run(tmp_path, "tests.transfer.zip_bombs", name)
    assert name == found["bomb"]
    assert zip_bombs.BOMBS[name].reason == found["reason"]
    assert found["seconds"] < 2
    assert found["grown_bytes"] < 64 * 1024**2
    assert found["read_bytes"] <= zip_bombs.BOMBS[name].read_bytes_max
    assert [] == list(tmp_path.iterdir())
