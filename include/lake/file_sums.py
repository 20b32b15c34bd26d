"""SHA-256 and CRC64NVME of a file in one pass: what it is called by, and what the bucket checks it by in parts.

S3 computes no SHA-256 over an object in parts, but CRC64NVME over each part and over all of it. Taken here from the
very buffers that are hashed, the bucket's CRC proves that the parts it took are the bytes that were hashed, whatever
happened to the file in between; so nobody reads it again to send it.
"""

from __future__ import annotations

import hashlib

from awscrt.checksums import combine_crc64nvme, crc64nvme

BLOCK_BYTES = 1024 * 1024
"""Parts are whole blocks: 8 bytes are remembered of each, 40 kB of the largest recording."""


class FileSums:
    """Grows by ``update``. Blocks are summed only from a start where ``in_blocks`` is asked for."""

    __slots__ = ("_blocks", "_filled", "_sha256", "bytes")

    def __init__(self, *, in_blocks: bool = False) -> None:
        self._sha256 = hashlib.sha256()
        self._blocks: list[int] | None = [] if in_blocks else None
        self._filled = 0
        self.bytes = 0

    def update(self, view: memoryview) -> None:
        """Take the next bytes."""
        self._sha256.update(view)
        self.bytes += len(view)
        if self._blocks is not None:
            self._sum(view, self._blocks)

    def copy(self) -> FileSums:
        """Return the present state."""
        other = FileSums()
        other._sha256, other.bytes, other._filled = self._sha256.copy(), self.bytes, self._filled
        other._blocks = None if self._blocks is None else list(self._blocks)
        return other

    def hexdigest(self) -> str:
        """Return the SHA-256 so far."""
        return self._sha256.hexdigest()

    @property
    def in_blocks(self) -> bool:
        """Whether ``crc64nvme_of`` can tell."""
        return self._blocks is not None

    def crc64nvme_of(self, offset: int, length: int) -> int:
        """Return the CRC64NVME of a stretch that begins with a block and ends with one, or with the file.

        Raises:
            ValueError: when it does neither, or was never summed.
        """
        end = offset + length
        if (
            self._blocks is None
            or offset % BLOCK_BYTES
            or (end % BLOCK_BYTES and end != self.bytes)
            or end > self.bytes
        ):
            raise ValueError("no stretch of whole blocks")
        whole = 0
        for start in range(offset, end, BLOCK_BYTES):
            whole = combine_crc64nvme(whole, self._blocks[start // BLOCK_BYTES], min(BLOCK_BYTES, end - start))
        return whole

    def _sum(self, view: memoryview, blocks: list[int]) -> None:
        while view:
            if self._filled == 0:
                blocks.append(0)
            piece = view[: BLOCK_BYTES - self._filled]
            blocks[-1] = crc64nvme(piece, blocks[-1])
            self._filled = (self._filled + len(piece)) % BLOCK_BYTES
            view = view[len(piece) :]


class SummedBody:
    """A body at rest that knows its own sums: in memory, where ``view`` shows it, or in the open file ``fileno``.

    A class to inherit from: asking whether an object has the shape of a protocol costs as much as signing a request.
    """

    sums: FileSums | None = None
    """What it held when it was filled; ``None`` where that is not known."""

    @property
    def view(self) -> memoryview | None:
        """All of it, where it is in memory."""
        raise NotImplementedError

    def fileno(self) -> int:
        """Return its file."""
        raise NotImplementedError
