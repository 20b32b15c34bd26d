"""What lies in the export and is not settled yet, found by listing a window of hours again and again.

Only reads, so a trigger may run it. An hour is listed as long as it is in the window, however often it was before:
what arrives late, out of order, or again with other bytes is found under its hour whenever it comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from include.errors import ConfigurationError
from include.genesys.export_layout import ExportKey, date_of_folders, folder_number
from include.lake.export_ledger import settled_objects
from include.local_day import date_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from include.lake.export_bucket import ExportBucket, ExportObject
    from include.lake.store import LakeStore

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Exported:
    """One object of the export with what its key says; ``is_new`` where the ledger does not name it."""

    object: ExportObject
    key: ExportKey
    is_new: bool


@dataclass(frozen=True, slots=True)
class Window:
    """The UTC dates, both included, under which the export is listed."""

    first: date
    last: date
    also: frozenset[date] = frozenset()
    """Single dates beside them."""

    @classmethod
    def trailing(cls, now: datetime, days: int) -> Window:
        """Return the last ``days`` days up to now (aware), and the next, for clocks that disagree."""
        today = now.astimezone(UTC).date()
        return cls(today - days * ONE_DAY, today + ONE_DAY)

    @classmethod
    def of_local_days(cls, first: date, last: date) -> Window:
        """Return the UTC dates in which conversations of these local days began, in whatever zone."""
        return cls(first - ONE_DAY, last + ONE_DAY)

    @classmethod
    def asked_for(cls, first: str, last: str, now: datetime, days: int) -> Window:
        """Return the window of these local days (``YYYY-MM-DD``, ``last`` empty for one day), or the trailing one.

        Raises:
            ConfigurationError: when a date is none, or they are upside down.
        """
        if not first:
            return cls.trailing(now, days)
        start, end = date_named(first, "start_date"), date_named(last or first, "end_date")
        if end < start:
            raise ConfigurationError(f"end_date {end} lies before start_date {start}")
        return cls.of_local_days(start, end)

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last or day in self.also

    def may_hold(self, year: int, month: int) -> bool:
        """Whether any of the dates lies in this month."""
        first, last = (self.first.year, self.first.month), (self.last.year, self.last.month)
        return first <= (year, month) <= last or any((day.year, day.month) == (year, month) for day in self.also)


def unsettled(export: ExportBucket, lake: LakeStore, org: str, window: Window) -> Iterator[list[Exported]]:
    """Yield the objects of every hour that has a new one, hour by hour.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: as the two buckets raise them.
    """
    return (hour for hour in hours(export, lake, org, window) if any(item.is_new for item in hour))


def hours(export: ExportBucket, lake: LakeStore, org: str, window: Window) -> Iterator[list[Exported]]:
    """Yield all objects of every hour, hour by hour; raises as ``unsettled`` does."""
    for prefix in _day_folders(export, org, window):
        objects = ((item, ExportKey.parse(item.key, org)) for item in export.objects(prefix))
        known = sorted(((item, key) for item, key in objects if key is not None), key=lambda pair: pair[1].hour)
        for hour, pairs in groupby(known, key=lambda pair: pair[1].hour):
            settled = settled_objects(lake, org, hour)
            yield [Exported(item, key, settled.get(item.key) != item.etag) for item, key in pairs]


def has_news(export: ExportBucket, lake: LakeStore, org: str, window: Window) -> bool:
    """Whether anything in the window is not settled; raises as ``unsettled`` does."""
    return any(True for _ in unsettled(export, lake, org, window))


def _day_folders(export: ExportBucket, org: str, window: Window) -> Iterator[str]:
    """Yield the prefixes of the window's days as the export spells them, newest first: there most of the news is."""
    for owner in (org, org.upper()):
        for year, years in _numbered(export, f"{owner}/"):
            for month, months in _numbered(export, years):
                if not window.may_hold(year, month):
                    continue
                for day, days in _numbered(export, months):
                    found = date_of_folders(year, month, day)
                    if found is not None and found in window:
                        yield days


def _numbered(export: ExportBucket, prefix: str) -> Iterable[tuple[int, str]]:
    folders = ((folder_number(folder), prefix + folder) for folder in export.folders(prefix))
    return sorted(((number, folder) for number, folder in folders if number is not None), reverse=True)
