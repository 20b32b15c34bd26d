"""Read the body of a judged answer to its promised end, and not one byte further."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.errors import IntegrityError, TransferInterrupted
from include.transfer.media_http import READ_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.transfer.media_http import MediaResponse


def pieces(response: MediaResponse, length: int | None) -> Iterator[bytes]:
    """Yield the body in order: exactly ``length`` bytes, or all of a body whose end the framing tells.

    Raises:
        TransferInterrupted: when the body ends early or the transfer breaks; what was yielded is good.
        IntegrityError: when the body is longer than promised; what was yielded of this answer is not proven.
    """
    if length is None:
        yield from iter(response.read, b"")
        return
    missing = length
    while missing > 0:
        piece = response.read(min(missing, READ_BYTES))
        if not piece:
            raise TransferInterrupted(f"the body ended {missing} bytes early", bytes_safe=0)
        missing -= len(piece)
        yield piece
    if response.read(1):
        raise IntegrityError("the body is longer than the answer promised", transient=True)
