"""Calendar days of the organisation, and what they are in UTC.

A conversation belongs to the local day on which it started. Days have 23, 24 or 25 hours; their bounds partition time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Self

from include.errors import ConfigurationError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
EARLIEST = date(1970, 1, 1)
"""The first day that may be asked for: what lies before it is a slip, and would be archived as a day without calls."""


@dataclass(frozen=True, slots=True)
class LocalDay:
    """One calendar day in one time zone."""

    date: date
    zone: ZoneInfo

    @classmethod
    def of(cls, text: str, zone: ZoneInfo) -> Self:
        """Read ``YYYY-MM-DD``.

        Raises:
            ConfigurationError: when it is no such date.
        """
        return cls(date_named(text, "the day"), zone)

    @property
    def start(self) -> datetime:
        """First instant, in UTC.

        Where the clocks skip midnight, this is the instant of the change: ``fold=0`` reads the missing 00:00 with the
        offset before it.
        """
        return datetime.combine(self.date, time.min, self.zone).astimezone(UTC)

    @property
    def end(self) -> datetime:
        """First instant of the next day, in UTC: the day is ``[start, end)``."""
        return datetime.combine(self.date + ONE_DAY, time.min, self.zone).astimezone(UTC)

    @property
    def hours(self) -> int:
        """Length in hours, rounded: 23 or 25 where the clocks change."""
        return round((self.end - self.start) / timedelta(hours=1))

    def __str__(self) -> str:
        return self.date.isoformat()


def date_named(text: object, name: str) -> date:
    """Return the calendar date written as ``YYYY-MM-DD``.

    Raises:
        ConfigurationError: when it is anything else; the sentence names the parameter.
    """
    try:
        parsed = date.fromisoformat(str(text))
    except ValueError:
        parsed = None
    # fromisoformat also takes 20260105 and 2026-W02-1, which the form and the lake do not.
    if parsed is None or parsed.isoformat() != str(text):
        raise ConfigurationError(f"{name} must be a date like 2026-01-31, not {text!r}.")
    return parsed


def requested_days(start: object, end: object, *, now: datetime, zone: ZoneInfo, days_max: int) -> tuple[LocalDay, ...]:
    """Return the closed local days from ``start`` to ``end``, both included; yesterday where neither is given.

    A day that the zone left out, as Samoa did when it crossed the date line, is none of them.

    Raises:
        ConfigurationError: when a date is none, the order is reversed, a day is not over yet or never was, or there
            are more than ``days_max``; the sentence says which.
    """
    today = now.astimezone(zone).date()
    if not start and not end:
        return (LocalDay(today - ONE_DAY, zone),)
    first = date_named(start or end, "start_date")
    last = date_named(end or start, "end_date")
    if first > last:
        raise ConfigurationError(f"start_date {first} is after end_date {last}.")
    if first < EARLIEST:
        raise ConfigurationError(f"start_date {first} lies before {EARLIEST}: is its year right?")
    if last >= today:
        name = "end_date" if end else "start_date"
        word = "is today, which is not over yet" if last == today else "lies in the future"
        raise ConfigurationError(f"{name} {last} {word}: the last day that can be archived is {today - ONE_DAY}.")
    count = (last - first).days + 1
    if count > days_max:
        raise ConfigurationError(
            f"{first} to {last} are {count} days; one run takes at most {days_max}. Use an Airflow backfill for more."
        )
    days = (LocalDay(first + timedelta(days=offset), zone) for offset in range(count))
    happened = tuple(day for day in days if day.start < day.end)
    if not happened:
        raise ConfigurationError(f"{first} was left out of the calendar in {zone.key}: there is nothing of it.")
    return happened
