"""Stored bytes that need not be in memory: a rope of repeating stretches with a size, ranges and a digest."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Stretch:
    """``length`` bytes: the pattern, repeated and cut."""

    pattern: bytes
    length: int

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield bytes ``start`` to ``stop`` (excluded) in small chunks."""
        size = len(self.pattern)
        position = start
        while position < stop:
            offset = position % size
            taken = min(CHUNK_BYTES, size - offset, stop - position)
            yield self.pattern[offset : offset + taken]
            position += taken


def whole(data: bytes) -> Stretch:
    """Return the stretch that is these bytes, once."""
    return Stretch(data, len(data))


@dataclass(frozen=True, slots=True)
class Body:
    """One stored object. Immutable: reading it twice gives the same bytes."""

    stretches: tuple[Stretch, ...]
    content_type: str

    @property
    def size(self) -> int:
        """Length in bytes."""
        return sum(stretch.length for stretch in self.stretches)

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield bytes ``start`` to ``stop`` (excluded; to the end by default) in chunks of at most 64 KiB."""
        end = self.size if stop is None else min(stop, self.size)
        base = 0
        for stretch in self.stretches:
            first, last = max(start - base, 0), min(end - base, stretch.length)
            if first < last:
                yield from stretch.read(first, last)
            base += stretch.length

    def bytes(self) -> bytes:
        """Return all of it; only for bodies known to be small."""
        return b"".join(self.read())

    def sha256(self) -> str:
        """Return the hexadecimal digest of all of it."""
        digest = sha256()
        for chunk in self.read():
            digest.update(chunk)
        return digest.hexdigest()


def body_of(data: bytes, content_type: str) -> Body:
    """Return the body that is exactly these bytes."""
    return Body((whole(data),) if data else (), content_type)
