"""Receive the body of a judged answer to its promised end, and not one byte further."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from include.errors import IntegrityError, TransferInterrupted
from include.transfer.digest import BLOCK_BYTES

if TYPE_CHECKING:
    from include.transfer.media_http import MediaResponse


class Room(Protocol):
    """Where a body goes: it gives out a place to receive into, and is told how much of it was filled."""

    def room(self, limit: int) -> memoryview:
        """Return a place for at least one byte and at most ``limit``."""

    def keep(self, view: memoryview) -> None:
        """Take the filled start of the place that ``room`` gave."""


def receive(response: MediaResponse, length: int | None, target: Room) -> None:
    """Move the body into ``target``: exactly ``length`` bytes, or all of a body whose end the framing tells.

    Raises:
        TransferInterrupted: when the body ends early or the transfer breaks; what was kept is good.
        IntegrityError: when the body is longer than promised; what was kept of this answer is not proven.
    """
    missing = length
    while missing is None or missing > 0:
        view = target.room(BLOCK_BYTES if missing is None else min(missing, BLOCK_BYTES))
        count = response.fill(view)
        if count == 0:
            if missing is None:
                return
            raise TransferInterrupted(f"the body ended {missing} bytes early", bytes_safe=0)
        target.keep(view[:count])
        if missing is not None:
            missing -= count
    if response.fill(memoryview(bytearray(1))):
        raise IntegrityError("the body is longer than the answer promised", transient=True)


def put(target: Room, piece: bytes) -> None:
    """Move bytes of the caller's into ``target``."""
    rest = memoryview(piece)
    while rest:
        view = target.room(len(rest))
        view[:] = rest[: len(view)]
        target.keep(view)
        rest = rest[len(view) :]


class FixedRoom:
    """A place of a known size: the body of one answer that goes straight where it is wanted."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self.filled = 0

    def room(self, limit: int) -> memoryview:
        """Return the part that is not filled yet."""
        return self._view[self.filled : self.filled + limit]

    def keep(self, view: memoryview) -> None:
        """Count what was filled."""
        self.filled += len(view)
