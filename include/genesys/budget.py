"""One allowance of requests a minute, shared by every process and thread of this machine.

Genesys Cloud counts per token (300 a minute), Airflow runs many processes: a limiter inside one process would allow
each of them the whole allowance. The log of granted requests therefore lives in one small file under ``flock``.

It stands on the monotonic clock, which all processes of a machine share and no clock adjustment moves. That clock
starts again at a reboot, so the file carries the boot it belongs to. The folder must be local to the machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from include.state_file import locked_state, write_state

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_SECONDS = 60.0

TRAVEL_SECONDS = 0.5
"""Added to the window: Genesys counts arrivals, and two requests may travel at different speed."""

PAUSE_SECONDS_MAX = 300.0
RESERVED_SECONDS_MAX = 900.0
"""An entry further ahead than this was not written by a queue of waiting tasks: the file is damaged."""

_FILE_BYTES_MAX = 1 << 20
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class RequestBudget:
    """At most ``requests_per_minute`` grants in any minute, first come first served.

    A grant is reserved under the lock and waited for outside it, so waiting tasks queue in order and hold nothing.
    """

    def __init__(
        self,
        path: Path,
        requests_per_minute: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        boot: str | None = None,
    ) -> None:
        self.path = path
        self.requests_per_minute = requests_per_minute
        self._clock = clock
        self._sleep = sleep
        self._boot = boot_id() if boot is None else boot

    @classmethod
    def for_client(
        cls,
        state_dir: Path,
        client_id: str,
        requests_per_minute: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> RequestBudget:
        """Return the budget of one OAuth client; the file name gives away nothing about the client."""
        digest = hashlib.sha256(f"genesys-requests:{client_id}".encode()).hexdigest()[:24]
        return cls(state_dir / f"requests-{digest}.json", requests_per_minute, clock=clock, sleep=sleep)

    def acquire(self) -> float:
        """Wait until one more request may be sent; return the seconds waited.

        Raises:
            QuotaExceeded, ConfigurationError: when the state folder is full, or cannot be written.
        """
        with locked_state(self.path) as file:
            now = self._clock()
            granted, paused_until = self._read(file, now)
            at = max(now, paused_until)
            if len(granted) >= self.requests_per_minute:
                at = max(at, granted[-self.requests_per_minute] + WINDOW_SECONDS + TRAVEL_SECONDS)
            if granted:
                at = max(at, granted[-1])
            granted.append(at)
            self._write(file, granted[-self.requests_per_minute :], paused_until)
        wait = max(0.0, at - now)
        if wait > 0:
            self._sleep(wait)
        return wait

    def pause(self, seconds: float) -> None:
        """Hold back everyone for ``seconds`` (at most five minutes): the source answered 429 to one of us.

        Raises:
            QuotaExceeded, ConfigurationError: when the state folder is full, or cannot be written.
        """
        with locked_state(self.path) as file:
            now = self._clock()
            granted, paused_until = self._read(file, now)
            until = max(paused_until, now + min(max(seconds, 0.0), PAUSE_SECONDS_MAX))
            self._write(file, granted, until)

    def _read(self, file: int, now: float) -> tuple[list[float], float]:
        raw = os.pread(file, _FILE_BYTES_MAX, 0)
        if not raw:
            return [], 0.0
        try:
            boot, granted, paused_until = _parsed(raw)
            if boot != self._boot:
                return [], 0.0
            _plausible(granted, paused_until, now)
        except ValueError:
            # Nobody knows what was granted, so assume all of it, just now: one minute lost, the limit kept.
            return [now] * self.requests_per_minute, 0.0
        return granted, paused_until

    def _write(self, file: int, granted: list[float], paused_until: float) -> None:
        state = {"boot": self._boot, "paused_until": paused_until, "granted": granted}
        write_state(file, json.dumps(state).encode())


def boot_id(path: Path = _BOOT_ID) -> str:
    """Return what tells one boot of this machine from the next; empty where the system does not say."""
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _parsed(raw: bytes) -> tuple[str, list[float], float]:
    state = json.loads(raw)
    if not isinstance(state, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one kind of damage, one kind of error
    granted, paused_until = state.get("granted"), state.get("paused_until")
    times = isinstance(granted, list) and all(isinstance(at, float) for at in granted)
    if not isinstance(granted, list) or not times or not isinstance(paused_until, float):
        raise ValueError("not a log of times")
    return str(state.get("boot")), granted, paused_until


def _plausible(granted: list[float], paused_until: float, now: float) -> None:
    latest = max(granted, default=0.0)
    in_order = all(earlier <= later for earlier, later in pairwise(granted))
    if not in_order or not latest <= now + RESERVED_SECONDS_MAX or not paused_until <= now + PAUSE_SECONDS_MAX:
        raise ValueError("times that no queue of ours could have written")
