"""What the tests of this folder share: one ground for the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.ground import Ground, ground_for

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def ground(object_store, lake_client, tmp_path_factory) -> Iterator[Ground]:
    """Return the ground of a day that ends settled."""
    with ground_for(object_store, lake_client, tmp_path_factory.mktemp("varied"), scenario="varied") as opened:
        yield opened


@pytest.fixture(scope="session")
def spoiled_ground(object_store, lake_client, tmp_path_factory) -> Iterator[Ground]:
    """Return the ground of a day with one body that is no audio."""
    with ground_for(object_store, lake_client, tmp_path_factory.mktemp("spoiled"), scenario="spoiled") as opened:
        yield opened
