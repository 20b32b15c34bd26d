"""AMR and AMR-WB: the frame walk (RFC 4867, 5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.transfer.media.structure import WINDOW_BYTES, AudioFacts, Malformed, Structure

if TYPE_CHECKING:
    from include.transfer.media.structure import Window

_FRAME_MILLISECONDS = 20
_NARROW = {0: 13, 1: 14, 2: 16, 3: 18, 4: 20, 5: 21, 6: 27, 7: 32, 8: 6, 15: 1}
_WIDE = {0: 18, 1: 24, 2: 33, 3: 37, 4: 41, 5: 47, 6: 51, 7: 59, 8: 61, 9: 6, 14: 1, 15: 1}


def walk(window: Window) -> Structure:
    """Go from frame to frame to the end; a cut exactly between two frames cannot be seen.

    Raises:
        Malformed: when a frame is cut or of no known type.
    """
    wide = window.upto(0, 9) == b"#!AMR-WB\n"
    sizes, offset = (_WIDE, 9) if wide else (_NARROW, 6)
    lengths = [sizes.get(first >> 3 & 15, 0) for first in range(256)]
    frames = 0
    while offset < window.size:
        at, count = _run(window.upto(offset, WINDOW_BYTES), lengths)
        offset, frames = offset + at, frames + count
        if not count or offset > window.size:
            raise Malformed(f"the frame that ends or begins at byte {offset} is cut or unknown")
    facts = AudioFacts("amr-wb" if wide else "amr-nb", 1, 16000 if wide else 8000, frames * _FRAME_MILLISECONDS)
    return Structure(facts, empty=frames == 0)


def _run(block: bytes, lengths: list[int]) -> tuple[int, int]:
    """Walk the frames that begin in ``block``; return where they stop and how many there were."""
    at = frames = 0
    while at < len(block):
        length = lengths[block[at]]
        if not length:
            break
        at += length
        frames += 1
    return at, frames
