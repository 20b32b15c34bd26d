"""Where the span of a lake's nights begins: days before it were never meant to be archived as a whole.

One recording of years ago, needed now, makes a day with a commit and is no night: counted from there, every day since
would be missing, and an audit would archive days from before the archive. Behind the first night each day counts,
whatever brought it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.errors import IntegrityError, LakeUnavailable
from include.lake import key_reading, layout
from include.lake.plan import day_plans_of, planned_by
from include.transfer.metadata import SINGLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from include.lake.store import LakeStore


def committed_days(lake: LakeStore) -> Iterator[str]:
    """Yield the days that have a commit, in order, each once; a stranger's key among them is none.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket does not list them.
    """
    last = ""
    for key in lake.list_keys(layout.COMMITS):
        for day in key_reading.dates_in([key]) if key_reading.commit_number(key) else ():
            if day != last:
                yield day
            last = day


def first_night(lake: LakeStore, committed: Iterable[str]) -> str:
    """Return the first of these days that more than single recordings have brought, empty where there is none.

    Reads the plans of the days up to it. One that cannot be read counts as a night: whoever alters a plan must not
    take days out of an audit.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket does not list them.
    """
    # What lies under no call is a place, and no day.
    days = (day for day in committed if day != layout.UNKNOWN_CALL_DATE)
    return next((day for day in days if not _is_of_singles(lake, day)), "")


def _is_of_singles(lake: LakeStore, day: str) -> bool:
    plans = day_plans_of(lake, day)
    try:
        return bool(plans) and all(planned_by(lake, key) == SINGLE for key in plans)
    except (IntegrityError, LakeUnavailable):
        return False
