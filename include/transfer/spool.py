"""Where downloaded bytes rest: in memory while they are few, then in an unnamed file that dies with its process."""

from __future__ import annotations

import errno
import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

from include.errors import ConfigurationError, QuotaExceeded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.settings import ArchiveSettings

HEAD_BYTES = 64
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def spool(settings: ArchiveSettings) -> Iterator[BinaryIO]:
    """Yield an empty seekable sink: memory up to ``memory_bytes``, then a file without a name in ``state_dir/work``.

    The file has no name, so a killed worker leaves nothing behind.

    Raises:
        ConfigurationError: when the work directory cannot be made.
    """
    work = settings.state_dir / "work"
    try:
        work.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(f"RECORDING_ARCHIVE_STATE_DIR cannot be used: {error.strerror}") from error
    with SpooledTemporaryFile(max_size=settings.memory_bytes, dir=str(work)) as sink:
        yield cast("BinaryIO", sink)


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise QuotaExceeded(f"the work directory is full: {error.strerror}", errno=error.errno) from error
        raise ConfigurationError(f"the work directory cannot be written: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of a sink that can be returned to."""

    generation: int
    position: int
    hash: hashlib._Hash


class HashedSink:
    """A sink written in order, with the SHA-256 of what it holds taken in the same pass."""

    def __init__(self, sink: BinaryIO, bytes_max: int) -> None:
        self._sink = sink
        self._bytes_max = bytes_max
        self._generation = 0
        self.head = b""
        self.restart()

    def restart(self) -> None:
        """Forget everything written."""
        self._generation += 1
        self._return_to(0, hashlib.sha256())

    def mark(self) -> Mark:
        """Return the present moment."""
        return Mark(self._generation, self.position, self._hash.copy())

    def rollback(self, mark: Mark) -> None:
        """Return to an earlier moment, cutting what was written since; to the start if a restart lies between."""
        if mark.generation == self._generation:
            self._return_to(mark.position, mark.hash)
        else:
            self.restart()

    def _return_to(self, position: int, digest: hashlib._Hash) -> None:
        self.position = position
        self._hash = digest.copy()
        self.head = self.head[:position] if position else b""
        with _disk_errors():
            self._sink.seek(position)
            self._sink.truncate()

    def write(self, piece: bytes) -> None:
        """Append bytes.

        Raises:
            QuotaExceeded: when the file outgrows ``bytes_max``, or the disk is full.
            ConfigurationError: when the work directory fails in another way.
        """
        self.admit(self.position + len(piece))
        with _disk_errors():
            self._sink.write(piece)
        if len(self.head) < HEAD_BYTES:
            self.head += piece[: HEAD_BYTES - len(self.head)]
        self._hash.update(piece)
        self.position += len(piece)

    def admit(self, total: int) -> None:
        """Agree to a file of ``total`` bytes before it is fetched.

        Raises:
            QuotaExceeded: when that is more than ``bytes_max``.
        """
        if total > self._bytes_max:
            raise QuotaExceeded(
                f"the recording is larger than RECORDING_ARCHIVE_RECORDING_BYTES_MAX ({self._bytes_max})",
                bytes_max=self._bytes_max,
                bytes_total=total,
            )

    def flush(self) -> None:
        """Hand everything to the disk now: a full one must be noticed here, not when the caller reads.

        Raises:
            QuotaExceeded, ConfigurationError: as ``write``.
        """
        with _disk_errors():
            self._sink.flush()

    @property
    def sha256(self) -> str:
        """SHA-256 of all bytes so far, in lower-case hex."""
        return self._hash.hexdigest()
