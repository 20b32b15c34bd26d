"""make single takes the connections of the environment, as make run does, and says what is missing."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.demo.test_one_day import NEEDED, PROJECT, UNSET

CONVERSATION = "0f8fad5b-d9cb-469f-a165-70867728950e"


def single(*arguments):
    """Run ``python -m demo single`` with no connection in the environment."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "demo", "single", *arguments],
        cwd=PROJECT,
        env={name: value for name, value in os.environ.items() if name not in UNSET},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_nothing_named_is_refused():
    """Which variables of make name a recording."""
    refused = single("--output-format=wav")
    assert (1, "Give CONVERSATION=uuid") == (refused.returncode, refused.stderr.strip()[:22])


def test_missing_variables_are_one_sentence():
    """As of make run: each is named, and nothing is started."""
    refused = single(f"--conversation={CONVERSATION}")
    (sentence,) = refused.stderr.strip().splitlines()
    assert (1, []) == (refused.returncode, [name for name in NEEDED if name not in sentence])
