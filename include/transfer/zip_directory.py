"""Read a zip's directory byte by byte and refuse whatever could be read in two ways.

``zipfile`` is lenient: it opens damaged archives as empty, loses members to a damaged count, follows overlapping
members (51 kB become a gigabyte) and cuts names at NUL. So the record layout of PKWARE's APPNOTE 6.3.10 is read
strictly here: the members must fill the file from byte 0 to the directory without gap or overlap, both copies of
each header must agree, and the end record must end the file.
"""

from __future__ import annotations

import re
import stat
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from include.errors import ArchiveRejected

if TYPE_CHECKING:
    from collections.abc import Sequence

STORED, DEFLATED = 0, 8
EMPTY_DEFLATE_BYTES = 2
SATURATED_16, SATURATED_32 = 0xFFFF, 0xFFFFFFFF
_END = struct.Struct("<4s4H2IH")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_ENCRYPTED_FLAGS = 1 << 0 | 1 << 6 | 1 << 13
_PATCHED = 1 << 5
_UTF8 = 1 << 11
_DESCRIPTOR = 1 << 3
_DESCRIPTOR_BYTES_MAX = 24
_EXTRA_RECORDS_MAX = 64
"""Writers leave a handful. ``zipfile`` copies the rest of the field for each: 8 MB of empty ones took it 2.5 s."""

_ZIP64_EXTRA, _UNICODE_PATH_EXTRA, _STRONG_EXTRA = 0x0001, 0x7075, 0x0017


@dataclass(frozen=True, slots=True)
class End:
    """What the end records say: where the directory is and how many members it has."""

    entries: int
    directory_bytes: int
    directory_offset: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One member as the directory describes it, checked for contradictions."""

    raw_name: bytes
    name: str
    flags: int
    method: int
    crc32: int
    compressed_bytes: int
    size_bytes: int
    header_offset: int
    mode: int

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory entry, which must hold nothing."""
        return self.name.endswith("/")


def reject(reason: str, message: str) -> NoReturn:
    """Refuse the archive."""
    raise ArchiveRejected(message, reason=reason)


def read_at(source: BinaryIO, offset: int, length: int) -> bytes:
    """Return exactly these bytes, or refuse."""
    source.seek(offset)
    piece = b""
    while len(piece) < length:
        more = source.read(length - len(piece))
        if not more:
            reject("truncated", "the archive ends inside one of its records")
        piece += more
    return piece


def judge_layout(entries: Sequence[Entry], directory_offset: int) -> list[int]:
    """Return where each member's stretch of the file ends, by what the directory alone says.

    The stretches fill the file from byte 0 to the directory; ``judge_place`` proves it for one when its bytes are at
    hand.

    Raises:
        ArchiveRejected: when members share bytes, or leave more room between them than their headers can fill.
    """
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    if ordered[0].header_offset != 0:
        reject("leading_data", "the first member does not begin the file")
    ends = {}
    following = [*(entry.header_offset for entry in ordered[1:]), directory_offset]
    for entry, end in zip(ordered, following, strict=True):
        least = entry.header_offset + _LOCAL.size + len(entry.raw_name) + entry.compressed_bytes
        if least > end:
            reject("overlap", "two members share bytes")
        if end - least > SATURATED_16 + _DESCRIPTOR_BYTES_MAX:
            reject("hidden_data", "bytes that belong to no member")
        ends[entry] = end
    return [ends[entry] for entry in entries]


def find_end(source: BinaryIO, size: int) -> End:
    """Read the end record, which must be the last thing in the file, and its 64-bit form if there is one."""
    tail_bytes = min(size, _END.size + SATURATED_16)
    tail = read_at(source, size - tail_bytes, tail_bytes)
    at = _end_offset(tail)
    fields = _END.unpack_from(tail, at)
    end_offset = size - tail_bytes + at
    _, disk, directory_disk, here, entries, directory_bytes, directory_offset, _ = fields
    end = End(entries, directory_bytes, directory_offset)
    locator = read_at(source, end_offset - _LOCATOR.size, _LOCATOR.size) if end_offset >= _LOCATOR.size else b""
    saturated = SATURATED_16 in fields[1:5] or SATURATED_32 in fields[5:7]
    if locator.startswith(b"PK\x06\x07"):
        end, end_offset = _find_end_64(source, locator, end_offset - _LOCATOR.size, fields)
    elif saturated:
        reject("zip64", "the end record points to a 64-bit one that is not there")
    elif disk or directory_disk or here != entries:
        reject("multi_disk", "the archive is split over several files")
    if end.directory_offset + end.directory_bytes != end_offset:
        reject("directory_misplaced", "the directory does not lie where the end record says")
    return end


def _end_offset(tail: bytes) -> int:
    """Find the one end record whose comment reaches exactly to the end of the file."""
    found = [at.start() for at in re.finditer(rb"PK\x05\x06", tail) if at.start() + _END.size <= len(tail)]
    if not found:
        reject("not_a_zip", "no end record: the archive is cut, or is none")
    ending = [at for at in found if at + _END.size + _END.unpack_from(tail, at)[7] == len(tail)]
    if len(ending) > 1:
        reject("ambiguous_end", "more than one end record: readers would disagree on the members")
    # Compressed data may hold the signature by chance, but what follows the last one is the end or nothing is.
    if ending != found[-1:]:
        reject("trailing_data", "the end record does not end the file")
    return found[-1]


def _find_end_64(source: BinaryIO, locator: bytes, locator_offset: int, short: tuple[int, ...]) -> tuple[End, int]:
    _, record_disk, record_offset, disks = _LOCATOR.unpack(locator)
    if record_offset + _END_64.size != locator_offset:
        reject("zip64", "the 64-bit end record is not where its locator says")
    fields = _END_64.unpack(read_at(source, record_offset, _END_64.size))
    signature, length, _, _, disk, directory_disk, here, entries, directory_bytes, directory_offset = fields
    if signature != b"PK\x06\x06" or length != _END_64.size - 12:
        reject("zip64", "the 64-bit end record cannot be read")
    if record_disk or disks > 1 or disk or directory_disk or here != entries:
        reject("multi_disk", "the archive is split over several files")
    wide = (disk, directory_disk, here, entries, directory_bytes, directory_offset)
    limits = (SATURATED_16,) * 4 + (SATURATED_32,) * 2
    for narrow, value, limit in zip(short[1:7], wide, limits, strict=True):
        if narrow not in (value, limit):
            reject("zip64", "the two end records contradict each other")
    return End(entries, directory_bytes, directory_offset), record_offset


def read_entries(directory: bytes, count: int, name_bytes_max: int) -> tuple[Entry, ...]:
    """Read every directory record; they must be as many as the end record counts, and fill the directory exactly."""
    entries: list[Entry] = []
    at = 0
    while at < len(directory):
        if len(entries) == count:
            reject("member_count", "the directory holds more than the end record counts")
        entry, at = _central(directory, at, name_bytes_max)
        entries.append(entry)
    if len(entries) != count:
        reject("member_count", f"the directory holds {len(entries)} members, the end record counts {count}")
    return tuple(entries)


def _central(directory: bytes, at: int, name_bytes_max: int) -> tuple[Entry, int]:
    if at + _CENTRAL.size > len(directory):
        reject("directory_damaged", "a directory record is cut")
    fields = _CENTRAL.unpack_from(directory, at)
    signature, _, _, flags, method, _, _, crc, compressed, size, names, extras, comments, disk, _, external, offset = (
        fields
    )
    if signature != b"PK\x01\x02":
        reject("directory_damaged", "a directory record has the wrong signature")
    start = at + _CENTRAL.size
    end = start + names + extras + comments
    if end > len(directory):
        reject("directory_damaged", "a directory record is cut")
    if names > name_bytes_max:
        reject("unsafe_name", f"a member's name has {names} bytes")
    raw_name = directory[start : start + names]
    name = decode_name(raw_name, flags)
    extra = parse_extra(directory[start + names : start + names + extras], name)
    (size, compressed, offset), disk = widen(extra, (size, compressed, offset), disk)
    if disk:
        reject("multi_disk", "a member lies in another file")
    _judge_form(flags, method, extra)
    return Entry(raw_name, name, flags, method, crc, compressed, size, offset, external >> 16), end


def _judge_form(flags: int, method: int, extra: dict[int, bytes]) -> None:
    if flags & _ENCRYPTED_FLAGS or _STRONG_EXTRA in extra or method == 99:  # noqa: PLR2004 - AES (APPNOTE, appendix E)
        reject("encrypted", "a member is encrypted")
    if method not in (STORED, DEFLATED) or flags & _PATCHED:
        reject("unsupported_method", f"a member is compressed by method {method}")


def decode_name(raw: bytes, flags: int) -> str:
    """Decode a name as its flag says (APPNOTE, appendix D)."""
    try:
        return raw.decode("utf-8" if flags & _UTF8 else "cp437")
    except UnicodeDecodeError:
        reject("unsafe_name", "a member's name is not the UTF-8 it claims to be")


def parse_extra(data: bytes, name: str) -> dict[int, bytes]:
    """Split an extra field into its records, each id once, to the last byte."""
    records: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        if at + 4 > len(data):
            reject("extra_field", "an extra field is cut")
        kind, length = struct.unpack_from("<2H", data, at)
        if kind in records or at + 4 + length > len(data):
            reject("extra_field", "an extra field is cut or given twice")
        if len(records) == _EXTRA_RECORDS_MAX:
            reject("extra_field", "an extra field holds more records than any writer leaves")
        records[kind] = data[at + 4 : at + 4 + length]
        at += 4 + length
    unicode_path = records.get(_UNICODE_PATH_EXTRA)
    if unicode_path is not None and unicode_path[5:] != name.encode():
        reject("extra_field", "a member has two names")  # readers differ on which one wins
    return records


def widen(extra: dict[int, bytes], values: tuple[int, int, int], disk: int = 0) -> tuple[tuple[int, int, int], int]:
    """Replace saturated 32-bit values by the 64-bit ones of the extra field, which must hold just those."""
    record = extra.get(_ZIP64_EXTRA)
    wanted = [index for index, value in enumerate(values) if value == SATURATED_32]
    disk_bytes = 4 if disk == SATURATED_16 else 0
    if record is None:
        if wanted or disk_bytes:
            reject("zip64", "a member lacks its 64-bit sizes")
        return values, disk
    if len(record) != 8 * len(wanted) + disk_bytes:
        reject("zip64", "a member's 64-bit sizes are too long or too short")
    result = list(values)
    for place, index in enumerate(wanted):
        result[index] = struct.unpack_from("<Q", record, 8 * place)[0]
    if disk_bytes:
        disk = struct.unpack_from("<I", record, 8 * len(wanted))[0]
    return (result[0], result[1], result[2]), disk


def judge_place(source: BinaryIO, entry: Entry, end: int) -> int:
    """Return where a member's data begins, after the bytes from its local header to ``end`` were found to be its own.

    Raises:
        ArchiveRejected: when its two headers disagree, or something else lies between its data and ``end``.
    """
    start = _data_offset(source, entry)
    _judge_gap(source, entry, start + entry.compressed_bytes, end)
    return start


def _data_offset(source: BinaryIO, entry: Entry) -> int:
    """Return where a member's data begins, after its local header was found to agree with the directory."""
    header = _LOCAL.unpack(read_at(source, entry.header_offset, _LOCAL.size))
    signature, _, flags, method, _, _, crc, compressed, size, names, extras = header
    if signature != b"PK\x03\x04":
        reject("local_header", "a member does not begin where the directory says")
    rest = read_at(source, entry.header_offset + _LOCAL.size, names + extras)
    if (flags, method, rest[:names]) != (entry.flags, entry.method, entry.raw_name):
        reject("local_header", "a member's two headers disagree on its name, method or flags")
    extra = parse_extra(rest[names:], entry.name)
    declared = _local_sizes(extra, size, compressed)
    expected = (entry.crc32, entry.size_bytes, entry.compressed_bytes)
    streamed = bool(flags & _DESCRIPTOR)
    # A streaming writer leaves zeros here and the truth in the descriptor behind the data.
    if (crc, *declared) != expected and not (streamed and (crc, *declared) == (0, 0, 0)):
        reject("local_header", "a member's two headers disagree on its size or checksum")
    return entry.header_offset + _LOCAL.size + len(rest)


def _local_sizes(extra: dict[int, bytes], size: int, compressed: int) -> tuple[int, int]:
    (size, compressed, _), _ = widen(extra, (size, compressed, 0))
    return size, compressed


def _judge_gap(source: BinaryIO, entry: Entry, data_end: int, next_offset: int) -> None:
    """Agree to what lies between a member's data and the next member: nothing, or its data descriptor."""
    gap = next_offset - data_end
    if gap < 0:
        reject("overlap", "two members share bytes")
    if gap == 0:
        if entry.flags & _DESCRIPTOR:
            reject("data_descriptor", "a member's data descriptor is missing")
        return
    if not entry.flags & _DESCRIPTOR or gap not in (12, 16, 20, 24):
        reject("hidden_data", "bytes that belong to no member")
    body = read_at(source, data_end, gap)
    if gap in (16, 24):
        if not body.startswith(b"PK\x07\x08"):
            reject("data_descriptor", "a member's data descriptor cannot be read")
        body = body[4:]
    if struct.unpack("<3I" if len(body) == 12 else "<I2Q", body) != (  # noqa: PLR2004
        entry.crc32,
        entry.compressed_bytes,
        entry.size_bytes,
    ):
        reject("data_descriptor", "a member's data descriptor disagrees with the directory")


def judge_mode(entry: Entry) -> None:
    """Refuse links, devices and directories that carry a payload."""
    kind = stat.S_IFMT(entry.mode)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        reject("special_file", "a member is a link or a device")
    if kind == stat.S_IFDIR and not entry.is_directory:
        reject("special_file", "a member is a directory and is not named like one")
    if entry.is_directory and (entry.size_bytes or entry.compressed_bytes > EMPTY_DEFLATE_BYTES):
        reject("directory_payload", "a directory entry holds data, which would be lost")
