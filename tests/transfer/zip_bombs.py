"""Small zips that want to be large: a program of its own, started by ``test_zip_mutants``, one bomb for each start."""

from __future__ import annotations

import io
import json
import resource
import struct
import sys
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.errors import ArchiveRejected
from include.transfer.archive_reader import ArchiveLimits, open_archive
from tests.transfer.hostile_zip import Part, build

if TYPE_CHECKING:
    from collections.abc import Callable

MEGABYTE = 1024**2
QUOTES = 24  # few enough to stay below the rule on sizes, so that the overlap itself is what is seen


@dataclass(frozen=True)
class Bomb:
    """How it is built, the word it is refused with, and how much may be unpacked before that."""

    make: Callable[[], bytes]
    reason: str
    read_bytes_max: int = 0


def zeros(megabytes: int) -> bytes:
    """Return the deflated form of zeros, made without holding them."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join(deflate.compress(bytes(MEGABYTE)) for _ in range(megabytes)) + deflate.flush()


def lying(packed: bytes, size: int) -> Part:
    """Return a member that declares another size than it unpacks to."""
    facts = {"size": size, "compressed": len(packed), "crc": 0}
    return Part(packed=packed, data=b"", local=facts, central=facts)


def ratio() -> bytes:
    """One member of 300 MB in 300 kB, told honestly."""
    return build(lying(zeros(300), 300 * MEGABYTE))


def understated() -> bytes:
    """The same, but said to be one megabyte: the declared size is where unpacking ends."""
    return build(lying(zeros(300), MEGABYTE))


def overlap() -> bytes:
    """Members that share one kernel: 51 kB become a gigabyte (CPython before 3.13 reads it)."""
    kernel = zeros(10)
    first = Part(b"0", bytes(10 * MEGABYTE), packed=kernel)
    return build(first, *[Part(str(n).encode(), central={"offset": 0}) for n in range(1, 1500)])


def quoted() -> bytes:
    """Each member's data begins with the header of the next one, quoted in a stored block (D. Fifield, 2019)."""
    kernel, body, directory = zeros(10), b"", b""
    headers: list[bytes] = []
    crc = zlib.crc32(bytes(10 * MEGABYTE))
    for n in reversed(range(QUOTES)):
        following = headers[-1] if headers else b""
        quote = struct.pack("<BHH", 0, len(following), len(following) ^ 0xFFFF) if following else b""
        headers.append(struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 33, crc, 1, 10 * MEGABYTE, 3, 0) + b"%03d" % n)
        body = headers[-1] + quote + body
    body += kernel
    at = 0
    for n, header in enumerate(reversed(headers)):
        size, left = 10 * MEGABYTE + 33 * (QUOTES - 1 - n), len(body) - at - len(header)
        fields = (b"PK\1\2", 20, 20, 0, 8, 0, 33, crc, left, size, 3, 0, 0, 0, 0, 0, at)
        directory += struct.pack("<4s6H3I5H2I", *fields) + b"%03d" % n
        at += len(header) + 5
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, QUOTES, QUOTES, len(directory), len(body), 0)
    return body + directory + end


def million() -> bytes:
    """A million empty members, with the 64-bit records that so many need."""
    body, directory = bytearray(), bytearray()
    for n in range(1_000_000):
        name = b"%06d" % n
        directory += struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, 6, 0, 0, 0, 0, 0, len(body))
        directory += name
        body += struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, 6, 0) + name
    at = len(body)
    end = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1_000_000, 1_000_000, len(directory), at)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, at + len(directory), 1)
    short = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(directory), at, 0)
    return bytes(body + directory) + end + locator + short


def wide_lie() -> bytes:
    """A 64-bit extra field that declares eight exabytes."""
    record = struct.pack("<2HQ", 1, 8, 1 << 63)
    return build(Part(central_extra=record, central={"size": 0xFFFFFFFF}))


def directory_lie() -> bytes:
    """An end record that declares a directory of four gigabytes."""
    return build(Part(), end={"cd_bytes": 0xFFFFFFFE})


def nested() -> bytes:
    """A zip of zips of zeros: the inner ones are data, and no one opens them."""
    inner = build(Part(b"zeros", bytes(20 * MEGABYTE)))
    return build(*[Part(b"%d.zip" % n, inner, method=0) for n in range(16)])


BOMBS = {
    "ratio": Bomb(ratio, "bomb"),
    "understated": Bomb(understated, "size_mismatch", MEGABYTE),
    "overlap": Bomb(overlap, "overlap"),
    "quoted": Bomb(quoted, "overlap"),
    "million": Bomb(million, "too_many_members"),
    "wide-lie": Bomb(wide_lie, "too_large"),
    "directory-lie": Bomb(directory_lie, "directory_misplaced"),
    "nested": Bomb(nested, "", MEGABYTE),
}


def main(name: str) -> None:
    """Read one bomb to its end or its refusal, as the archive does, and print what it cost."""
    body = io.BytesIO(BOMBS[name].make())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    begun, read, reason = time.monotonic(), 0, ""
    try:
        contents = open_archive(body, ArchiveLimits(), is_remote=True)
        for member in contents.members:
            for piece in contents.pieces(member):
                read += len(piece)
    except ArchiveRejected as error:
        reason = error.reason
    seconds = time.monotonic() - begun
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    answer = {"bomb": name, "reason": reason, "read_bytes": read, "seconds": seconds, "grown_bytes": grown}
    print(json.dumps(answer))  # noqa: T201 - its answer


if __name__ == "__main__":
    main(sys.argv[1])
