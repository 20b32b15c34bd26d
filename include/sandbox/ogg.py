"""Ogg pages (RFC 3533): cut an encoded stream short and write a comment into it without encoding again.

Encoding Opus is the sandbox's only real expense, so it is done once per voice; every recording is then the same
stream cut at another page with its own id in the comment header (RFC 7845, section 5.2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from struct import pack, unpack_from

SERIAL = 0x47432D31
_END_OF_STREAM = 0x04


def _table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        register = value << 24
        for _ in range(8):
            register = ((register << 1) ^ 0x04C11DB7) if register & 0x80000000 else register << 1
        table.append(register & 0xFFFFFFFF)
    return tuple(table)


_CRC = _table()


def checksum(page: bytes) -> int:
    """Return the page checksum: CRC-32 with polynomial 0x04C11DB7, not reflected, starting at 0."""
    register = 0
    for byte in page:
        register = ((register << 8) & 0xFFFFFFFF) ^ _CRC[(register >> 24) ^ byte]
    return register


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its flags, position in 48 kHz samples, sequence number, lacing table and payload."""

    flags: int
    granule: int
    sequence: int
    lacing: bytes
    payload: bytes

    def encode(self) -> bytes:
        """Return the page with our fixed serial number and a right checksum."""
        head = b"OggS\0" + pack("<BqII", self.flags, self.granule, SERIAL, self.sequence)
        tail = bytes([len(self.lacing)]) + self.lacing + self.payload
        return head + pack("<I", checksum(head + b"\0\0\0\0" + tail)) + tail


def pages_of(stream: bytes) -> list[Page]:
    """Split an Ogg stream into pages."""
    pages, position = [], 0
    while position < len(stream):
        flags, granule, _, sequence, _, count = unpack_from("<BqIIIB", stream, position + 5)
        lacing = stream[position + 27 : position + 27 + count]
        start = position + 27 + count
        position = start + sum(lacing)
        pages.append(Page(flags, granule, sequence, lacing, stream[start:position]))
    return pages


def ended(page: Page) -> Page:
    """Return the page marked as the last of its stream."""
    return replace(page, flags=page.flags | _END_OF_STREAM)
