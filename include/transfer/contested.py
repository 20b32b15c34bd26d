"""Recordings of which two ways brought different bytes: what the lake has of them is recognised by no number.

The other bytes lie in quarantine under a reason of their own, and stay there when the day has settled it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.lake import key_reading, layout

if TYPE_CHECKING:
    from include.lake.store import LakeStore

EXPORT_CONFLICT = "export_conflict"


def contested_recordings(lake: LakeStore, date: str) -> frozenset[tuple[str, str]]:
    """Return conversation and recording of each such recording of a day: one listing, which is almost always empty.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: as the lake raises them.
    """
    keys = lake.list_keys(layout.quarantine_reason_prefix(date, EXPORT_CONFLICT))
    return frozenset((key_reading.conversation_in(key), key_reading.recording_in(key)) for key in keys)
