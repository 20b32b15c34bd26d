"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "include").rglob("*.py")
    if ">>> " in path.read_text()
)


@pytest.mark.parametrize("module", MODULES)
def test_examples_are_true(module: str) -> None:
    """Every example of a module gives what is written below it, and there is at least one."""
    outcome = doctest.testmod(import_module(module), optionflags=doctest.ELLIPSIS)
    assert 0 == outcome.failed
    assert outcome.attempted > 0
