"""A person's words reach a command as they were typed: neither make nor the shell reads anything into them."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

from demo.options import PROJECT

if TYPE_CHECKING:
    from pathlib import Path


def test_words_of_a_reason_are_neither_run_nor_lost(tmp_path: Path) -> None:
    """Backticks, dollars, quotes and functions of make come through, and nothing of them is executed."""
    planted = tmp_path / "planted"
    reason = f'it\'s "5 $" of `touch {planted}` $5 $(touch {planted}) $(shell touch {planted})'
    make = shutil.which("make") or "make"
    call = [make, "--dry-run", "erase", "CONVERSATION=x", "BY=me", f"REASON={reason}", "LEGAL_BASIS=§ 35"]
    said = subprocess.run(call, cwd=PROJECT, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours
    recipe = said[said.index(".venv/bin/python") :].replace("\\\n", " ")
    assert {f"--reason={reason}", "--legal-basis=§ 35", "--by=me", "--conversation=x"} < set(shlex.split(recipe))
    assert not planted.exists()
