"""Writes large zips from a few members that are packed once: making the input must not take longer than measuring."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from struct import pack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

STORED, DEFLATED = 0, 8
_VERSION, _DATE = 20, 0x5A21  # zip 2.0; 2025-01-01
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Packed:
    """A member's data as it stands in the zip. ``crc32`` and ``size`` are of the content."""

    data: bytes
    method: int
    crc32: int
    size: int

    @classmethod
    def of(cls, content: bytes, method: int) -> Packed:
        """Pack content once."""
        data = content
        if method == DEFLATED:
            deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
            data = deflate.compress(content) + deflate.flush()
        return cls(data, method, zlib.crc32(content), len(content))


def write_zip(path: Path, members: Iterable[tuple[str, Packed]]) -> None:
    """Write a zip below 4 GiB (no zip64) with these members in order."""
    directory = bytearray()
    count = offset = 0
    with path.open("wb") as file:
        for name, member in members:
            label = name.encode("ascii")
            facts = pack(
                "<HHHHHIIIHH", _VERSION, 0, member.method, 0, _DATE, member.crc32, len(member.data), member.size,
                len(label), 0,
            )  # fmt: skip
            file.write(b"PK\x03\x04" + facts + label)
            file.write(member.data)
            directory += b"PK\x01\x02" + pack("<H", _VERSION) + facts + pack("<HHHII", 0, 0, 0, 0, offset) + label
            offset += 30 + len(label) + len(member.data)
            count += 1
        file.write(directory)
        file.write(b"PK\x05\x06" + pack("<HHHHIIH", 0, 0, count, count, len(directory), offset, 0))
