"""Open a zip from outside without trusting it: judge everything first, then stream members out.

Member names are labels for the report; they never become paths. ``zip_directory`` reads the records strictly, then
``zipfile`` must come to the same list: what two parsers read alike leaves no room for a third reading.

The directory alone is enough to judge names, sizes and places, so an archive on the far side of a network is judged
by its last bytes; what only the bytes of a member can show is judged when they come (``unpack``).
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from include.errors import ArchiveError, ArchiveRejected
from include.transfer.inflate import ENGINE
from include.transfer.unpack import Member, pour, unpack
from include.transfer.zip_directory import (
    STORED,
    Entry,
    find_end,
    judge_layout,
    judge_mode,
    judge_place,
    read_at,
    read_entries,
    reject,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.transfer.body import Room
    from include.transfer.inflate import Engine

__all__ = ["ArchiveContents", "ArchiveLimits", "Member", "open_archive"]

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


class ArchiveContents:
    """The files of an archive that was found safe. Members are read from the source it was built on, or a twin of it.

    ``directory_sha256`` is the digest of the zip's own directory, which names every member with its size and CRC-32.
    """

    def __init__(
        self, source: BinaryIO, members: tuple[Member, ...], directory_sha256: str, engine: Engine = ENGINE
    ) -> None:
        self._source = source
        self._engine = engine
        self.members = members
        self.directory_sha256 = directory_sha256

    def pieces(self, member: Member, source: BinaryIO | None = None) -> Iterator[bytes]:
        """Yield a member's bytes; the last piece only when its size, its CRC-32 and both of its headers agreed.

        ``source`` are the same bytes seen through another stream, for readers side by side.

        Raises:
            ArchiveRejected: while reading, when the data is not what the directory promised.
        """
        return unpack(source or self._source, member, self._engine)

    def pour(self, member: Member, target: Room, source: BinaryIO | None = None) -> None:
        """Move a member's bytes into ``target``; raises as ``pieces``, and then what ``target`` holds is no member."""
        pour(source or self._source, member, target, self._engine)


def open_archive(
    source: BinaryIO, limits: ArchiveLimits, *, is_remote: bool = False, engine: Engine = ENGINE
) -> ArchiveContents:
    """Judge the whole directory of a zip before any member is taken.

    Args:
        source: the zip, seekable; it stays open and belongs to the caller.
        limits: how much it may hold.
        is_remote: leave the members' own headers for later; each is a read of its own, far from the others.
        engine: what inflates.

    Raises:
        ArchiveRejected: when anything about it is unsafe, damaged, ambiguous or larger than the limits; ``reason`` is
            one stable word. Errors of this project that ``source`` raises pass through; nothing else escapes.
    """
    try:
        return _judge(source, limits, engine, is_remote=is_remote)
    except ArchiveError:
        raise
    except Exception as error:  # one boundary for a parser fed with hostile bytes
        raise ArchiveRejected(f"the archive cannot be read: {type(error).__name__}", reason="unreadable") from error


def _judge(source: BinaryIO, limits: ArchiveLimits, engine: Engine, *, is_remote: bool) -> ArchiveContents:
    size = source.seek(0, io.SEEK_END)
    end = find_end(source, size)
    if end.entries > limits.members_max or end.directory_bytes > limits.directory_bytes_max:
        reject("too_many_members", f"the archive holds {end.entries} members")
    directory = read_at(source, end.directory_offset, end.directory_bytes)
    entries = read_entries(directory, end.entries, limits.name_bytes_max)
    if not entries:
        reject("no_members", "the archive holds no member")
    _judge_names(entries)
    _judge_sizes(entries, limits)
    ends = judge_layout(entries, end.directory_offset)
    if not is_remote:
        for entry, stretch_end in zip(entries, ends, strict=True):
            judge_place(source, entry, stretch_end)
    _ask_second_opinion(source, entries)
    places = zip(entries, ends, strict=True)
    members = tuple(Member(entry, stretch_end) for entry, stretch_end in places if not entry.is_directory)
    if not members:
        reject("no_members", "the archive holds only directories")
    return ArchiveContents(source, members, hashlib.sha256(directory).hexdigest(), engine)


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
