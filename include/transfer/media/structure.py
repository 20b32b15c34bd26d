"""What a structural walk finds out, and the bounded reader that every walk uses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from include.lake.file_sums import SummedBody

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_BYTES = 256 * 1024
_COUNT_MAX = 2**31 - 1
_MILLISECONDS_MAX = 2**53 - 1
"""What the columns of the catalog hold, and what every reader of JSON reads exactly (RFC 7493, 2.2)."""


class Malformed(Exception):  # noqa: N818 - never leaves this package: ``integrity`` turns it into a finding
    """The file is not what its format promises; the message says where."""


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """What the headers say of the sound; ``None`` where the container does not tell."""

    codec: str
    channels: int | None = None
    sample_rate_hz: int | None = None
    duration_milliseconds: int | None = None

    def credible(self) -> AudioFacts:
        """Return them without the numbers that no sound can have.

        A header holds any number, and one that does not fit its column would keep a whole day out of the catalog.
        """
        return replace(
            self,
            channels=_at_most(self.channels, _COUNT_MAX),
            sample_rate_hz=_at_most(self.sample_rate_hz, _COUNT_MAX),
            duration_milliseconds=_at_most(self.duration_milliseconds, _MILLISECONDS_MAX),
        )


def _at_most(number: int | None, most: int) -> int | None:
    return number if number is not None and number <= most else None


@dataclass(frozen=True, slots=True)
class Structure:
    """A file that was walked to its end. ``notes`` are oddities that do not make it less whole."""

    audio: AudioFacts | None = None
    empty: bool = False
    notes: tuple[str, ...] = ()


class Window:
    """Reads at rising offsets through one buffer: constant memory, whatever the size of the file.

    A file that rests in memory is its own buffer.
    """

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self.size = size
        self._start = 0
        shown = stream.view if isinstance(stream, SummedBody) else None
        self._in_memory = shown is not None
        self._buffer = memoryview(b"") if shown is None else shown[:size]

    def take(self, offset: int, length: int) -> bytes:
        """Return exactly ``length`` bytes.

        Raises:
            Malformed: when the file ends before.
        """
        return bytes(self.view(offset, length))

    def view(self, offset: int, length: int) -> memoryview:
        """Return exactly ``length`` bytes, not copied: good until the next call.

        Raises:
            Malformed: when the file ends before.
        """
        piece = self._shown(offset, length)
        if len(piece) < length:
            raise Malformed(f"the file ends at byte {self.size}, inside the {length} bytes at {offset}")
        return piece

    def upto(self, offset: int, length: int) -> bytes:
        """Return at most ``length`` bytes, fewer at the end of the file."""
        return bytes(self._shown(offset, length))

    def _shown(self, offset: int, length: int) -> memoryview:
        begin = offset - self._start
        if not self._in_memory and (begin < 0 or begin + length > len(self._buffer)):
            self._stream.seek(offset)
            self._start, begin = offset, 0
            self._buffer = memoryview(self._stream.read(max(length, WINDOW_BYTES)))
        return self._buffer[begin : begin + length]


if TYPE_CHECKING:
    Walk = Callable[[Window], Structure]


def milliseconds(samples: int, rate_hz: int | None) -> int | None:
    """Return the length of ``samples`` at a rate; ``None`` where the rate is unknown or nonsense."""
    return round(samples * 1000 / rate_hz) if rate_hz else None
