"""What time it is at the bucket: a lock that our own, perhaps wrong, clock computes could end in the past."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from include.errors import LakeUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class ServerClock:
    """The bucket's ``Date``, asked once and carried on by the monotonic clock, which nobody sets."""

    def __init__(self, ask: Callable[[], datetime | None], where: str) -> None:
        self._ask = ask
        self._where = where
        self._lock = threading.Lock()
        self._asked: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """Return the time at the bucket.

        Raises:
            LakeUnavailable: when it names none; nothing is locked by guesswork.
        """
        with self._lock:
            if self._asked is None:
                said = self._ask()
                if said is None:
                    raise LakeUnavailable(f"{self._where} does not say what time it is.")
                self._asked = (said, time.monotonic())
            said, asked_at = self._asked
        return said + timedelta(seconds=time.monotonic() - asked_at)
