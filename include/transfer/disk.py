"""What an error of the local disk means for a recording."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from include import state_file
from include.errors import ConfigurationError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path


def disk_errors() -> AbstractContextManager[None]:
    """Name what went wrong in the work directory.

    Raises:
        QuotaExceeded: when it is full.
        ConfigurationError: when it fails in another way.
    """
    return state_file.disk_errors("the work directory is full", "the work directory cannot be written")


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
