"""SHA-256 in the pass that stores the bytes: beside the download where a file is large, within it where it is small.

``hashlib`` releases the interpreter lock, so a second thread hashes on the second core while the first one receives.
"""

from __future__ import annotations

import hashlib
import threading
from queue import SimpleQueue
from typing import Protocol

BLOCK_BYTES = 512 * 1024
"""One read, one write and one update; measured: below 256 KiB costs CPU, above 1 MiB gains nothing."""

BLOCKS = 4
"""Buffers between receiving and hashing: 2 MiB for each large file on its way."""


class Digest(Protocol):
    """Takes bytes in order. ``room`` gives a buffer to fill, ``update`` takes it back filled."""

    def room(self) -> memoryview:
        """Return a free buffer of ``BLOCK_BYTES``."""

    def update(self, view: memoryview) -> None:
        """Hash these bytes, which must not change before ``settled`` or until ``room`` gives them out again."""

    def settled(self) -> hashlib._Hash:
        """Return the state after all bytes so far; the caller may keep it."""

    def close(self) -> None:
        """End it."""


class InlineDigest:
    """Hashes in the caller's thread."""

    def __init__(self, state: hashlib._Hash) -> None:
        self._state = state.copy()
        self._block: memoryview | None = None

    def room(self) -> memoryview:
        """Return the one buffer there is."""
        if self._block is None:
            self._block = memoryview(bytearray(BLOCK_BYTES))
        return self._block

    def update(self, view: memoryview) -> None:
        """Hash these bytes."""
        self._state.update(view)

    def settled(self) -> hashlib._Hash:
        """Return a copy of the state."""
        return self._state.copy()

    def close(self) -> None:
        """Nothing is left to end."""


class ThreadedDigest:
    """Hashes in a thread of its own, at most ``BLOCKS`` buffers behind."""

    def __init__(self, state: hashlib._Hash) -> None:
        self._state = state.copy()
        self._free: SimpleQueue[memoryview] = SimpleQueue()
        self._full: SimpleQueue[tuple[memoryview, memoryview] | threading.Event | None] = SimpleQueue()
        self._filling: memoryview | None = None
        self._behind = False
        for _ in range(BLOCKS):
            self._free.put(memoryview(bytearray(BLOCK_BYTES)))
        self._thread = threading.Thread(target=self._run, name="sha256", daemon=True)
        self._thread.start()

    def room(self) -> memoryview:
        """Return a free buffer, waiting for one; the same one again as long as it is not handed back."""
        if self._filling is None:
            self._filling = self._free.get()
        return self._filling

    def update(self, view: memoryview) -> None:
        """Hand back the start of the buffer that ``room`` gave."""
        block, self._filling = self.room(), None
        self._behind = True
        self._full.put((view, block))

    def settled(self) -> hashlib._Hash:
        """Wait until everything is hashed, and return a copy of the state."""
        if self._behind:
            done = threading.Event()
            self._full.put(done)
            done.wait()
            self._behind = False
        return self._state.copy()

    def close(self) -> None:
        """End the thread."""
        self._full.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (item := self._full.get()) is not None:
            if isinstance(item, threading.Event):
                item.set()
            else:
                view, block = item
                self._state.update(view)
                self._free.put(block)


def digest_of(state: hashlib._Hash | None = None, *, threaded: bool = False) -> Digest:
    """Return a digest that goes on from ``state``."""
    state = state or hashlib.sha256()
    return ThreadedDigest(state) if threaded else InlineDigest(state)
