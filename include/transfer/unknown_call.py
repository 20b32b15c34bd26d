"""What was fetched of a conversation by a media id alone, before anybody knew whose it was: where else to look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.lake import key_reading, layout
from include.local_day import LocalDay

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from include.lake.store import LakeStore


def copies_under_no_call(
    lake: LakeStore, org: str, zone: ZoneInfo, conversation_id: str, keys: Iterable[str]
) -> tuple[tuple[LocalDay, str], ...]:
    """Return day and id under which recordings of these media keys also lie; those are no conversation's.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: as the lake raises them.
    """
    day = LocalDay.of(layout.UNKNOWN_CALL_DATE, zone)
    read = map(key_reading.MediaKey.parse, keys)
    recordings = sorted({key.identity.recording_id for key in read if key} - {conversation_id})
    return tuple(
        (day, recording_id)
        for recording_id in recordings
        if any(lake.versions.list(layout.conversation_prefix(org, str(day), recording_id)))
    )
