"""What the tests of the story share: a desk with one shard on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.story.desk import Desk, desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from include.lake.store import LakeStore


@pytest.fixture
def table(lake: LakeStore, tmp_path: Path) -> Iterator[Desk]:
    """Return a desk with an empty lake and an empty shelf."""
    with desk(lake, tmp_path) as opened:
        yield opened
