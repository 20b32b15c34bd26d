"""How long recordings took from the end of their call to the archive, by what stands beside them in the lake."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING

from include.audit.figures import Latency
from include.outcome import Outcome

if TYPE_CHECKING:
    from include.audit.reconcile import DayState
    from include.lake.store import LakeStore

SAMPLE_MAX = 1000
"""Documents read for one day: every n-th by key, which says nothing of when a recording came; the same ones again."""
READERS = 16


def day_latency(lake: LakeStore, state: DayState) -> Latency | None:
    """Return the latency of a day's archived recordings, ``None`` where none tells both its moments.

    Raises:
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    keys = sorted(
        item.metadata_key
        for items in state.items.values()
        for item in items
        if item.outcome is Outcome.ARCHIVED and item.metadata_key
    )
    step = -(-len(keys) // SAMPLE_MAX) or 1
    with ThreadPoolExecutor(READERS, thread_name_prefix="custody") as pool:
        bodies = pool.map(lake.read, keys[::step])
        return Latency.of(seconds for body in bodies if (seconds := seconds_to_archive(body)) is not None)


def seconds_to_archive(body: bytes | None) -> int | None:
    """Return the seconds between the end of a call and the acquisition that a recording's metadata names.

    ``None`` where one of the two is not known, and where the clocks contradict each other.

    >>> seconds_to_archive(b'{"conversation":{"end":"2026-01-05T23:59:00Z"},'
    ...     b'"source":{"acquired_at":"2026-01-06T00:00:00.500+00:00"}}')
    60
    """
    try:
        document = json.loads(body or b"")
        ended = datetime.fromisoformat(document["conversation"]["end"])
        acquired = datetime.fromisoformat(document["source"]["acquired_at"])
        seconds = int((acquired - ended).total_seconds())
    except (ValueError, KeyError, TypeError):
        return None
    return seconds if seconds >= 0 else None
