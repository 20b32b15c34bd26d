"""Open a zip from outside without trusting it: judge everything first, then stream members out.

Member names are labels for the report; they never become paths. ``zip_directory`` reads the records strictly, then
``zipfile`` must come to the same list: what two parsers read alike leaves no room for a third reading.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from include.errors import ArchiveError, ArchiveRejected
from include.transfer.zip_directory import (
    STORED,
    Entry,
    data_offset,
    find_end,
    judge_gap,
    judge_mode,
    read_entries,
    reject,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ArchiveContents", "ArchiveLimits", "Member", "open_archive"]

_PIECE_BYTES = 64 * 1024
_UNSAFE_NAME = re.compile(r"[\x00-\x1f\x7f\\]|^/|^[A-Za-z]:|(?:^|/)\.{1,2}(?:/|$)|//|^$")
_DEFLATE_RATIO_MAX = 1032  # no deflate stream expands further (zlib, "maximum compression factor")


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much an archive may hold. ``ratio_max`` counts only above ``ratio_free_bytes``: silence packs well."""

    members_max: int = 2_000
    member_bytes_max: int = 5 * 1024**3
    total_bytes_max: int = 20 * 1024**3
    directory_bytes_max: int = 8 * 1024**2
    name_bytes_max: int = 1_024
    ratio_max: int = 200
    ratio_free_bytes: int = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class Member:
    """One file in the archive; ``name`` is a label, never a path. Sizes in bytes."""

    name: str
    size: int
    compressed_size: int
    crc32: int
    method: int
    data_offset: int


class ArchiveContents:
    """The files of an archive that was found safe. Members are read one at a time, from the source it was built on."""

    def __init__(self, source: BinaryIO, members: tuple[Member, ...]) -> None:
        self._source = source
        self.members = members

    @contextmanager
    def open(self, member: Member) -> Iterator[BinaryIO]:
        """Yield a member's bytes; size and CRC-32 are checked before the last of them is handed out.

        Raises:
            ArchiveRejected: while reading, when the data is not what the directory promised.
        """
        with cast("BinaryIO", io.BufferedReader(_MemberStream(self._source, member), _PIECE_BYTES)) as stream:
            yield stream


def open_archive(source: BinaryIO, limits: ArchiveLimits) -> ArchiveContents:
    """Judge the whole directory of a zip before any member is taken.

    Args:
        source: the zip, seekable; it stays open and belongs to the caller.
        limits: how much it may hold.

    Raises:
        ArchiveRejected: when anything about it is unsafe, damaged, ambiguous or larger than the limits; ``reason`` is
            one stable word. Errors of this project that ``source`` raises pass through; nothing else escapes.
    """
    try:
        return ArchiveContents(source, _judge(source, limits))
    except ArchiveError:
        raise
    except Exception as error:  # one boundary for a parser fed with hostile bytes
        raise ArchiveRejected(f"the archive cannot be read: {type(error).__name__}", reason="unreadable") from error


def _judge(source: BinaryIO, limits: ArchiveLimits) -> tuple[Member, ...]:
    size = source.seek(0, io.SEEK_END)
    end = find_end(source, size)
    if end.entries > limits.members_max or end.directory_bytes > limits.directory_bytes_max:
        reject("too_many_members", f"the archive holds {end.entries} members")
    entries = read_entries(source, end, limits.name_bytes_max)
    if not entries:
        reject("no_members", "the archive holds no member")
    _judge_names(entries)
    _judge_sizes(entries, limits)
    members = _judge_places(source, entries, end.directory_offset)
    _ask_second_opinion(source, entries)
    if not members:
        reject("no_members", "the archive holds only directories")
    return members


def _judge_names(entries: tuple[Entry, ...]) -> None:
    for entry in entries:
        judge_mode(entry)
        if _UNSAFE_NAME.search(entry.name.removesuffix("/") if entry.is_directory else entry.name):
            reject("unsafe_name", f"a member's name is unsafe: {entry.name[:80]!a}")
    if len({entry.name.rstrip("/") for entry in entries}) != len(entries):
        reject("duplicate_name", "two members have one name")


def _judge_sizes(entries: tuple[Entry, ...], limits: ArchiveLimits) -> None:
    total = sum(entry.size_bytes for entry in entries)
    packed = sum(entry.compressed_bytes for entry in entries)
    if any(entry.size_bytes > limits.member_bytes_max for entry in entries) or total > limits.total_bytes_max:
        reject("too_large", f"the archive unpacks to {total} bytes")
    if total > max(limits.ratio_free_bytes, packed * limits.ratio_max):
        reject("bomb", f"{packed} bytes unpack to {total}")
    for entry in entries:
        stored_wrong = entry.method == STORED and entry.size_bytes != entry.compressed_bytes
        if stored_wrong or entry.size_bytes > entry.compressed_bytes * _DEFLATE_RATIO_MAX:
            reject("size_mismatch", "a member's sizes are impossible for its method")


def _judge_places(source: BinaryIO, entries: tuple[Entry, ...], directory_offset: int) -> tuple[Member, ...]:
    """Walk the members in the order of the file; they must fill it without gap or overlap."""
    members: dict[Entry, Member] = {}
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    if ordered[0].header_offset != 0:
        reject("leading_data", "the first member does not begin the file")
    following = [*(entry.header_offset for entry in ordered[1:]), directory_offset]
    for entry, next_offset in zip(ordered, following, strict=True):
        start = data_offset(source, entry)
        judge_gap(source, entry, start + entry.compressed_bytes, next_offset)
        members[entry] = Member(entry.name, entry.size_bytes, entry.compressed_bytes, entry.crc32, entry.method, start)
    return tuple(members[entry] for entry in entries if not entry.is_directory)


def _ask_second_opinion(source: BinaryIO, entries: tuple[Entry, ...]) -> None:
    source.seek(0)
    with zipfile.ZipFile(source) as archive:
        theirs = [
            (info.orig_filename, info.header_offset, info.compress_size, info.file_size, info.CRC)
            for info in archive.infolist()
        ]
    ours = [
        (entry.name, entry.header_offset, entry.compressed_bytes, entry.size_bytes, entry.crc32) for entry in entries
    ]
    if ours != theirs:
        reject("parsers_disagree", "two readers see different members")


class _MemberStream(io.RawIOBase):
    """Inflates one member, never further than its declared size."""

    def __init__(self, source: BinaryIO, member: Member) -> None:
        super().__init__()
        self._source = source
        self._member = member
        self._inflate = None if member.method == STORED else zlib.decompressobj(-zlib.MAX_WBITS)
        self._packed_left = member.compressed_size
        self._packed = b""
        self._position = member.data_offset
        self._left = member.size
        self._crc = 0
        self._verified = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # Buffer is 3.12's name
        try:
            piece = self._next(len(buffer))
        except ArchiveError:
            raise
        except Exception as error:  # one boundary for a decompressor fed with hostile bytes
            raise ArchiveRejected(f"a member cannot be read: {type(error).__name__}", reason="unreadable") from error
        buffer[: len(piece)] = piece
        return len(piece)

    def _next(self, limit: int) -> bytes:
        piece = b""
        while not piece and self._left:
            piece = self._unpack(min(limit, self._left))
        self._left -= len(piece)
        self._crc = zlib.crc32(piece, self._crc)
        if not self._left and not self._verified:
            self._verify()
        return piece

    def _unpack(self, limit: int) -> bytes:
        if not self._packed:
            self._packed = self._read_packed(_PIECE_BYTES if self._inflate else min(limit, _PIECE_BYTES))
        if self._inflate is None:
            piece, self._packed = self._packed[:limit], self._packed[limit:]
            return piece
        # The limit and the unconsumed tail keep a bomb from unpacking in memory.
        piece = self._inflate.decompress(self._packed, limit)
        self._packed = self._inflate.unconsumed_tail
        if not piece and self._inflate.eof:
            reject("size_mismatch", f"a member ends {self._left} bytes before its declared size")
        return piece

    def _read_packed(self, limit: int) -> bytes:
        if self._packed_left == 0:
            reject("size_mismatch", f"a member ends {self._left} bytes before its declared size")
        self._source.seek(self._position)
        piece = self._source.read(min(limit, self._packed_left))
        if not piece:
            reject("truncated", "the archive ends inside a member")
        self._position += len(piece)
        self._packed_left -= len(piece)
        return piece

    def _verify(self) -> None:
        """Check what the whole member must satisfy."""
        if self._inflate is not None:
            self._drain(self._inflate)
        elif self._packed_left:
            reject("size_mismatch", "a member is longer than its declared size")
        if self._crc != self._member.crc32:
            reject("crc_mismatch", "a member does not match its CRC-32")
        self._verified = True

    def _drain(self, inflate: zlib._Decompress) -> None:
        """Let the decompressor see its end: it must come without another byte, and with all its input used."""
        while not inflate.eof:
            packed = self._packed or (self._read_packed(_PIECE_BYTES) if self._packed_left else b"")
            if inflate.decompress(packed, 1):
                reject("size_mismatch", "a member is longer than its declared size")
            self._packed = inflate.unconsumed_tail
            if not packed and not inflate.eof:
                reject("size_mismatch", "a member's compressed data is cut")
        if inflate.unused_data or self._packed_left:
            reject("size_mismatch", "a member has bytes after its compressed data")
