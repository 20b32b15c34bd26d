"""A zip with one large member of zeros that nobody stores, read to its end: a program of its own, for its memory."""

from __future__ import annotations

import io
import json
import resource
import struct
import sys

from include.transfer.archive_reader import ArchiveLimits, open_archive
from include.transfer.inflate import ENGINE

NAME = b"long.wav"
FULL = 2**32 - 1
ZEROS = bytes(256 * 1024)


def crc_of_zeros(size: int) -> int:
    """Return the CRC-32 of so many zeros."""
    crc = 0
    for _ in range(size // len(ZEROS)):
        crc = ENGINE.crc32(ZEROS, crc)
    return ENGINE.crc32(ZEROS[: size % len(ZEROS)], crc)


class Virtual(io.RawIOBase):
    """The zip as a stream: its records, and zeros that nobody stores between them. 64-bit records at any size."""

    def __init__(self, size: int) -> None:
        super().__init__()
        crc, sizes = crc_of_zeros(size), struct.pack("<2H2Q", 1, 16, size, size)
        head = struct.pack("<4s5H3I2H", b"PK\3\4", 45, 0, 0, 0, 33, crc, FULL, FULL, len(NAME), len(sizes))
        fields = (b"PK\1\2", 45, 45, 0, 0, 0, 33, crc, FULL, FULL, len(NAME), len(sizes), 0, 0, 0, 0, 0)
        directory = struct.pack("<4s6H3I5H2I", *fields) + NAME + sizes
        self.head = head + NAME + sizes
        self.tail_at = len(self.head) + size
        self.tail = directory + struct.pack("<4sQ2H2I", b"PK\6\6", 44, 45, 45, 0, 0)
        self.tail += struct.pack("<4Q", 1, 1, len(directory), self.tail_at)
        self.tail += struct.pack("<4sIQI", b"PK\6\7", 0, self.tail_at + len(directory), 1)
        self.tail += struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(directory), FULL, 0)
        self.position = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place."""
        end = self.tail_at + len(self.tail)
        self.position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: end}[whence]
        return self.position

    def tell(self) -> int:
        """Return the place."""
        return self.position

    def read(self, size: int = -1, /) -> bytes:
        """Make the bytes that would be there."""
        if self.position < len(self.head):
            piece = self.head[self.position :][:size] if size >= 0 else self.head[self.position :]
        elif self.position < self.tail_at:
            piece = ZEROS[: min(size, self.tail_at - self.position)]
        else:
            piece = self.tail[self.position - self.tail_at :]
            piece = piece[:size] if size >= 0 else piece
        self.position += len(piece)
        return piece


def main(size: int) -> None:
    """Read it, say how much came out and how much memory that took."""
    source = Virtual(size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    contents = open_archive(source, ArchiveLimits())
    read = sum(len(piece) for piece in contents.pieces(contents.members[0]))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    print(json.dumps({"read_bytes": read, "grown_bytes": grown}))  # noqa: T201 - its answer


if __name__ == "__main__":
    main(int(sys.argv[1]))
