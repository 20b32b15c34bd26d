"""The whole catalog from the lake alone: which days were committed, whose they are, and each partition anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.canonical import read_document
from include.errors import ConfigurationError, IntegrityError
from include.lake import key_reading, layout
from include.local_day import LocalDay, date_named
from include.transfer.catalog import catalog_day

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from include.lake.store import LakeStore
    from include.transfer.catalog import Catalogued


def days_to_catalog(lake: LakeStore, zone: ZoneInfo, first: str = "", last: str = "") -> list[LocalDay]:
    """Return the committed days from ``first`` to ``last``, both included; all where neither is given.

    Raises:
        ConfigurationError: when a date is none, or the order is reversed.
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    start = str(date_named(first or last, "DATE")) if first or last else ""
    end = str(date_named(last or first, "END_DATE")) if first or last else "9999-12-31"
    if start > end:
        raise ConfigurationError(f"DATE {start} is after END_DATE {end}.")
    dates = sorted(key_reading.dates_in(lake.list_keys(layout.COMMITS)))
    return [LocalDay.of(date, zone) for date in dates if start <= date <= end]


def rebuild_day(lake: LakeStore, day: LocalDay) -> Catalogued:
    """Build the partition of a committed day anew, whatever stands there, and write it where it differs.

    Raises:
        IntegrityError: when the day's first commit is none, or as ``catalog_day``.
        RetriableError, PermanentError: as the lake raises them.
    """
    key = layout.commit_key(str(day), 1)
    try:
        org = str(read_document(lake.read(key) or b"")["org"])
    except (ValueError, KeyError) as error:
        raise IntegrityError(f"{lake.uri(key)} is no commit.", key=key) from error
    return catalog_day(lake, org, day, rebuild=True)
