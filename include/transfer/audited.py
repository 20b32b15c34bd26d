"""Which days an audit looks at, and how closely."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from include.errors import ConfigurationError
from include.local_day import ONE_DAY, LocalDay, date_named, requested_days
from include.transfer.nights import committed_days, first_night
from include.transfer.second_look import SecondLook

if TYPE_CHECKING:
    from datetime import date, datetime

    from include.lake.store import LakeStore
    from include.settings import ArchiveSettings
    from include.transfer.holes import MetadataSource

OFFSET_MAX = 3660
"""Ten years back: further is a slip of the pen."""


def audited_days(
    lake: LakeStore,
    settings: ArchiveSettings,
    *,
    dates: tuple[str, str],
    night: str,
    offsets: str,
    now: datetime,
    accept_empty: bool = False,
) -> tuple[LocalDay, ...]:
    """Return the days of an audit, the oldest first: those that were asked for, or some days back from today.

    ``dates`` are the first and the last day as text, both empty where the offsets count. ``night`` is the local date
    that the nightly run of the same day archived, empty in a run by hand: a run that is late, or cleared weeks later,
    then looks at the days it was meant for. ``offsets`` is a JSON list of days before today. A day before the first
    night in the lake was never meant to be archived; one after it that has no commit is a gap, and is planned.
    ``accept_empty`` is a person's word about days, so these must be named.

    Raises:
        ConfigurationError: when a date or an offset is none, or ``accept_empty`` has no dates; the sentence says which.
        RetriableError, PermanentError: as the lake raises them.
    """
    zone = settings.timezone
    if any(dates):
        return requested_days(*dates, now=now, zone=zone, days_max=settings.days_max)
    if accept_empty:
        raise ConfigurationError(
            "accept_empty needs start_date, and end_date where it is more than one day: it releases the held days that "
            "you name and looked at, and none that the offsets happen to reach."
        )
    today = date_named(night, "the night") + ONE_DAY if night else now.astimezone(zone).date()
    first = _first_day(lake)
    wanted = {today - timedelta(days=offset) for offset in _offsets(offsets)}
    return tuple(LocalDay(day, zone) for day in sorted(wanted) if first is not None and day >= first)


def look_of(
    source: MetadataSource, settings: ArchiveSettings, *, only_failed: bool, ask_each: bool
) -> SecondLook | None:
    """Return how closely to look: at nothing that is settled, at exclusions, or at each conversation."""
    return None if only_failed else SecondLook(source, settings.audit_lookups_max, archived_too=ask_each)


def _offsets(text: str) -> list[int]:
    try:
        offsets = json.loads(text)
    except ValueError:
        offsets = None
    is_list = isinstance(offsets, list) and bool(offsets)
    if not is_list or not all(type(item) is int and 0 < item <= OFFSET_MAX for item in offsets):
        raise ConfigurationError(f"offsets must be a list of days before today like [1, 3, 7, 30], not {text!r}.")
    return list(offsets)


def _first_day(lake: LakeStore) -> date | None:
    """Return the first day that was archived as a whole; counting from a day before it, an audit would archive more."""
    day = first_night(lake, committed_days(lake))
    return date_named(day, "the day of a commit") if day else None
