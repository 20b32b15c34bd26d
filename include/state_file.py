"""A small file of this machine's, in the state folder: one process at a time reads it and writes it anew.

The lock is ``flock``, which the kernel releases however a process ends; the folder must be local to the machine.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from include.errors import ConfigurationError, QuotaExceeded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def disk_errors(full: str, otherwise: str) -> Iterator[None]:
    """Name what went wrong on the local disk; the system's own words follow these.

    Raises:
        QuotaExceeded: where a file cannot grow.
        ConfigurationError: when it fails in another way.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise QuotaExceeded(f"{full}: {error.strerror}", errno=error.errno) from error
        raise ConfigurationError(f"{otherwise}: {error.strerror}") from error


@contextmanager
def locked_state(path: Path) -> Iterator[int]:
    """Open a state file, made where there is none, and hold it alone; yields its descriptor.

    Raises:
        ConfigurationError: when the state folder cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # O_NOFOLLOW: the default folder is below /tmp, where others could plant a link.
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"RECORDING_ARCHIVE_STATE_DIR {str(path.parent)!r} cannot be written: {error.strerror}"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)  # releases the lock, as the end of the process does


def write_state(file: int, payload: bytes) -> None:
    """Let the file hold these bytes and no others.

    Raises:
        QuotaExceeded: when the disk is full.
        ConfigurationError: when it fails in another way.
    """
    what = "RECORDING_ARCHIVE_STATE_DIR cannot be written"
    with disk_errors(full=what, otherwise=what):
        os.pwrite(file, payload, 0)
        os.ftruncate(file, len(payload))
