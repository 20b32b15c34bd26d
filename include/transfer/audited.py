"""Which days an audit looks at, and how closely."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from include.audit.standing import Standing
from include.errors import ConfigurationError, IntegrityError
from include.lake.commit import read_head
from include.local_day import ONE_DAY, LocalDay, date_named, requested_days
from include.transfer.nights import committed_days, first_night
from include.transfer.second_look import SecondLook

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from include.lake.store import LakeStore
    from include.settings import ArchiveSettings
    from include.transfer.holes import MetadataSource

MISSED_DAYS_MAX = 7
"""Of days that nobody archived, and of those that nobody closed, in one morning; what is left has the next."""

OFFSET_MAX = 3660
"""Ten years back: further is a slip of the pen."""


def audited_days(
    lake: LakeStore,
    settings: ArchiveSettings,
    org: str,
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
    then looks at the days it was meant for, and at some that nights and mornings before it have missed: Airflow makes
    up for no run that it was away for. ``offsets`` is a JSON list of days before today. A day before the first
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
    back = _offsets(offsets)
    wanted = {today - timedelta(days=offset) for offset in back}
    committed = tuple(committed_days(lake))
    begin = first_night(lake, committed)
    if not begin:
        return ()
    first = date_named(begin, "the day of a commit")
    if night:
        there = frozenset(committed)
        wanted.update(_never_planned(there, wanted, max(first, today - timedelta(days=max(back))), today))
        over = today - timedelta(days=settings.late_window_days)
        wanted.update(day for day in _week_before(over) if str(day) in there and _is_unlooked(lake, org, day, zone))
    days = (LocalDay(day, zone) for day in sorted(wanted) if day >= first)
    return tuple(day for day in days if day.start < day.end)


def _never_planned(committed: Collection[str], wanted: Collection[date], first: date, today: date) -> list[date]:
    """Return the oldest days that no night has archived and nobody is about to."""
    span = (first + number * ONE_DAY for number in range((today - first).days))
    return [day for day in span if str(day) not in committed and day not in wanted][:MISSED_DAYS_MAX]


def _week_before(day: date) -> Iterator[date]:
    return (day - number * ONE_DAY for number in range(1, MISSED_DAYS_MAX + 1))


def _is_unlooked(lake: LakeStore, org: str, day: date, zone: ZoneInfo) -> bool:
    """Whether the late window of a day has ended without an audit that would have closed it."""
    try:
        head = read_head(lake, org, LocalDay(day, zone))
        standing = Standing.of_summary(head.summary) if head else None
    except (IntegrityError, ValueError):
        return False  # its own runs say so, and ``verify``
    return standing is not None and not standing.window_over and not standing.not_looked_up


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
