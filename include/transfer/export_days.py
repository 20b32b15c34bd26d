"""Days that an earlier run ingested and died before it could report them: nothing of them is news any more."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from include.errors import IntegrityError
from include.lake.commit import read_head
from include.lake.plan import named_by
from include.local_day import LocalDay
from include.transfer.day_report import is_reported
from include.transfer.export_listing import ONE_DAY
from include.transfer.metadata import NATIVE_EXPORT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from include.lake.store import LakeStore
    from include.transfer.export_listing import Window

log = logging.getLogger(__name__)


def unreported(lake: LakeStore, org: str, window: Window, zone: ZoneInfo) -> Iterator[dict[str, object]]:
    """Yield each day of the window with a plan of the export whose report speaks of an older commit, or is missing.

    As the ingest leaves its own days for the tasks behind it. A commit that another made since is reported with it.

    Raises:
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    for number in range((window.last - window.first).days + 1):
        day = LocalDay(window.first + number * ONE_DAY, zone)
        try:
            head = read_head(lake, org, day)
            plan = next((key for key in head.plans if named_by(lake, key) == NATIVE_EXPORT), "") if head else ""
        except IntegrityError as error:
            # The audit says so; a damaged day must not keep the others from being ingested.
            log.warning("Not looked at: %s", error)
            continue
        if head and plan and not is_reported(lake, str(day), head):
            yield {"date": str(day), "plan_key": plan}
