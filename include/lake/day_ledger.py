"""How many bytes this machine took in today, shared by its processes: one small file under ``flock``.

A worker that is killed leaves its reservation in the file until midnight: the budget is then smaller, never exceeded.
"""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from include.errors import QuotaExceeded
from include.state_file import locked_state, write_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from zoneinfo import ZoneInfo

log = logging.getLogger(__name__)
FILE_NAME = "bytes-of-the-day.json"
_FILE_BYTES_MAX = 4096


class DayLedger:
    """At most ``limit`` bytes a calendar day of ``zone``, begun anew at midnight. Thread-safe."""

    def __init__(
        self,
        state_dir: Path,
        limit: int,
        zone: ZoneInfo,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._path = state_dir / FILE_NAME
        self._limit = limit
        self._zone = zone
        self._clock = clock

    def take(self, bytes_: int) -> str:
        """Count bytes and return the day they count for.

        Raises:
            QuotaExceeded: when the day does not have so many left, or the disk is full; nothing is counted.
            ConfigurationError: when the state folder cannot be written.
        """
        with locked_state(self._path) as file:
            today = self._today()
            taken = self._read(file, today)
            if taken + bytes_ > self._limit:
                raise QuotaExceeded(
                    f"{bytes_} bytes do not fit into RECORDING_ARCHIVE_DAY_BYTES_MAX: {self._limit - taken} are left "
                    f"of {today}",
                    bytes_total=bytes_,
                    bytes_left=self._limit - taken,
                )
            _write(file, today, taken + bytes_)
        return today

    def give_back(self, day: str, bytes_: int) -> None:
        """Uncount bytes of a day; those of an earlier one are forgotten already.

        Raises:
            QuotaExceeded, ConfigurationError: when the state folder cannot be written.
        """
        with locked_state(self._path) as file:
            if day == self._today():
                _write(file, day, max(0, self._read(file, day) - bytes_))

    def taken(self) -> int:
        """Return how many bytes are counted today."""
        with locked_state(self._path) as file:
            return self._read(file, self._today())

    def _today(self) -> str:
        return self._clock().astimezone(self._zone).date().isoformat()

    def _read(self, file: int, today: str) -> int:
        raw = os.pread(file, _FILE_BYTES_MAX, 0)
        if not raw:
            return 0
        try:
            state = json.loads(raw)
            day, taken = str(state["day"]), int(state["bytes"])
        except (ValueError, KeyError, TypeError):
            # Nobody knows what was taken, so assume all of it: half a night lost, the limit kept.
            log.warning("%s is damaged; no more is taken in today unless it is removed", self._path)
            return self._limit
        return taken if day == today else 0


def _write(file: int, day: str, bytes_: int) -> None:
    write_state(file, json.dumps({"day": day, "bytes": bytes_}).encode())
