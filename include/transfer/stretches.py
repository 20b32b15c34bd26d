"""Which bytes of a remote archive to ask for: neighbouring members in one request, so that requests are few.

``plan_stretches`` decides, pure; ``StretchFile`` is the archive as one reader sees it, holding one block at a time.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.transfer.seekable import SeekableReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from include.transfer.ranged_source import RangedSource
    from include.transfer.unpack import Member

GAP_BYTES = 256 * 1024
"""Unwanted bytes that are fetched along rather than asked around: about what a request costs in time."""


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """Bytes ``start`` up to ``end``, which is not included."""

    start: int
    end: int


def plan_stretches(members: Iterable[Member], bytes_max: int) -> tuple[Stretch, ...]:
    """Put members that lie side by side into stretches of at most ``bytes_max``, in the order of the file.

    A larger member is a stretch of its own, which is read block by block.
    """
    planned: list[Stretch] = []
    for member in sorted(members, key=lambda member: member.start):
        last = planned[-1] if planned else None
        if last is not None and member.start - last.end <= GAP_BYTES and member.end - last.start <= bytes_max:
            planned[-1] = Stretch(last.start, member.end)
        else:
            planned.append(Stretch(member.start, member.end))
    return tuple(planned)


def stretch_of(stretches: Sequence[Stretch], position: int) -> int:
    """Return which stretch a byte lies in; that of the next one before where it lies in none, -1 before the first."""
    return bisect_right(stretches, position, key=lambda stretch: stretch.start) - 1


def tail_of(size: int, bytes_max: int) -> tuple[Stretch, ...]:
    """Return the stretch at the end of a file in which a zip has its directory."""
    return (Stretch(max(0, size - bytes_max), size),)


class StretchFile(SeekableReader):
    """A remote file as a seekable stream, read a stretch at a time; for one thread.

    It holds one block of ``block_bytes``, the same memory from first to last. What lies outside the stretches that it
    is aimed at is fetched exactly as it is asked for.
    """

    def __init__(self, source: RangedSource, block_bytes: int) -> None:
        super().__init__()
        self._source = source
        self._stretches: Sequence[Stretch] = ()
        self._block = memoryview(bytearray(block_bytes))
        self._block_at = 0
        self._held = 0

    def aim(self, stretches: Sequence[Stretch]) -> None:
        """Say what will be read next, in the order of the file."""
        self._stretches = stretches

    def forget(self) -> None:
        """Drop what is held, so that it is asked for again."""
        self._held = 0
        self._source.forget()

    def _end(self) -> int:
        return self._source.size

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes: as many as were asked for, fewer only at the end of the file.

        Raises:
            ArchiveError: as ``RangedSource.read_into``.
        """
        left = max(0, self._source.size - self._position)
        wanted = left if size < 0 else min(size, left)
        piece = b""
        while len(piece) < wanted:
            piece += bytes(self._at_hand(wanted - len(piece)))
        return piece

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # Buffer is 3.12's name
        """Fill ``buffer`` with the next bytes: all of it, or up to the end of the file; raises as ``read``."""
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), max(0, self._source.size - self._position))
        filled = 0
        while filled < wanted:
            held = self._at_hand(wanted - filled)
            view[filled : filled + len(held)] = held
            filled += len(held)
        return filled

    def shown(self, position: int, length: int) -> memoryview | None:
        """Return these bytes where they lie; ``None`` where they do not lie together. Good until the next read.

        Raises:
            ArchiveError: as ``RangedSource.read_into``.
        """
        if not 0 < length <= len(self._block):
            return None
        self._position = position
        held = self._at_hand(length)
        return held if len(held) == length else None

    def _at_hand(self, wanted: int) -> memoryview:
        """Return the next bytes, at least one and at most ``wanted``, and move behind them; good until the next."""
        begin = self._position - self._block_at
        if not 0 <= begin < self._held:
            self._fetch(wanted)
            begin = 0
        held = self._block[begin : min(begin + wanted, self._held)]
        self._position += len(held)
        return held

    def _fetch(self, wanted: int) -> None:
        index = stretch_of(self._stretches, self._position)
        end = self._position + wanted
        if index >= 0 and self._position < self._stretches[index].end:
            end = self._stretches[index].end
        length = min(end - self._position, len(self._block))
        self._held = 0  # what a failed read leaves is nothing
        self._held = self._source.read_into(self._position, self._block[:length])
        self._block_at = self._position
        if not self._held:
            raise EOFError("the source is shorter than it said")
