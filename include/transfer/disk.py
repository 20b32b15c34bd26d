"""What an error of the local disk means for a recording."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from include.errors import ConfigurationError, QuotaExceeded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


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
        if error.errno in _FULL:
            raise QuotaExceeded(f"the work directory is full: {error.strerror}", errno=error.errno) from error
        raise ConfigurationError(f"the work directory cannot be written: {error.strerror}") from error


def made_folder(folder: Path) -> Path:
    """Return the folder, which exists from now on and is nobody else's.

    Raises:
        ConfigurationError: when it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(f"RECORDING_ARCHIVE_STATE_DIR cannot be used: {error.strerror}") from error
    return folder
