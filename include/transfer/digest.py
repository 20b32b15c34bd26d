"""The sums of a file in the pass that stores it: beside the download where it is large, within it where it is small.

``hashlib`` releases the interpreter lock, so a second thread hashes on the second core while the first one receives.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import Protocol

from include.lake.file_sums import FileSums

BLOCK_BYTES = 2 * 1024 * 1024
"""One write and one update at most; measured: a quarter of it costs a fifth more CPU for a hashing thread."""

FIRST_BYTES = 256 * 1024
UNHASHED_BLOCK_BYTES = 512 * 1024
BLOCKS = 3
"""Buffers between receiving and hashing: 6 MiB for each large file on its way."""


class Snapshot:
    """The sums at one moment, which the hashing may not have reached yet."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._sums = FileSums()

    def reach(self, sums: FileSums) -> None:
        """Take the state."""
        self._sums = sums.copy()
        self._reached.set()

    def sums(self) -> FileSums:
        """Return the state, waiting for it."""
        self._reached.wait()
        return self._sums.copy()


class Digest(Protocol):
    """Takes bytes in order. ``room`` gives a buffer to fill, ``update`` takes it back filled."""

    def room(self) -> memoryview:
        """Return a free buffer of ``BLOCK_BYTES``."""

    def update(self, view: memoryview) -> None:
        """Hash these bytes, which must not change before ``settled`` or until ``room`` gives them out again."""

    def snapshot(self) -> Snapshot:
        """Return the state after all bytes so far, without waiting for it."""

    def settled(self) -> FileSums:
        """Return the state after all bytes so far; the caller may keep it."""

    def close(self) -> None:
        """End it."""


class InlineDigest:
    """Hashes in the caller's thread."""

    def __init__(self, sums: FileSums) -> None:
        self._sums = sums.copy()
        self._block: memoryview | None = None

    def room(self) -> memoryview:
        """Return the one buffer there is."""
        if self._block is None:
            self._block = memoryview(bytearray(BLOCK_BYTES))
        return self._block

    def update(self, view: memoryview) -> None:
        """Hash these bytes."""
        self._sums.update(view)

    def snapshot(self) -> Snapshot:
        """Return the state."""
        snapshot = Snapshot()
        snapshot.reach(self._sums)
        return snapshot

    def settled(self) -> FileSums:
        """Return a copy of the state."""
        return self._sums.copy()

    def close(self) -> None:
        """Nothing is left to end."""


class NoDigest:
    """Hashes nothing: for bytes that are proven in another way, member by member or by their caller."""

    def __init__(self) -> None:
        self._block: memoryview | None = None

    def room(self) -> memoryview:
        """Return the one buffer there is; small, so that what was received is still in the cache when it is written."""
        if self._block is None:
            self._block = memoryview(bytearray(UNHASHED_BLOCK_BYTES))
        return self._block

    def update(self, view: memoryview) -> None:
        """Nothing is to be known of these bytes."""

    def snapshot(self) -> Snapshot:
        """Return the state, which is always the same."""
        snapshot = Snapshot()
        snapshot.reach(FileSums())
        return snapshot

    def settled(self) -> FileSums:
        """Return the sums of nothing."""
        return FileSums()

    def close(self) -> None:
        """Nothing is left to end."""


class ThreadedDigest:
    """Hashes in a thread of its own, at most ``BLOCKS`` buffers behind."""

    def __init__(self, sums: FileSums) -> None:
        self._sums = sums.copy()
        self._free: SimpleQueue[memoryview] = SimpleQueue()
        self._full: SimpleQueue[tuple[memoryview, memoryview] | Snapshot | None] = SimpleQueue()
        self._filling: memoryview | None = None
        self._idle = True
        for _ in range(BLOCKS):
            self._free.put(memoryview(bytearray(BLOCK_BYTES)))
        self._thread = threading.Thread(target=self._run, name="sha256", daemon=True)
        self._thread.start()

    def room(self) -> memoryview:
        """Return a free buffer, waiting for one; the same one again as long as it is not handed back.

        A small one where the thread has nothing to do: it need not wait for a large one to be full.
        """
        block = self._block()
        return block[:FIRST_BYTES] if self._idle else block

    def update(self, view: memoryview) -> None:
        """Hand back the start of the buffer that ``room`` gave."""
        block, self._filling = self._block(), None
        self._full.put((view, block))
        self._idle = False

    def _block(self) -> memoryview:
        if self._filling is None:
            self._filling = self._free.get()
        return self._filling

    def snapshot(self) -> Snapshot:
        """Return the state that the thread will have reached when it comes to this point."""
        snapshot = Snapshot()
        self._full.put(snapshot)
        return snapshot

    def settled(self) -> FileSums:
        """Wait until everything is hashed, and return a copy of the state."""
        sums = self.snapshot().sums()
        self._idle = True
        return sums

    def close(self) -> None:
        """End the thread."""
        self._full.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (item := self._full.get()) is not None:
            if isinstance(item, Snapshot):
                item.reach(self._sums)
            else:
                view, block = item
                self._sums.update(view)
                self._free.put(block)


def digest_of(sums: FileSums | None, *, threaded: bool = False) -> Digest:
    """Return a digest that goes on from ``sums``; of ``None``, one that hashes nothing."""
    if sums is None:
        return NoDigest()
    return ThreadedDigest(sums) if threaded else InlineDigest(sums)
