"""Finds a recording by its id alone: the catalog is the one place of the lake that is not ordered by conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from include.lake import key_reading, layout

if TYPE_CHECKING:
    from include.lake.store import LakeStore

COLUMNS = ["conversation_id", "recording_id"]


def place_of_recording(lake: LakeStore, recording_id: str) -> tuple[str, str] | None:
    """Return conversation and day of a recording that the catalog knows, newest day first: one read for each day.

    What lies under no day of its own is taken last: the same recording may have been archived under its call since.
    A partition that cannot be read is passed over, since it is a cache.

    Raises:
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    dates = key_reading.dates_in(lake.list_keys(layout.CATALOG_TABLE))
    for date in sorted(dates, reverse=True):
        conversation_id = _conversation_in(lake.read(layout.catalog_key(date)) or b"", recording_id)
        if conversation_id is not None:
            return conversation_id, date
    return None


def _conversation_in(partition: bytes, recording_id: str) -> str | None:
    try:
        table = pq.read_table(
            pa.BufferReader(partition), columns=COLUMNS, filters=[("recording_id", "=", recording_id)]
        )
    except (pa.ArrowInvalid, OSError, KeyError):
        return None
    found = table.column("conversation_id").to_pylist()
    return str(found[0]) if found and layout.is_uuid(found[0]) else None
