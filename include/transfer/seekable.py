"""A stream with a place: what ``io`` asks of one that can be read from anywhere, but for the reading itself."""

from __future__ import annotations

import io


class SeekableReader(io.RawIOBase):
    """To inherit from: the next read begins at ``_position``, and ``_end`` tells where the stream does."""

    def __init__(self) -> None:
        super().__init__()
        self._position = 0

    def _end(self) -> int:
        """Return how many bytes there are."""
        raise NotImplementedError

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """At any place."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to a place for the next read."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._end()}[whence]
        if start + offset < 0:
            raise ValueError("seek before the start")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        """Return the place of the next read."""
        return self._position
