"""Archives that are read and archives that are refused, each with its reason, and how the tests read one."""

from __future__ import annotations

import io
import stat
import struct
import zlib

from include.transfer.archive_reader import ArchiveLimits, open_archive
from tests.transfer.hostile_zip import Part, build

LIMITS = ArchiveLimits(
    members_max=20,
    member_bytes_max=1_000_000,
    total_bytes_max=2_000_000,
    directory_bytes_max=20_000,
    name_bytes_max=200,
    ratio_max=50,
    ratio_free_bytes=50_000,
)
DATA = Part().data


def read_all(body: bytes, limits: ArchiveLimits = LIMITS) -> dict[str, bytes]:
    """Open a zip and read every member."""
    contents = open_archive(io.BytesIO(body), limits)
    return {member.name: b"".join(contents.pieces(member)) for member in contents.members}


def descriptor(data: bytes = DATA, *, signed: bool = True, wide: bool = False, crc: int | None = None) -> bytes:
    """Return the data descriptor of a deflated member."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = len(deflate.compress(data) + deflate.flush())
    sign = b"PK\x07\x08" if signed else b""
    return sign + struct.pack("<I2Q" if wide else "<3I", zlib.crc32(data) if crc is None else crc, packed, len(data))


EMPTY = {"crc": 0, "compressed": 0, "size": 0}
SIXTY_FOUR = struct.Struct("<4sQ2H2I4Q")
LOCATOR = struct.Struct("<4sIQI")
END_AT = len(build(Part())) - 22
CD_AT = END_AT - 46 - 8


def zip64(**changes: int) -> bytes:
    """Return an archive with 64-bit end records; the changes make one of them lie."""
    fields = {"length": 44, "disk": 0, "entries": 1, "cd_bytes": END_AT - CD_AT, "cd_offset": CD_AT}
    fields |= {"at": END_AT, "disks": 1, "short": 0xFFFF, "signature": b"PK\x06\x06", "gap": b""} | changes
    record = SIXTY_FOUR.pack(
        fields["signature"], fields["length"], 45, 45, fields["disk"], 0, 1, fields["entries"],
        fields["cd_bytes"], fields["cd_offset"],
    )  # fmt: skip
    locator = LOCATOR.pack(b"PK\x06\x07", 0, fields["at"], fields["disks"])
    told = {"here": fields["short"], "entries": fields["short"], "cd_offset": 0xFFFFFFFF}
    return build(Part(), end=told, end_64=record + fields["gap"] + locator)


def wide_member(record: bytes, **told: int) -> bytes:
    """Return an archive whose only member has a 64-bit extra field in the directory."""
    return build(Part(central_extra=struct.pack("<2H", 1, len(record)) + record, central=told))


LONG = build(Part())
INSIDE = {"offset": 0}
BOMB = bytes(1_000_000)
BAD = {
    "empty-file": (b"", "not_a_zip"),
    "text": (b"not a zip at all" * 10, "not_a_zip"),
    "cut-end": (LONG[:-1], "not_a_zip"),
    "cut-half": (LONG[: len(LONG) // 2], "not_a_zip"),
    "garbage-before": (b"xx" + LONG, "directory_misplaced"),
    "garbage-before-counted": (build(Part(), lead=b"xx"), "leading_data"),
    "garbage-after": (LONG + b"x", "trailing_data"),
    "concatenated": (LONG + LONG, "directory_misplaced"),
    "zip-in-comment": (build(Part(), comment=build(Part(b"other"))), "ambiguous_end"),
    "end-in-comment": (build(Part(), comment=b"PK\x05\x06" + b"x" * 30), "trailing_data"),
    "no-members": (build(), "no_members"),
    "only-directories": (build(Part(b"d/", b"", 0)), "no_members"),
    "count-low": (build(Part(), Part(b"b"), end={"here": 1, "entries": 1}), "member_count"),
    "count-high": (build(Part(), end={"here": 2, "entries": 2}), "member_count"),
    "count-zero": (build(Part(), end={"here": 0, "entries": 0}), "member_count"),
    "directory-signature": (build(Part(central={"signature": b"PK\x01\x03"})), "directory_damaged"),
    "directory-cut": (build(Part(), end={"cd_bytes": 20, "cd_offset": END_AT - 20}), "directory_damaged"),
    "size-short": (build(Part(central={"size": 299}, local={"size": 299})), "size_mismatch"),
    "size-long": (build(Part(central={"size": 301}, local={"size": 301})), "size_mismatch"),
    "stored-sizes-differ": (build(Part(method=0, central={"size": 5}, local={"size": 5})), "size_mismatch"),
    "trailing-packed": (build(Part(packed=Part().facts()["packed"] + b"xx")), "size_mismatch"),
    "cut-packed": (build(Part(packed=Part().facts()["packed"][:-1])), "size_mismatch"),
    "broken-packed": (build(Part(packed=b"\xff" * 30)), "unreadable"),
    "crc": (build(Part(central={"crc": 1}, local={"crc": 1})), "crc_mismatch"),
    "crc-stored": (build(Part(method=0, central={"crc": 1}, local={"crc": 1})), "crc_mismatch"),
    "crc-empty": (build(Part(data=b"", central={"crc": 1}, local={"crc": 1})), "crc_mismatch"),
    "crc-local": (build(Part(local={"crc": 1})), "local_header"),
    "crc-descriptor": (build(Part(flags=8, local=EMPTY, descriptor=descriptor(crc=1))), "data_descriptor"),
    "local-name": (build(Part(local={"name": b"evil.wav"})), "local_header"),
    "local-size": (build(Part(local={"size": 7})), "local_header"),
    "local-method": (build(Part(local={"method": 0})), "local_header"),
    "local-flags": (build(Part(local={"flags": 2})), "local_header"),
    "local-signature": (build(Part(local={"signature": b"PK\x03\x05"})), "local_header"),
    "zeros-without-descriptor": (build(Part(local=EMPTY)), "local_header"),
    "descriptor-missing": (build(Part(flags=8, local=EMPTY)), "data_descriptor"),
    "descriptor-signature": (
        build(Part(flags=8, local=EMPTY, descriptor=b"XXXX" + descriptor()[4:])),
        "data_descriptor",
    ),
    "descriptor-size": (build(Part(flags=8, local=EMPTY, descriptor=b"x" * 13)), "hidden_data"),
    "encrypted": (build(Part(flags=1)), "encrypted"),
    "strong": (build(Part(flags=1 | 64)), "encrypted"),
    "masked": (build(Part(flags=1 << 13)), "encrypted"),
    "aes": (build(Part(method=99)), "encrypted"),
    "strong-extra": (build(Part(central_extra=struct.pack("<2H", 0x17, 0))), "encrypted"),
    "patched": (build(Part(flags=1 << 5)), "unsupported_method"),
    **{f"method-{m}": (build(Part(method=m)), "unsupported_method") for m in (1, 6, 9, 12, 14, 93, 95, 98, 1000)},
    **{
        f"name-{name!a}": (build(Part(name)), "unsafe_name")
        for name in (
            b"../x",
            b"a/../x",
            b"a/..",
            b"..",
            b"/x",
            b"//x",
            b"a//b",
            b"C:x",
            b"c:/x",
            b"..\\x",
            b"a\\b",
            b"\\\\h\\x",
            b"./x",
            b"a/./b",
            b"safe.txt\0shadow.txt",
            b"a\nb",
            b"a\x7fb",
            b"",
            b"x" * 201,
        )
    },
    "name-not-utf8": (build(Part(b"\xff\xfe", flags=1 << 11)), "unsafe_name"),
    "symlink": (build(Part(mode=stat.S_IFLNK | 0o777)), "special_file"),
    "fifo": (build(Part(mode=stat.S_IFIFO | 0o666)), "special_file"),
    "device": (build(Part(mode=stat.S_IFCHR | 0o666)), "special_file"),
    "socket": (build(Part(mode=stat.S_IFSOCK | 0o666)), "special_file"),
    "directory-mode": (build(Part(mode=stat.S_IFDIR | 0o755)), "special_file"),
    "directory-payload": (build(Part(b"d/")), "directory_payload"),
    "duplicate": (build(Part(), Part()), "duplicate_name"),
    "duplicate-directory": (build(Part(b"d/", b"", 0), Part(b"d")), "duplicate_name"),
    "overlap-same": (build(Part(), Part(b"call.wax", central=INSIDE)), "overlap"),
    "hidden-between": (build(Part(), Part(b"b", before=b"hidden")), "hidden_data"),
    "hidden-after": (build(Part(descriptor=b"hidden bytes")), "hidden_data"),
    "offset-outside": (build(Part(central={"offset": 10**6})), "leading_data"),
    "offset-into-directory": (build(Part(), Part(b"b", central={"offset": CD_AT + 90})), "overlap"),
    "too-many": (build(*[Part(str(n).encode(), b"") for n in range(21)]), "too_many_members"),
    "directory-too-big": (
        build(*[Part(bytes([65 + n]) * 190, central_extra=struct.pack("<2H", 9, 900) + bytes(900)) for n in range(19)]),
        "too_many_members",
    ),
    "member-too-big": (build(Part(data=bytes(1_000_001))), "too_large"),
    "total-too-big": (build(*[Part(bytes([65 + n]), BOMB) for n in range(3)]), "too_large"),
    "ratio": (build(Part(data=BOMB)), "bomb"),
    "impossible-ratio": (build(Part(data=b"x", central={"size": 40_000}, local={"size": 40_000})), "size_mismatch"),
    "disk": (build(Part(), end={"disk": 1}), "multi_disk"),
    "directory-disk": (build(Part(), end={"cd_disk": 1}), "multi_disk"),
    "entries-elsewhere": (build(Part(), end={"here": 0}), "multi_disk"),
    "member-disk": (build(Part(central={"disk": 1})), "multi_disk"),
    "directory-offset": (build(Part(), end={"cd_offset": 3}), "directory_misplaced"),
    "directory-beyond": (build(Part(), end={"cd_bytes": 2**31}), "directory_misplaced"),
    "saturated-without-64": (build(Part(), end={"entries": 0xFFFF, "here": 0xFFFF}), "zip64"),
    "64-locator": (zip64(at=3), "zip64"),
    "64-gap": (zip64(gap=b"1234"), "zip64"),
    "64-extensible": (zip64(length=48), "zip64"),
    "64-signature": (zip64(signature=b"PK\x06\x05"), "zip64"),
    "64-disk": (zip64(disk=1), "multi_disk"),
    "64-disks": (zip64(disks=2), "multi_disk"),
    "64-entries": (zip64(entries=2), "multi_disk"),
    "64-contradicts": (zip64(short=7), "zip64"),
    "64-place": (zip64(cd_offset=3), "directory_misplaced"),
    "64-member-missing": (build(Part(central={"size": 0xFFFFFFFF})), "zip64"),
    "64-member-short": (wide_member(bytes(4), size=0xFFFFFFFF), "zip64"),
    "64-member-long": (wide_member(bytes(16), size=0xFFFFFFFF), "zip64"),
    "64-member-unasked": (wide_member(bytes(8)), "zip64"),
    "64-member-huge": (wide_member(b"\xff" * 8, size=0xFFFFFFFF), "too_large"),
    "64-member-disk": (wide_member(b"\1\0\0\0", disk=0xFFFF), "multi_disk"),
    "extra-cut": (build(Part(central_extra=b"\1\2\3")), "extra_field"),
    "extra-long": (build(Part(central_extra=struct.pack("<2H", 9, 5))), "extra_field"),
    "extra-twice": (build(Part(central_extra=struct.pack("<4H", 9, 0, 9, 0))), "extra_field"),
    "extra-many": (
        build(Part(central_extra=b"".join(struct.pack("<2H", n, 0) for n in range(200, 265)))),
        "extra_field",
    ),
    "extra-local": (build(Part(extra=b"\1\2\3")), "extra_field"),
    "unicode-path": (build(Part(central_extra=struct.pack("<2H5s4s", 0x7075, 9, b"\1abcd", b"evil"))), "extra_field"),
    "unicode-path-local": (build(Part(extra=struct.pack("<2H5s4s", 0x7075, 9, b"\1abcd", b"evil"))), "extra_field"),
}
NESTED = build(Part(b"inner", method=0))
GOOD = {
    "deflated": build(Part()),
    "stored": build(Part(method=0)),
    "empty-member": build(Part(data=b"")),
    "comment": build(Part(), comment=b"made by a test"),
    "directory": build(Part(b"d/", b"", 0), Part(b"d/call.wav")),
    "utf8": build(Part("d\u00e9j\u00e0.wav".encode(), flags=1 << 11)),
    "descriptor": build(Part(flags=8, local=EMPTY, descriptor=descriptor())),
    "descriptor-unsigned": build(Part(flags=8, local=EMPTY, descriptor=descriptor(signed=False))),
    "descriptor-wide": build(Part(flags=8, local=EMPTY, descriptor=descriptor(wide=True))),
    "descriptor-wide-unsigned": build(Part(flags=8, local=EMPTY, descriptor=descriptor(wide=True, signed=False))),
    "descriptor-and-sizes": build(Part(flags=8, descriptor=descriptor())),
    "extra": build(Part(extra=struct.pack("<2H4s", 0x5455, 4, b"time"))),
    "unicode-path-agrees": build(Part(central_extra=struct.pack("<2H5s8s", 0x7075, 13, b"\1abcd", b"call.wav"))),
    "a-zip-inside-is-data": build(Part(b"inner.zip", NESTED, method=0), Part()),
    "out-of-order-names": build(Part(b"z"), Part(b"a")),
}
