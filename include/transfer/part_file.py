"""The file that a killed worker leaves behind, and the proof that lets the next one go on with it.

``<name>.part`` holds bytes, ``<name>.json`` says what they are: whose (the caller's key, never a URL), of which file
(total and strong ETag), and the SHA-256 of the first *n* bytes for several *n*, the marks. A mark is set only after
its bytes are written, and believed only after they were read again and hash to it; so a torn write, a lost page or a
foreign file costs the bytes behind the last good mark, and nothing worse. Digests of prefixes instead of parts: they
are the copies of one running hash, so they cost nothing, and give that hash back.

One worker owns a part file, by ``flock``, which the kernel releases however the worker dies. A second one that wants
the same file does not wait (the first may hang for hours): it downloads into a file of its own, which nobody resumes.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from include.lake.file_sums import FileSums
from include.transfer.digest import BLOCK_BYTES
from include.transfer.disk import disk_errors, made_folder

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1
AGE_SECONDS_MAX = 2 * 86_400
"""A day that is still missing two days later is fetched anew rather than kept on a worker's disk for ever."""

_ETAG = re.compile(r"(?!W/)[\x20-\x7e\x80-\xff]+")
"""A strong one that may stand in a request, as it stood in an answer."""

MARKS_KEPT = 64
SYNC_SHARE = 0.05
"""Bytes go to the disk itself before a mark where that takes at most this share of the time.

It is of use only when the machine fails, not the process, and what is lost then is noticed all the same. Measured:
8 ms per 10 MiB, nothing beside a network at 50 MB/s, but as much as the whole download on a fast one.
"""


@dataclass(frozen=True, slots=True)
class Proven:
    """What of a part file may be kept: its first ``position`` bytes, with their sums."""

    position: int
    sums: FileSums
    total: int
    etag: str


class PartFile:
    """A part file of this process, until it is closed. ``fd`` is open for reading and writing at any place."""

    def __init__(self, fd: int, path: Path, key: str) -> None:
        self.fd = fd
        self._path = path
        self._key = key
        self._marks: list[tuple[int, str]] = []
        self._marked_at = time.monotonic()
        self._sync_seconds = 0.0

    @classmethod
    def claim(cls, folder: Path, key: str, *, create: bool) -> Self | None:
        """Return the part file of a key; ``None`` where another worker has it, or there is none and none is made.

        Raises:
            QuotaExceeded, ConfigurationError: as the disk says.
        """
        path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.part"
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
        if create:
            made_folder(folder)
        with disk_errors():
            while True:
                try:
                    fd = os.open(path, flags, 0o600)
                except FileNotFoundError:
                    return None
                if not _locked(fd):
                    os.close(fd)
                    return None
                if _is_at(fd, path):
                    return cls(fd, path, key)
                os.close(fd)  # its owner removed it between our opening and our locking

    def proven(self) -> Proven | None:
        """Read the bytes again and return the longest prefix that a mark confirms; short of the end of the file.

        Short of its end, since the source must confirm with an answer that it still has this very file.
        """
        noted = self._noted()
        if noted is None:
            return None
        total, etag, marks = noted
        state, found = FileSums(in_blocks=True), None
        position = 0
        for end, digest in marks:
            position = self._hash_on(state, position, min(end, total))
            if position != end or end >= total or state.hexdigest() != digest:
                break
            self._marks.append((end, digest))
            found = Proven(end, state.copy(), total, etag)
        return found

    def mark(self, position: int, digest: str, *, total: int, etag: str) -> None:
        """Say that the first ``position`` bytes are written and hash to ``digest``.

        Raises:
            QuotaExceeded, ConfigurationError: as the disk says.
        """
        begun = time.monotonic()
        self._marks = [*(mark for mark in self._marks if mark[0] < position), (position, digest)][-MARKS_KEPT:]
        note = {"version": VERSION, "key": self._key, "total": total, "etag": etag, "marks": self._marks}
        fresh = self._path.with_suffix(".new")  # one writer: we hold the lock
        with disk_errors():
            if self._sync_seconds <= SYNC_SHARE * (begun - self._marked_at):
                os.fdatasync(self.fd)
                self._sync_seconds = time.monotonic() - begun
            # Anew each time: the default folder is below /tmp, where a link in its place would lead elsewhere.
            fresh.unlink(missing_ok=True)
            with fresh.open("x", encoding="utf-8") as file:
                file.write(json.dumps(note))
            fresh.replace(self._note)
        self._marked_at = time.monotonic()

    def forget(self) -> None:
        """Drop what was noted; the bytes are no longer those of any file."""
        self._marks = []
        with disk_errors():
            self._note.unlink(missing_ok=True)

    def close(self, *, keep: bool) -> None:
        """Release the file, and remove it unless it is to be resumed."""
        if keep:
            os.close(self.fd)  # at once: whoever comes next asks for its lock
            return
        with suppress(OSError):
            self._note.unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)
        os.close(self.fd)

    @property
    def _note(self) -> Path:
        return self._path.with_suffix(".json")

    def _noted(self) -> tuple[int, str, list[tuple[int, str]]] | None:
        try:
            note = json.loads(self._note.read_bytes())
            if note["version"] != VERSION or note["key"] != self._key:
                return None
            marks = sorted((int(end), str(digest)) for end, digest in note["marks"])
            total, etag = int(note["total"]), str(note["etag"])
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None  # of another version, or cut by a failing machine: bytes that nobody can vouch for
        return (total, etag, marks) if _ETAG.fullmatch(etag) else None

    def _hash_on(self, state: FileSums, position: int, end: int) -> int:
        block = memoryview(bytearray(BLOCK_BYTES))
        with disk_errors():
            while position < end and (count := os.preadv(self.fd, [block[: end - position]], position)):
                state.update(block[:count])
                position += count
        return position


def sweep(folder: Path) -> None:
    """Remove the part files that no worker owns and nobody came back for; what cannot be removed stays."""
    for path in folder.glob("*.part"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > AGE_SECONDS_MAX:
                _remove_unowned(path)
    for note in (*folder.glob("*.json"), *folder.glob("*.new")):
        with suppress(OSError):
            if not note.with_suffix(".part").exists() and time.time() - note.stat().st_mtime > AGE_SECONDS_MAX:
                note.unlink()


def _remove_unowned(path: Path) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if _locked(fd) and _is_at(fd, path):
            path.with_suffix(".json").unlink(missing_ok=True)
            path.unlink()
    finally:
        os.close(fd)


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False
