"""Where the bytes of a bundle come from: its ranges, or a whole copy where ranges will not do.

A judged archive is read member by member straight from the source, so a bundle of gigabytes needs no disk. A whole
copy is fetched for one that is refused, once: a second look before anything is called damaged, and the evidence after.
"""

from __future__ import annotations

import hashlib
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Self, cast

from include.errors import ArchiveRejected, NotAuthorised, RequestRejected
from include.transfer.archive_reader import ArchiveContents, ArchiveLimits, open_archive
from include.transfer.integrity import HEAD_BYTES, sniff
from include.transfer.metadata import Origin
from include.transfer.ranged_source import RangedSource
from include.transfer.recording_body import RecordingBody, fetch_body
from include.transfer.stretches import StretchFile, tail_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from include.genesys.models import RecordingResult
    from include.secret import PresignedUrl
    from include.transfer.recording_spool import Spool
    from include.transfer.shard_work import JobUrl, JobUrls, ShardWork

TAIL_BYTES = 256 * 1024
"""What is read of an archive's end in one go: the directory of two thousand members."""

_NOT_OPEN = "the bundle was not opened"
_BLOCK_BYTES = 1024 * 1024


class BundleSource:
    """One bundle. Use it in a ``with``; ``open`` comes first. Thread-safe from then on."""

    def __init__(self, work: ShardWork, urls: JobUrls, result: RecordingResult) -> None:
        self._work = work
        self._urls = urls
        self._result = result
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._renewal = threading.Lock()
        self._whole: RecordingBody | None = None
        self._refusal: NotAuthorised | None = None
        self._place: JobUrl | None = None
        self._ranged: RangedSource | None = None
        self._origin: Origin | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def open(self) -> ArchiveContents:
        """Judge the archive by its ranges, and by a whole copy where these will not do.

        Raises:
            ArchiveRejected: when both were refused.
            NotAuthorised: when the source's API refuses us.
            ArchiveError: when the archive did not arrive.
        """
        try:
            return self._opened_ranged()
        except ArchiveRejected:
            body = self.whole()
        if not body.is_zip:
            raise ArchiveRejected("The result is no zip archive.", reason="not_an_archive")
        self._ranged = RangedSource.of_spool(cast("Spool", body.sink), body.size)
        contents = open_archive(body.sink, ArchiveLimits())
        self._origin = replace(
            body.origin, archive_sha256=body.sha256, archive_directory_sha256=contents.directory_sha256
        )
        return contents

    @property
    def origin(self) -> Origin:
        """Where the archive came from."""
        if self._origin is None:
            raise ValueError(_NOT_OPEN)
        return self._origin

    def view(self) -> StretchFile:
        """Return a stream of the archive for one thread, to be aimed at the members it shall read."""
        if self._ranged is None:
            raise ValueError(_NOT_OPEN)
        return StretchFile(self._ranged, self._work.settings.chunk_bytes)

    def whole(self) -> RecordingBody:
        """Return the whole archive in a spool; fetched once, whoever asks.

        Raises:
            ArchiveError: as ``fetch_body``.
        """
        with self._lock:
            if self._whole is None:
                sink = self._stack.enter_context(self._work.downloader.spool())
                self._whole = fetch_body(self._work, self._urls, self._result, cast("BinaryIO", sink))
            return self._whole

    def _opened_ranged(self) -> ArchiveContents:
        self._place = self._urls.current(self._result)
        host = self._place.url.host
        with self._media_refusals():
            remote = self._stack.enter_context(self._work.downloader.open_ranged(self._place.url, self._renewed))
        self._ranged = RangedSource(remote.size, self._reading(remote), forget=remote.forget)
        kind = sniff(self._ranged.read_at(0, HEAD_BYTES))
        if kind is None or kind.name != "zip":
            raise ArchiveRejected("The result is no zip archive.", reason="not_an_archive")
        tail = StretchFile(self._ranged, TAIL_BYTES)
        tail.aim(tail_of(remote.size, TAIL_BYTES))
        contents = open_archive(cast("BinaryIO", tail), ArchiveLimits(), is_remote=remote.is_remote)
        self._origin = Origin(
            job_id=self._urls.job_id,
            requested_at=self._urls.requested_at,
            url_host=host,
            acquired_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            etag=remote.etag,
            archive_sha256=None if remote.is_remote else _sha256(remote),
            archive_directory_sha256=contents.directory_sha256,
        )
        return contents

    def _renewed(self, expired: PresignedUrl) -> PresignedUrl:
        """Ask the job for a fresh URL, once however many threads find out at the same time."""
        with self._renewal:
            if self._place is None or self._place.url == expired:
                place = self._place or self._urls.current(self._result)
                try:
                    self._place = self._urls.renewed(self._result, place)
                except NotAuthorised as error:
                    self._refusal = error
                    raise
            return self._place.url

    def _reading(self, remote: RangedSource) -> Callable[[int, memoryview], int]:
        def fill(offset: int, view: memoryview) -> int:
            with self._media_refusals():
                return remote.read_into(offset, view)

        return fill

    @contextmanager
    def _media_refusals(self) -> Iterator[None]:
        """Tell a media host that refuses a URL, one bundle's trouble, from an API that refuses us, everybody's."""
        try:
            yield
        except NotAuthorised as error:
            if error is self._refusal:
                raise
            raise RequestRejected(str(error), **error.facts) from None


def _sha256(source: RangedSource) -> str:
    digest = hashlib.sha256()
    for offset in range(0, source.size, _BLOCK_BYTES):
        digest.update(source.read_at(offset, _BLOCK_BYTES))
    return digest.hexdigest()
