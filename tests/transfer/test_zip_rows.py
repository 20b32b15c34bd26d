"""The fault matrix of zips, row by row: each hostile archive of ``hostile_archives`` has its row, each row a test.

Two judges that share no code with the reader, nor with each other, must agree on all that is accepted: CPython's
``zipfile``, which goes by the directory, and ``stream-unzip``, which goes by the local headers.
"""

from __future__ import annotations

import io
import subprocess
import sys
import unicodedata
import zipfile
from contextlib import suppress
from fnmatch import fnmatchcase
from itertools import count, product
from typing import TYPE_CHECKING

import pytest
from stream_unzip import stream_unzip

from include.errors import ArchiveRejected
from include.transfer.archive_reader import ArchiveLimits, open_archive
from include.transfer.inflate import ENGINE, find_engine, zlib_engine
from include.transfer.integrity import sniff
from tests.transfer.conftest import url_of
from tests.transfer.hostile_archives import BAD, DATA, GOOD, LIMITS, read_all
from tests.transfer.hostile_zip import Part, build
from tests.transfer.pouring import poured
from tests.transfer.sound import sound
from tests.transfer.test_zip_mutants import PROJECT, run
from tests.transfer.zip_mutants import honest

if TYPE_CHECKING:
    from pathlib import Path

    from include.transfer.download import MediaDownloader
    from tests.transfer.fault_server import FaultServer

ROWS = {
    "Z1": ["empty-file", "text", "cut-*", "garbage-*", "concatenated", "*-in-comment"],
    "Z2": ["count-*"],
    "Z3": ["no-members", "only-directories"],
    "Z4": ["size-*", "stored-sizes-differ", "trailing-packed", "cut-packed", "broken-packed", "impossible-ratio"],
    "Z5": ["crc", "crc-*"],
    "Z6": ["local-*", "directory-signature", "zeros-without-descriptor", "directory-cut"],
    "Z7": ["descriptor-*", "crc-descriptor"],
    "Z8": ["encrypted", "strong", "masked", "aes", "strong-extra"],
    "Z9": ["patched", "method-*"],
    "Z10": ["name-b'*/*", "name-b'..*", "name-b'C:*", r"name-b'*\\h*", "name-b'a\\\\b'"],
    "Z11": ["symlink", "fifo", "device", "socket", "directory-mode"],
    "Z12": ["name-*x00*"],
    "Z13": ["duplicate*", "name-b''", "name-b'xx*", "name-b'a\\n*", "name-b'a\\x7f*", "name-not-utf8"],
    "Z14": ["directory-payload"],
    "Z15": ["overlap-same", "too-many", "directory-too-big", "member-too-big", "total-too-big", "ratio", "hidden-*"],
    "Z17": ["64-*", "saturated-without-64", "offset-*", "directory-offset", "directory-beyond"],
    "Z18": ["disk", "directory-disk", "entries-elsewhere", "member-disk"],
    "Z19": ["extra-*", "unicode-path", "unicode-path-local"],
}


def of_row(row: str) -> list[str]:
    """Return the hostile archives of a row."""
    return [name for name in BAD if any(fnmatchcase(name, pattern) for pattern in ROWS[row])]


def everything(source: io.BytesIO, **how: object) -> list[bytes]:
    """Open a zip and read every member, piece by piece."""
    contents = open_archive(source, LIMITS, **how)
    return [b"".join(contents.pieces(member)) for member in contents.members]


def everything_poured(source: io.BytesIO, **how: object) -> list[bytes]:
    """Open a zip and pour every member into a sink."""
    return list(poured(source, open_archive(source, LIMITS, **how)))


def refused(row: str) -> set[str]:
    """Expect that every archive of the row is refused, near and far, by either engine, either way; return the words."""
    words = set()
    for name in of_row(row):
        body, reason = BAD[name]
        for is_remote, engine, read in product((False, True), (ENGINE, zlib_engine()), (everything, everything_poured)):
            with pytest.raises(ArchiveRejected) as caught:
                read(io.BytesIO(body), is_remote=is_remote, engine=engine)
            assert is_remote or reason == caught.value.reason, name
            words.add(caught.value.reason)
    return words


def test_every_hostile_archive_has_its_row() -> None:
    """A new one must say which fault it stands for."""
    assert set(BAD) == {name for row in ROWS for name in of_row(row)}


def test_what_is_no_whole_zip() -> None:
    """Z1: no zip, cut, with garbage before or behind, two in one, one inside the comment of another."""
    assert {"not_a_zip", "directory_misplaced", "leading_data", "trailing_data", "ambiguous_end"} <= refused("Z1")


def test_a_count_that_is_not_the_members() -> None:
    """Z2: a member that the end record does not count would be lost in silence."""
    assert {"member_count"} == refused("Z2")


def test_a_zip_of_nothing() -> None:
    """Z3: a job that delivers a zip with no member has delivered nothing."""
    assert {"no_members"} == refused("Z3")


def test_a_member_of_another_size_than_declared() -> None:
    """Z4: shorter, longer, followed by more, or not inflating at all."""
    assert {"size_mismatch", "unreadable", "local_header"} >= refused("Z4")


def test_a_checksum_that_is_wrong_in_any_of_its_places() -> None:
    """Z5: directory, local header and descriptor."""
    assert {"crc_mismatch", "local_header", "data_descriptor"} == refused("Z5")


def test_two_headers_that_disagree() -> None:
    """Z6: name, size, method and flags stand twice; readers differ on which copy they believe."""
    assert {"local_header", "directory_damaged"} == refused("Z6")


def test_data_descriptors_are_accepted_and_checked() -> None:
    """Z7: streaming writers need them; each of the four forms is read, each lie in them is found."""
    assert {"data_descriptor", "hidden_data"} == refused("Z7")
    forms = [name for name in GOOD if name.startswith("descriptor")]
    assert 5 == len(forms)
    assert all(GOOD["deflated"] != GOOD[name] and read_all(GOOD["deflated"]) == read_all(GOOD[name]) for name in forms)


def test_encryption_is_named() -> None:
    """Z8: ZipCrypto, AES and strong encryption; nobody is asked for a password."""
    assert {"encrypted"} == refused("Z8")


def test_other_methods_are_named() -> None:
    """Z9: deflate64, bzip2, LZMA, Zstandard, XZ, PPMd, patches and nonsense."""
    assert {"unsupported_method"} == refused("Z9")


def test_names_that_lead_out() -> None:
    """Z10: parents, absolute paths, drives, UNC and backslashes, in every spelling."""
    assert {"unsafe_name"} == refused("Z10")


def test_links_and_devices() -> None:
    """Z11: what is no plain file."""
    assert {"special_file"} == refused("Z11")


def test_a_name_with_a_nul() -> None:
    """Z12: some readers cut it there, so that one member hides behind another."""
    assert {"unsafe_name"} == refused("Z12")


def test_names_that_collide() -> None:
    """Z13: equal, empty, endless and unprintable names are refused."""
    assert {"duplicate_name", "unsafe_name"} == refused("Z13")


@pytest.mark.parametrize(
    "names",
    [
        ("call.wav", "CALL.WAV"),
        (unicodedata.normalize("NFC", "d\u00e9j\u00e0.wav"), unicodedata.normalize("NFD", "d\u00e9j\u00e0.wav")),
        ("call.wav", "call.wav.", "call.wav "),
        ("CON", "NUL.wav", "COM1"),
        ("a\u202egnp.wav", "a\u200b.wav"),
    ],
    ids=["case", "normal-form", "trailing", "reserved", "bidi"],
)
def test_names_that_only_a_file_system_would_mix_up(names: tuple[str, ...]) -> None:
    """Z13: no name ever becomes a path, so names that differ are different members."""
    parts = [Part(name.encode(), name.encode() * 9, flags=1 << 11) for name in names]
    assert {name: name.encode() * 9 for name in names} == read_all(build(*parts))


def test_a_directory_that_holds_data() -> None:
    """Z14: its payload would be lost; also where the payload is only in the packed form."""
    assert {"directory_payload"} == refused("Z14")
    with pytest.raises(ArchiveRejected) as caught:
        read_all(build(Part(b"d/", b"", packed=b"\3\0" + b"hidden"), Part()))
    assert "directory_payload" == caught.value.reason


def test_more_than_is_allowed() -> None:
    """Z15: members, sizes, ratio, and bytes shared or hidden (the great bombs are in ``test_zip_mutants``)."""
    words = {"overlap", "too_many_members", "too_large", "bomb", "hidden_data", "local_header"}
    assert {"overlap", "too_many_members", "too_large", "bomb"} <= refused("Z15") <= words


def test_more_than_32_bits(tmp_path: Path) -> None:
    """Z16: a member above four gigabytes is read to its last byte, in the memory that one of ten megabytes takes."""
    small = run(tmp_path, "tests.transfer.zip_large", str(10 * 1024**2))
    large = run(tmp_path, "tests.transfer.zip_large", str(4 * 1024**3 + 1))
    assert 4 * 1024**3 + 1 == large["read_bytes"]
    assert large["grown_bytes"] < small["grown_bytes"] + 8 * 1024**2


def test_64_bit_records_that_lie() -> None:
    """Z17: a locator that points elsewhere, fields too long, too short, contradicting, and offsets outside."""
    assert {"zip64", "multi_disk", "directory_misplaced", "too_large"} <= refused("Z17")


def test_split_archives() -> None:
    """Z18: any disk number but the first."""
    assert {"multi_disk"} == refused("Z18")


def test_extra_fields_that_could_be_read_in_two_ways() -> None:
    """Z19: cut, given twice, or a second name."""
    assert {"extra_field"} == refused("Z19")


@pytest.mark.parametrize("error", [LookupError, OSError, ValueError, RuntimeError, MemoryError, RecursionError])
def test_every_exception_becomes_a_refusal(error: type[Exception]) -> None:
    """Z20: whatever a parser of hostile bytes raises, near or far, while judging or while reading."""

    class Failing(io.BytesIO):
        reads_left = 5

        def read(self, *arguments) -> bytes:
            self.reads_left -= 1
            if self.reads_left < 0:
                raise error("out of the blue")
            return super().read(*arguments)

    for read, how, reads_least in (
        (everything, "deflated", 9),
        (everything_poured, "deflated", 7),
        (everything_poured, "stored", 7),
    ):
        for reads in count(1):
            source = Failing(GOOD[how])
            source.reads_left = reads
            with suppress(ArchiveRejected):
                assert [DATA] == read(source)
                break
        assert reads >= reads_least


def test_zip_or_no_zip_is_told_by_content(downloader: MediaDownloader, server: FaultServer) -> None:
    """Z22: the first bytes choose the way, whatever the result was called (both ways: ``tests/story``)."""
    assert "zip" == sniff(build(Part())).name
    assert "wav" == sniff(sound("wav-pcm")).name
    for body, is_zip in ((build(Part()), True), (sound("wav-pcm"), False)):
        server.content = body
        with downloader.open_ranged(url_of(server, "/result.bin")) as source:
            assert is_zip == (sniff(source.read_at(0, 64)).name == "zip")


@pytest.mark.parametrize("body", [*GOOD.values(), *honest()], ids=[*GOOD, *range(len(honest()))])
def test_two_other_readers_agree_on_what_is_accepted(body: bytes) -> None:
    """Names and content, as the directory tells them and as the local headers tell them."""
    ours = read_all(body, ArchiveLimits())
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert ours == {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    streamed = {name.decode("utf-8", "replace"): b"".join(pieces) for name, _, pieces in stream_unzip([body])}
    assert ours == {name: data for name, data in streamed.items() if not name.endswith("/")}


@pytest.mark.parametrize("size", [0, 1, 257, 258, 259, 65_536, 262_143, 262_144, 262_145, 524_288 + 258, 1_000_000])
@pytest.mark.parametrize("level", [1, 6, 9])
def test_both_engines_unpack_alike_at_every_seam(size: int, level: int) -> None:
    """Sizes around the limits of one piece, and repetitions that a limit cuts in two after the last input."""
    for data in (bytes(size), b"abc" * (size // 3), bytes(range(256)) * (size // 256 + 1)):
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
            archive.writestr("a", data)
        for engine in (ENGINE, zlib_engine()):
            contents = open_archive(body, ArchiveLimits(), engine=engine)
            assert data == b"".join(contents.pieces(contents.members[0]))
            assert [data] == list(poured(body, contents))


def test_the_faster_engine_is_used_where_it_is_installed() -> None:
    """The wheel is pinned, so here it is; zlib stands in elsewhere."""
    assert ("isal.isal_zlib", "zlib") == (find_engine().__name__, zlib_engine().__name__)
    code = "import sys; sys.modules['isal'] = None; from include.transfer.inflate import ENGINE; print(ENGINE.__name__)"
    found = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, check=True)  # noqa: S603
    assert b"zlib" == found.stdout.strip()
