"""Every row of the fault matrix that is listed here has a test that names it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

LENGTHS = {"D": 29, "Z": 22, "M": 13}
"""D: the ranged download of a presigned URL. Z: zips. M: metadata and audio. Other parts are added here."""

ROWS = [f"{letter}{number}" for letter, length in LENGTHS.items() for number in range(1, length + 1)]

_NAMES = re.compile(r"\b([A-Z])(\d+)(?: to \1(\d+))?\b")


def rows_in(docstring: str) -> set[str]:
    """Return the rows that a docstring names before its sentence begins: ``D1, D21: …`` or ``D13 to D15: …``.

    >>> sorted(rows_in("D7 with D1 to D3: the second answer begins where the first one stopped."))
    ['D1', 'D2', 'D3', 'D7']
    """
    named, colon, _ = docstring.partition(":")
    if not colon:
        return set()
    return {
        f"{letter}{number}"
        for letter, first, last in _NAMES.findall(named)
        for number in range(int(first), int(last or first) + 1)
    }


def rows_of_tests() -> dict[str, list[str]]:
    """Return the tests that name a row, by row."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for row in rows_in(ast.get_docstring(node) or ""):
                    found.setdefault(row, []).append(f"{path.relative_to(TESTS)}::{node.name}")
    return found


@pytest.fixture(scope="module")
def named() -> dict[str, list[str]]:
    """Read the tests once."""
    return rows_of_tests()


@pytest.mark.parametrize("row", ROWS)
def test_row_has_a_test(named: dict[str, list[str]], row: str) -> None:
    """A row of the matrix without a test is a fault that nobody has tried."""
    assert row in named, f"no test's docstring begins with {row}"


def test_rows_are_read_from_the_start_of_a_docstring() -> None:
    """A row that is mentioned in passing is not covered by that."""
    assert {"D1", "D21"} == rows_in("D1, D21 over several connections: the part is asked for again.")
    assert {"D13", "D14", "D15"} == rows_in("D13 to D15: no second attempt.")
    assert set() == rows_in("As D1 does.")
