"""What an error of the local disk means for a recording."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from include.errors import ConfigurationError, QuotaExceeded
from include.state_file import DISK_FULL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def disk_errors() -> Iterator[None]:
    """Name what went wrong in the work directory.

    Raises:
        QuotaExceeded: when it is full.
        ConfigurationError: when it fails in another way.
    """
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise QuotaExceeded(f"the work directory is full: {error.strerror}", errno=error.errno) from error
        raise ConfigurationError(f"the work directory cannot be written: {error.strerror}") from error


def made_folder(folder: Path) -> Path:
    """Return the folder, which exists from now on; where it is made here, nobody else may enter it.

    Raises:
        ConfigurationError: when it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(f"RECORDING_ARCHIVE_STATE_DIR cannot be used: {error.strerror}") from error
    return folder


def cut(fd: int, size: int) -> None:
    """Make a file at most so long.

    One that is no longer is left alone: ext4 takes a file that was cut to nothing, even an empty one, for one that is
    being replaced, and writes all of it to the disk when it is closed (``auto_da_alloc``): 0.4 s for a GB (measured).
    """
    if os.fstat(fd).st_size > size:
        os.ftruncate(fd, size)
