"""Unpacks one member of a judged archive, never further than its declared size.

The stretch of the file that belongs to a member is read once and in order: its local header, its data, and the
descriptor behind. What it yields is proven: the last piece comes only after size, CRC-32 and both headers agreed.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NoReturn, TypeVar, cast

from include.errors import ArchiveError, ArchiveRejected
from include.transfer.body import put
from include.transfer.inflate import ENGINE, RAW_DEFLATE
from include.transfer.stretches import StretchFile
from include.transfer.whole_inflate import WHOLE_INFLATE
from include.transfer.zip_directory import STORED, judge_place, reject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.transfer.body import Room
    from include.transfer.inflate import Engine, Inflating
    from include.transfer.seekable import SeekableReader
    from include.transfer.zip_directory import Entry

Step = TypeVar("Step")
PACKED_BYTES = 64 * 1024
PIECE_BYTES = 256 * 1024
STORED_BYTES = 1024 * 1024
"""Copied at once where nothing is unpacked: each piece is summed twice, and each sum gives the interpreter away."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file in the archive; ``name`` is a label, never a path. Offsets and sizes in bytes.

    From ``start`` to ``end`` the archive holds this member and nothing else.
    """

    entry: Entry
    end: int

    @property
    def name(self) -> str:
        """What the archive calls it."""
        return self.entry.name

    @property
    def size(self) -> int:
        """Its declared size, unpacked."""
        return self.entry.size_bytes

    @property
    def start(self) -> int:
        """Where its local header begins."""
        return self.entry.header_offset


def unpack(source: BinaryIO, member: Member, engine: Engine = ENGINE) -> Iterator[bytes]:
    """Yield a member's bytes in pieces of at most ``PIECE_BYTES``.

    Raises:
        ArchiveRejected: when the member is not what the directory promised; ``reason`` is one stable word. Errors of
            this project that ``source`` raises pass through; nothing else escapes.
    """
    with _hostile():
        yield from _Unpacking(source, member, engine).pieces()


@contextmanager
def _hostile() -> Iterator[None]:
    """Call everything a rejection that a decompressor fed with hostile bytes may raise."""
    try:
        yield
    except ArchiveError:
        raise
    except Exception as error:
        raise ArchiveRejected(f"a member cannot be read: {type(error).__name__}", reason="unreadable") from error


def pour(source: BinaryIO, member: Member, target: Room, engine: Engine = ENGINE) -> None:
    """Move a member's bytes into ``target``, where it can be without a copy on the way.

    Raises:
        ArchiveRejected: as ``unpack``; then what ``target`` holds is worth nothing. Errors of ``target`` pass through.
    """
    with _hostile():
        unpacking = _Unpacking(source, member, engine)
        whole = unpacking.whole(target)
    if whole is not None:
        target.keep(whole)
    elif member.entry.method == STORED:
        for view in _guarded(unpacking.views(target)):
            target.keep(view)
    else:
        for piece in _guarded(unpacking.pieces()):
            put(target, piece)


def _guarded(steps: Iterator[Step]) -> Iterator[Step]:
    with _hostile():
        yield from steps


class _Unpacking:
    """One pass over one member."""

    def __init__(self, source: BinaryIO, member: Member, engine: Engine) -> None:
        self._source = source
        self._entry = member.entry
        self._position = judge_place(source, member.entry, member.end)
        self._data_end = self._position + member.entry.compressed_bytes
        self._engine = engine
        self._inflate = None if member.entry.method == STORED else engine.decompressobj(RAW_DEFLATE)
        self._packed = b""
        self._left = member.entry.size_bytes
        self._crc = 0

    def pieces(self) -> Iterator[bytes]:
        """Yield everything; the last piece only when all of it is proven."""
        while self._left:
            piece = self._copy() if self._inflate is None else self._unpack(self._inflate)
            self._left -= len(piece)
            self._crc = self._engine.crc32(piece, self._crc)
            if not self._left:
                self._verify()
            if piece:
                yield piece
        if not self._entry.size_bytes:
            self._verify()

    def whole(self, target: Room) -> memoryview | None:
        """Return the member inflated and proven in one place of ``target``; ``None`` where it takes several steps."""
        size, packed_bytes = self._entry.size_bytes, self._entry.compressed_bytes
        if WHOLE_INFLATE is None or self._inflate is None or not size or not isinstance(self._source, StretchFile):
            return None
        packed = self._source.shown(self._position, packed_bytes)
        if packed is None:
            return None
        view = target.room(size)
        if len(view) != size or not WHOLE_INFLATE(packed, view):
            return None
        return view if self._engine.crc32(view, 0) == self._entry.crc32 else None

    def views(self, target: Room) -> Iterator[memoryview]:
        """Fill places of ``target`` and yield each; the last one only when all is proven. For a stored member."""
        while self._left:
            view = target.room(min(STORED_BYTES, self._left))
            view = view[: self._read_packed_into(view)]
            self._left -= len(view)
            self._crc = self._engine.crc32(view, self._crc)
            if not self._left:
                self._verify()
            yield view
        if not self._entry.size_bytes:
            self._verify()

    def _copy(self) -> bytes:
        return self._read_packed(PIECE_BYTES) or self._too_short()

    def _unpack(self, inflate: Inflating) -> bytes:
        packed = self._packed or self._read_packed(PACKED_BYTES)
        # The limit and the unconsumed tail keep a bomb from unpacking in memory. Output may still be due when all
        # input is used up: a repetition that the limit cut in two.
        piece = inflate.decompress(packed, min(PIECE_BYTES, self._left))
        self._packed = inflate.unconsumed_tail
        if not piece and (inflate.eof or not packed):
            self._too_short()
        return piece

    def _too_short(self) -> NoReturn:
        reject("size_mismatch", f"a member ends {self._left} bytes before its declared size")

    def _read_packed(self, limit: int) -> bytes:
        """Return the next packed bytes; empty when all were read."""
        limit = min(limit, self._data_end - self._position)
        if not limit:
            return b""
        self._source.seek(self._position)
        piece = self._source.read(limit)
        if not piece:
            reject("truncated", "the archive ends inside a member")
        self._position += len(piece)
        return piece

    def _read_packed_into(self, view: memoryview) -> int:
        """Fill the start of ``view``, which is no longer than what is left, with the next bytes."""
        self._source.seek(self._position)
        count = cast("SeekableReader", self._source).readinto(view)
        if not count:
            reject("truncated", "the archive ends inside a member")
        self._position += count
        return count

    def _verify(self) -> None:
        """Check what the whole member must satisfy."""
        if self._inflate is not None:
            self._drain(self._inflate)
        if self._crc != self._entry.crc32:
            reject("crc_mismatch", "a member does not match its CRC-32")

    def _drain(self, inflate: Inflating) -> None:
        """Let the decompressor see its end: it must come without another byte, and with all its input used."""
        while not inflate.eof:
            packed = self._packed or self._read_packed(PACKED_BYTES)
            if inflate.decompress(packed, 1):
                reject("size_mismatch", "a member is longer than its declared size")
            self._packed = inflate.unconsumed_tail
            if not packed and not inflate.eof:
                reject("size_mismatch", "a member's compressed data is cut")
        if inflate.unused_data or self._position < self._data_end:
            reject("size_mismatch", "a member has bytes after its compressed data")
