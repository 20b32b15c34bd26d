"""A plain place for bytes that are on their way: in memory while they are few, then in an unnamed file.

For the members of a zip; a whole download rests in a ``recording_spool``.
"""

from __future__ import annotations

from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

from include.transfer.disk import made_folder
from include.transfer.hashed_sink import HashedSink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.settings import ArchiveSettings

__all__ = ["HashedSink", "spool"]


@contextmanager
def spool(settings: ArchiveSettings) -> Iterator[BinaryIO]:
    """Yield an empty seekable sink: memory up to ``memory_bytes``, then a file without a name in ``state_dir/work``.

    The file has no name, so a killed worker leaves nothing behind.

    Raises:
        ConfigurationError: when the work directory cannot be made.
    """
    work = made_folder(settings.state_dir / "work")
    with SpooledTemporaryFile(max_size=settings.memory_bytes, dir=str(work)) as sink:
        yield cast("BinaryIO", sink)
