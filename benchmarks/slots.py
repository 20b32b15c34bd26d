"""How many tasks Airflow runs at once of those that move media."""

from __future__ import annotations

import json
from pathlib import Path

_POOLS = Path(__file__).resolve().parent.parent / "deploy" / "pools.json"


def download_slots() -> int:
    """Return the slots of the download pool as it is shipped."""
    slots: int = json.loads(_POOLS.read_text("utf-8"))["recording_download"]["slots"]
    return slots


def tasks_at_once(shards: int, cores: int) -> int:
    """Return how many of so many mapped tasks run side by side.

    >>> tasks_at_once(shards=5, cores=2), tasks_at_once(shards=1, cores=2)
    (2, 1)
    """
    return min(shards, cores, download_slots())
