"""A sink written in order, with the SHA-256 of what it holds taken in the same pass."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from include.errors import ConfigurationError, QuotaExceeded
from include.lake.file_sums import FileSums
from include.transfer.digest import BLOCK_BYTES, digest_of
from include.transfer.disk import disk_errors
from include.transfer.recording_spool import WRITE_BYTES, Spool

if TYPE_CHECKING:
    from include.transfer.digest import Snapshot
    from include.transfer.part_file import Proven
    from include.transfer.ranges import Pin

HEAD_BYTES = 64
THREADED_FROM_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of a sink that can be returned to."""

    generation: int
    position: int
    snapshot: Snapshot


class HashedSink:
    """Fills a ``Spool``, or any other seekable sink, from its start. Close it; the sink below stays open.

    Where it is not ``hashed`` it says nothing of its bytes, and nothing of them can be resumed.
    """

    def __init__(self, sink: BinaryIO | Spool, bytes_max: int, *, hashed: bool = True) -> None:
        self._hashed = hashed
        self._spool = sink if isinstance(sink, Spool) else None
        self._plain = None if isinstance(sink, Spool) else sink
        self._bytes_max = bytes_max
        self._generation = 0
        self._digest = digest_of(None)
        self._threaded = False
        self._direct = False
        self.position = 0
        self.head = b""
        self.restart()

    @property
    def in_file(self) -> bool:
        """Whether several threads may write it, at different places."""
        return self._spool is not None and self._spool.in_file

    def close(self) -> None:
        """End the hashing."""
        self._digest.close()

    def resume(self) -> Proven | None:
        """Go on where an earlier worker was killed, and say with which file; ``None`` where there is nothing."""
        proven = self._spool.recall() if self._spool and self._hashed else None
        if self._spool is None or proven is None:
            return None
        head = bytearray(HEAD_BYTES)
        self._return_to(proven.position, proven.sums)
        self.head = bytes(head[: self._spool.read_at(0, memoryview(head))])[: proven.position]
        return proven

    def restart(self) -> None:
        """Forget everything written."""
        self._generation += 1
        self._return_to(0, FileSums(in_blocks=self.in_file))

    def mark(self) -> Mark:
        """Return the present moment."""
        return Mark(self._generation, self.position, self._digest.snapshot())

    def rollback(self, mark: Mark) -> None:
        """Return to an earlier moment, cutting what was written since; to the start if a restart lies between."""
        if mark.generation == self._generation:
            self._return_to(mark.position, mark.snapshot.sums())
        else:
            self.restart()

    def _return_to(self, position: int, sums: FileSums) -> None:
        self.position = position
        self._digest.close()
        self._digest = digest_of(sums if self._hashed else None, threaded=self._threaded)
        self.head = self.head[:position] if position else b""
        if self._spool is not None:
            self._spool.cut(position)
        elif self._plain is not None:
            with disk_errors():
                # Not where it is no longer: ``disk.cut`` says why.
                if self._plain.seek(0, io.SEEK_END) > position:
                    self._plain.truncate(position)
                self._plain.seek(position)

    def expect(self, pin: Pin) -> None:
        """Agree to the file that an answer announces, before its body is taken, and prepare for its size.

        Raises:
            QuotaExceeded: when it is larger than ``bytes_max``, or the disk is full.
            ConfigurationError: when the work directory fails in another way.
        """
        if pin.total is None:
            return
        self.admit(pin.total)
        if self._spool is not None:
            self._spool.expect(pin.total, pin.strong_etag)
            if self.in_file and self.position == 0:
                self._return_to(0, FileSums(in_blocks=True))
        if self._is_worth_a_thread(pin.total):
            self._threaded = True
            self._digest = digest_of(self._digest.settled(), threaded=True)

    def _is_worth_a_thread(self, total: int) -> bool:
        in_file = self._plain is not None or self.in_file
        return self._hashed and not self._threaded and in_file and total >= THREADED_FROM_BYTES

    def admit(self, total: int) -> None:
        """Agree to ``total`` bytes.

        Raises:
            QuotaExceeded: when that is more than ``bytes_max``.
        """
        if total > self._bytes_max:
            raise QuotaExceeded(
                f"the recording is larger than RECORDING_ARCHIVE_RECORDING_BYTES_MAX ({self._bytes_max})",
                bytes_max=self._bytes_max,
                bytes_total=total,
            )

    def room(self, limit: int) -> memoryview:
        """Return a place to receive the next bytes into: the spool's own memory, or a buffer on the way to a file."""
        place = self._spool.place(self.position, limit) if self._spool is not None else None
        self._direct = place is not None
        return place if place is not None else self._digest.room()[:limit]

    def keep(self, view: memoryview) -> None:
        """Append the filled start of the place that ``room`` gave.

        Raises:
            QuotaExceeded: when the file outgrows ``bytes_max``, or the disk is full.
            ConfigurationError: when the work directory fails in another way.
        """
        end = self.position + len(view)
        self.admit(end)
        if self._spool is not None and self._direct:
            self._spool.placed(end)
        elif self._spool is not None:
            self._spool.write_at(self.position, view)
        elif self._plain is not None:
            with disk_errors():
                rest = view
                while rest:  # an unbuffered file may take less than it was given
                    rest = rest[self._plain.write(rest[:WRITE_BYTES]) :]
        self._count(view)

    def absorb(self, length: int) -> None:
        """Count and hash the next bytes, which others have written into the file already.

        Raises:
            ConfigurationError: when they are not there.
        """
        end = self.position + length
        while self._spool is not None and self.position < end:
            view = self._digest.room()[: min(BLOCK_BYTES, end - self.position)]
            count = self._spool.read_at(self.position, view)
            if count == 0:
                raise ConfigurationError("somebody else cut a file in the work directory")
            self._count(view[:count])

    def _count(self, view: memoryview) -> None:
        if len(self.head) < HEAD_BYTES:
            self.head += bytes(view[: HEAD_BYTES - len(self.head)])
        self.position += len(view)
        self._digest.update(view)

    def commit(self, pin: Pin) -> None:
        """Note the bytes so far for a worker that comes after a killed one; only a strong ETag names a file.

        Raises:
            QuotaExceeded, ConfigurationError: as ``keep``.
        """
        if not self._hashed:
            return
        if self._spool is not None and self.in_file and pin.total is not None and pin.strong_etag is not None:
            self._spool.mark(self.position, self.sha256, total=pin.total, etag=pin.strong_etag)

    def flush(self) -> None:
        """Hand everything to the disk now: a full one must be noticed here, not when the caller reads.

        The spool learns the sums of what it holds.

        Raises:
            QuotaExceeded, ConfigurationError: as ``keep``.
        """
        if self._plain is not None:
            with disk_errors():
                self._plain.flush()
        if self._spool is not None and self._hashed:
            self._spool.sums = self._digest.settled()

    def interrupted(self) -> None:
        """Leave what is there to be resumed."""
        if self._spool is not None:
            self._spool.resumable = True

    @property
    def sha256(self) -> str:
        """SHA-256 of all bytes so far, in lower-case hex."""
        return self._digest.settled().hexdigest()
