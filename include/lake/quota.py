"""How many bytes this worker may take in: a budget for the day, room on its disk, connections to one host.

Nothing here waits for room: two downloads that each hold half of it would wait for each other. What does not fit is
refused with ``QuotaExceeded``, stays pending, and is taken by the next run.
"""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from include.errors import ConfigurationError, QuotaExceeded
from include.lake.day_ledger import DayLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from include.settings import ArchiveSettings

UNLIMITED_BYTES = 1024**5
"""A day's budget of a pebibyte or more is none, and is not counted."""


class ByteBudget:
    """Hands out reservations. Thread-safe; the day's budget is shared by all processes of the machine as well.

    ``free_bytes`` tells the free room where large downloads rest; ``free_bytes_min`` of it are left alone. A
    reservation of up to ``memory_bytes`` needs no disk.
    """

    def __init__(
        self,
        day: DayLedger | None,
        free_bytes: Callable[[], int],
        *,
        free_bytes_min: int,
        memory_bytes: int,
    ) -> None:
        self._day = day
        self._free_bytes = free_bytes
        self._free_bytes_min = free_bytes_min
        self._memory_bytes = memory_bytes
        self._on_disk = 0
        self._lock = threading.Lock()

    @classmethod
    def of(cls, settings: ArchiveSettings) -> ByteBudget:
        """Return the budget of this worker."""
        limited = settings.day_bytes_max < UNLIMITED_BYTES
        return cls(
            DayLedger(settings.state_dir, settings.day_bytes_max, settings.timezone) if limited else None,
            lambda: _free_bytes(settings.state_dir),
            free_bytes_min=settings.disk_free_bytes_min,
            memory_bytes=settings.memory_bytes,
        )

    @property
    def on_disk(self) -> int:
        """Bytes reserved on disk at this moment, by this process."""
        return self._on_disk

    @contextmanager
    def reserve(self, bytes_: int = 0) -> Iterator[Reservation]:
        """Reserve bytes for the length of the block; the day keeps them, unless ``release(used=...)`` says otherwise.

        Raises:
            QuotaExceeded: when the day's budget or the disk does not have them.
            ConfigurationError: when the state folder cannot be used.
        """
        reservation = self.reservation()
        try:
            reservation.hold(bytes_)
            yield reservation
        finally:
            reservation.release()

    def reservation(self) -> Reservation:
        """Return an empty reservation, which its owner releases."""
        return Reservation(self)

    def take(self, more: int, disk: int) -> str:
        """Take ``more`` bytes of the day and ``disk`` bytes of room, both or neither; return the day they count for.

        Raises:
            QuotaExceeded, ConfigurationError: as ``reserve``.
        """
        day = self._day.take(more) if self._day else ""
        try:
            self._take_disk(disk)
        except BaseException:
            self.give_back(day, more, 0)
            raise
        return day

    def give_back(self, day: str, bytes_: int, disk: int) -> None:
        """Give back what ``take`` took, or a part of it."""
        with self._lock:
            self._on_disk -= disk
        if self._day and bytes_:
            self._day.give_back(day, bytes_)

    def needs_on_disk(self, total: int) -> int:
        """Return how much room a file of ``total`` bytes takes; small ones rest in memory."""
        return total if total > self._memory_bytes else 0

    def _take_disk(self, bytes_: int) -> None:
        with self._lock:
            # What others have reserved may be written already; then this errs on the side of an empty disk.
            room = self._free_bytes() - self._on_disk - self._free_bytes_min if bytes_ else 0
            if bytes_ > room:
                raise QuotaExceeded(
                    f"{bytes_} bytes do not fit: RECORDING_ARCHIVE_DISK_FREE_BYTES_MIN leaves {max(0, room)}",
                    bytes_total=bytes_,
                )
            self._on_disk += bytes_


class Reservation:
    """The bytes of one file. Thread-safe."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._taken: list[tuple[str, int]] = []
        self._on_disk = 0
        self.held = 0

    def hold(self, total: int) -> None:
        """Have at least ``total`` bytes reserved: all at once where the size is known, else as they come.

        Raises:
            QuotaExceeded, ConfigurationError: as ``ByteBudget.reserve``; what was held stays held.
        """
        if total <= self.held:
            return
        with self._lock:
            more, disk = total - self.held, self._budget.needs_on_disk(total) - self._on_disk
            if more <= 0:
                return
            self._taken.append((self._budget.take(more, disk), more))
            self._on_disk += disk
            self.held = total

    def release(self, used: int | None = None) -> None:
        """Give the disk back, and to the day what was reserved beyond ``used`` bytes; a second time does nothing."""
        with self._lock:
            unused = 0 if used is None else max(0, self.held - used)
            taken, disk = self._taken, self._on_disk
            self._taken, self._on_disk, self.held = [], 0, 0
            # First: the file in which the day is counted may be what fails.
            self._budget.give_back("", 0, disk)
            while unused and taken:
                day, bytes_ = taken.pop()
                self._budget.give_back(day, min(unused, bytes_), 0)
                unused -= min(unused, bytes_)


class HostSlots:
    """At most ``limit`` connections to the same host at a time; who comes later waits for one to end."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._slots: dict[str, threading.BoundedSemaphore] = {}
        self._lock = threading.Lock()

    @contextmanager
    def slot(self, host: str) -> Iterator[None]:
        """Hold one connection's place for the length of the block."""
        with self._lock:
            slots = self._slots.setdefault(host, threading.BoundedSemaphore(self._limit))
        with slots:
            yield


def _free_bytes(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return shutil.disk_usage(folder).free
    except OSError as error:
        raise ConfigurationError(f"RECORDING_ARCHIVE_STATE_DIR cannot be used: {error.strerror}") from error
