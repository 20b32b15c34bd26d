"""A spool whose bytes are reserved before they are taken in, and released with it on every path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.transfer.recording_spool import BufferPool, Spool

if TYPE_CHECKING:
    from pathlib import Path

    from include.lake.quota import Reservation


class BudgetedSpool(Spool):
    """Raises ``QuotaExceeded`` where its bytes do not fit the budget: before the body where an answer tells the size.

    The day's budget keeps the bytes that arrived, whatever became of them.
    """

    def __init__(self, reservation: Reservation, pool: BufferPool, folder: Path, key: str | None = None) -> None:
        super().__init__(pool, folder, key)
        self._reservation = reservation
        self._arrived = 0

    def reserve(self, total: int) -> None:
        """Reserve what the source says the file has, before anything is asked for.

        Raises:
            QuotaExceeded, ConfigurationError: as ``Reservation.hold``.
        """
        self._reservation.hold(total)

    def expect(self, total: int, etag: str | None) -> None:
        """Reserve the whole file, then prepare for it."""
        self._reservation.hold(total)
        super().expect(total, etag)

    def placed(self, end: int) -> None:
        """Count what lies in memory."""
        self._hold(end)
        super().placed(end)

    def write_at(self, position: int, piece: memoryview) -> None:
        """Count what goes to the file."""
        self._hold(position + len(piece))
        super().write_at(position, piece)

    def close(self) -> None:
        """Release what is reserved."""
        super().close()
        self._reservation.release(self._arrived)

    def _hold(self, end: int) -> None:
        self._reservation.hold(end)
        self._arrived = max(self._arrived, end)
