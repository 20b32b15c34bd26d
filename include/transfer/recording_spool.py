"""Where one recording rests while it is judged and stored: in memory while it is small, else in a file.

Memory comes from a fixed number of buffers that are used again, so it stays the same whatever arrives; when they are
all taken, a small recording rests in a file too. A file with a ``key`` may outlive its worker (``part_file``), one
without has no name and dies with it.
"""

from __future__ import annotations

import io
import os
import threading
from mmap import mmap
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, cast

from include.errors import ArchiveError, RetriableError
from include.lake.file_sums import SummedBody
from include.transfer.disk import cut, disk_errors, made_folder
from include.transfer.part_file import PartFile
from include.transfer.seekable import SeekableReader

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from include.transfer.part_file import Proven


WRITE_BYTES = 64 * 1024
"""One write at most: the page cache takes pages as large as the write, and large ones are memory that a virtual machine
has given back to its host. Measured, ext4 on Linux 6.18, system time of a GB: 0.6 s up to 128 KiB, 1.7 s at 256 KiB,
2.5 s at 2 MiB."""


class BufferPool:
    """``count`` buffers of ``size`` bytes, made when first needed. Thread-safe."""

    def __init__(self, count: int, size: int) -> None:
        self.size = size
        self._unmade = count
        self._free: list[mmap] = []
        self._lock = threading.Lock()

    def take(self) -> mmap | None:
        """Return a buffer with old bytes in it; ``None`` when all are taken. Waiting for one could wait for ever."""
        with self._lock:
            if self._free:
                return self._free.pop()
            if self._unmade == 0:
                return None
            self._unmade -= 1
        return mmap(-1, self.size)  # its pages come when they are written; a bytearray would touch them all now

    def give(self, buffer: mmap) -> None:
        """Take a buffer back."""
        with self._lock:
            self._free.append(buffer)


class Spool(SummedBody, SeekableReader):
    """One recording at rest: filled by a download, then read as a seekable stream. Use it in a ``with``.

    When the ``with`` ends, its memory is another's and its file is gone, unless the download was interrupted and may
    be resumed under the same ``key``.
    """

    def __init__(self, pool: BufferPool, folder: Path, key: str | None = None) -> None:
        super().__init__()
        self._pool = pool
        self._folder = folder
        self._key = key
        self._buffer: mmap | None = None
        self._shown: memoryview | None = None
        self._fd: int | None = None
        self._part: PartFile | None = None
        self._size = 0
        self._used = False
        self.resumable = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Close it; an error that stops more than this recording leaves it to be resumed."""
        stopped = error is not None and (not isinstance(error, ArchiveError) or isinstance(error, RetriableError))
        self.resumable = self.resumable or stopped
        self.close()

    def __enter__(self) -> Self:
        return self

    def recall(self) -> Proven | None:
        """Return what an earlier worker left under the key and is proven; from the second call on nothing.

        Raises:
            QuotaExceeded, ConfigurationError: as the disk says.
        """
        first, self._used = not self._used, True
        if not first or self._key is None:
            return None
        self._part = PartFile.claim(self._folder, self._key, create=False)
        proven = self._part.proven() if self._part else None
        if self._part is not None and proven is None:
            self._part.close(keep=False)
            self._part = None
        if self._part is not None and proven is not None:
            self._fd, self._size = self._part.fd, proven.position
        return proven

    def expect(self, total: int, etag: str | None) -> None:
        """Prepare for a file of ``total`` bytes. ``etag`` is a strong one, or else it will not be resumed.

        Raises:
            QuotaExceeded, ConfigurationError: as the disk says.
        """
        if self._fd is None and total > self._pool.size:
            self._to_file(self._key if etag is not None else None)

    @property
    def in_file(self) -> bool:
        """Whether it rests in a file, and can be written at any place."""
        return self._fd is not None

    @property
    def view(self) -> memoryview | None:
        """Its bytes in memory, read-only and not to be used after the ``with``; ``None`` where it rests in a file."""
        if self._buffer is None:
            return None
        if self._shown is None or len(self._shown) != self._size:
            self._shown = memoryview(self._buffer)[: self._size].toreadonly()
        return self._shown

    def place(self, position: int, limit: int) -> memoryview | None:
        """Return memory to receive into directly; ``None`` where the bytes go to a file, by ``write_at``."""
        if self._fd is None and self._buffer is None:
            self._buffer = self._pool.take()
        if self._fd is None and (self._buffer is None or position >= len(self._buffer)):
            self._to_file(None)
        if self._buffer is None:
            return None
        return memoryview(self._buffer)[position : position + limit]

    def placed(self, end: int) -> None:
        """Say that memory is filled up to ``end``."""
        self._size = end

    def write_at(self, position: int, piece: memoryview) -> None:
        """Write to the file; several threads may, at different places.

        Raises:
            QuotaExceeded, ConfigurationError: as the disk says.
        """
        with disk_errors():
            while piece:
                count = os.pwrite(self._file, piece[:WRITE_BYTES], position)
                position += count
                piece = piece[count:]
        self._size = max(self._size, position)

    def read_at(self, position: int, view: memoryview) -> int:
        """Read into ``view`` what lies at ``position``, and return how many bytes that were."""
        if self._buffer is not None:
            count = max(0, min(len(view), self._size - position))
            view[:count] = memoryview(self._buffer)[position : position + count]
            return count
        if self._fd is None:
            return 0
        with disk_errors():
            return os.preadv(self._fd, [view], position)

    def cut(self, position: int) -> None:
        """Drop everything from ``position`` on."""
        self._size = min(self._size, position)
        self.sums = None
        if self._fd is not None:
            with disk_errors():
                cut(self._fd, position)
        if self._part is not None and position == 0:
            self._part.forget()

    def mark(self, position: int, digest: str, *, total: int, etag: str) -> None:
        """Note for a later worker that the first bytes are written and hash to ``digest``."""
        if self._part is not None:
            self._part.mark(position, digest, total=total, etag=etag)

    def fileno(self) -> int:
        """Return its file.

        Raises:
            UnsupportedOperation: when it rests in memory.
        """
        if self._fd is None:
            raise io.UnsupportedOperation("it rests in memory")
        return self._fd

    def _end(self) -> int:
        return self._size

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # Buffer is 3.12's name
        """Read on from the place."""
        if self.closed:
            raise ValueError("the spool is closed")
        count = self.read_at(self._position, memoryview(buffer).cast("B"))
        self._position += count
        return count

    def close(self) -> None:
        """Give memory back and remove the file."""
        if self.closed:
            return
        super().close()
        if self._shown is not None:
            self._shown.release()
        if self._buffer is not None:
            self._pool.give(self._buffer)
            self._buffer = None
        if self._part is not None:
            self._part.close(keep=self.resumable)
        elif self._fd is not None:
            os.close(self._fd)
        self._fd = self._part = None

    @property
    def _file(self) -> int:
        if self._fd is None:
            self._to_file(None)
        return cast("int", self._fd)

    def _to_file(self, key: str | None) -> None:
        """Go on in a file: under the key where there is one and nobody else has it."""
        self._part = PartFile.claim(self._folder, key, create=True) if key is not None else None
        if self._part is not None:
            self._fd = self._part.fd
        else:
            with disk_errors(), TemporaryFile(dir=made_folder(self._folder)) as file:
                self._fd = os.dup(file.fileno())
        with disk_errors():
            cut(self._fd, 0)
        if self._buffer is not None:
            # Not let go before all of it is written: where the disk is full, it goes back when this is closed.
            self.write_at(0, memoryview(self._buffer)[: self._size])
            self._pool.give(self._buffer)
            self._buffer = None
