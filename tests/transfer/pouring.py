"""Members of a zip as a bundle takes them: out of its stretches, straight into the sink."""

from __future__ import annotations

import io
from contextlib import closing
from typing import TYPE_CHECKING, cast

from include.transfer.hashed_sink import HashedSink
from include.transfer.ranged_source import RangedSource
from include.transfer.stretches import StretchFile, plan_stretches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from include.transfer.archive_reader import ArchiveContents

BLOCK_BYTES = 512 * 1024


def source_of(body: bytes) -> RangedSource:
    """Return bytes as a remote file."""

    def fill(offset: int, view: memoryview) -> int:
        piece = body[offset : offset + len(view)]
        view[: len(piece)] = piece
        return len(piece)

    return RangedSource(len(body), fill)


def poured(source: io.BytesIO, contents: ArchiveContents) -> Iterator[bytes]:
    """Yield the bytes of each member of an archive that was opened on this source."""
    view = StretchFile(source_of(source.getvalue()), BLOCK_BYTES)
    view.aim(plan_stretches(contents.members, BLOCK_BYTES))
    for member in contents.members:
        place = io.BytesIO()
        with closing(HashedSink(place, member.size)) as sink:
            contents.pour(member, sink, cast("BinaryIO", view))
        yield place.getvalue()
