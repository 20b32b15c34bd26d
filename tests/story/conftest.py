"""What the tests of the story share: a desk with one shard on it, and a day to erase a conversation from."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.story.desk import Desk, desk
from tests.story.erased_day import ErasedDay, lake_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from include.lake.protection import Protection
    from include.lake.store import LakeStore


@pytest.fixture
def table(lake: LakeStore, tmp_path: Path) -> Iterator[Desk]:
    """Return a desk with an empty lake and an empty shelf."""
    with desk(lake, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def locking_bucket(lake_client: Any) -> str:
    """Name a bucket with versions and Object Lock."""
    name = f"erasing-{uuid4().hex}"
    lake_client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


@pytest.fixture
def opened(lake_client: Any, locking_bucket: str, tmp_path: Path) -> Callable[..., AbstractContextManager[ErasedDay]]:
    """Return a way to open a day that is archived, on a bucket with versions unless another lake is given."""

    @contextmanager
    def open_day(protection: Protection | None = None, lake: LakeStore | None = None) -> Iterator[ErasedDay]:
        chosen = lake or lake_in(lake_client, locking_bucket, protection)
        with desk(chosen, tmp_path) as table:
            day = ErasedDay(table)
            day.archive()
            yield day

    return open_day
