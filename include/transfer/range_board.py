"""Who fetches which part of a file, when several connections share it; and how far the file is whole.

Parts are given out in order, and no further ahead of the whole prefix than there are connections: what is behind it
is lost when the worker is killed, so that is at most one part for each connection.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from include.transfer.ranges import ByteRange


@dataclass(slots=True)
class Piece:
    """A part of a file; ``received`` counts its bytes that are written and proven."""

    first: int
    length: int
    received: int = 0
    done: bool = False

    @property
    def missing(self) -> ByteRange:
        """What is still to be asked for."""
        return ByteRange(self.first + self.received, self.first + self.length - 1)


class RangeBoard:
    """Thread-safe; one thread follows with ``next_whole`` and ``absorbed``, the others ``claim`` and ``finish``."""

    def __init__(self, first: int, total: int, chunk_bytes: int, connections: int) -> None:
        self._pieces = [
            Piece(start, min(chunk_bytes, total - start)) for start in range(first, total, chunk_bytes)
        ]  # fmt: skip
        self._connections = connections
        self._claimed: set[int] = set()
        self._absorbed = 0
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self.stopped = False

    def claim(self) -> Piece | None:
        """Return a piece that nobody has, waiting until one lies within reach; ``None`` when there is no more to do."""
        with self._changed:
            while not self.stopped and self._absorbed < len(self._pieces):
                reach = range(self._absorbed, min(self._absorbed + self._connections, len(self._pieces)))
                for number in reach:
                    if number not in self._claimed and not self._pieces[number].done:
                        self._claimed.add(number)
                        return self._pieces[number]
                if reach.stop == len(self._pieces):
                    return None
                self._changed.wait()
        return None

    def finish(self, piece: Piece) -> None:
        """Say that a piece is whole."""
        with self._changed:
            piece.done = True
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Stop everybody; the first error is the one that ``next_whole`` raises."""
        with self._changed:
            self._error = self._error or error
            self.stopped = True
            self._changed.notify_all()

    def next_whole(self) -> Piece | None:
        """Wait for the piece that follows the prefix; ``None`` when the file is whole.

        Raises:
            BaseException: what ``fail`` was given.
        """
        with self._changed:
            while self._absorbed < len(self._pieces):
                piece = self._pieces[self._absorbed]
                if piece.done:
                    return piece
                if self._error is not None:
                    raise self._error
                self._changed.wait()
        return None

    def absorbed(self) -> None:
        """Say that the prefix has grown by its next piece."""
        with self._changed:
            self._absorbed += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """Send everybody home."""
        with self._changed:
            self.stopped = True
            self._changed.notify_all()

    def reopen(self) -> None:
        """Begin again with what is there, after ``stop`` and when everybody has gone."""
        self._claimed.clear()
        self._error = None
        self.stopped = False
