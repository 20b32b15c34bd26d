"""One candidate for the archive: bytes in a spool, examined, with where they came from. From wire or zip alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, cast

from include.errors import IntegrityError, NotAuthorised, RequestRejected, SourceChanged
from include.transfer.budgeted_spool import BudgetedSpool
from include.transfer.integrity import Finding, Inspection, examine, verdict
from include.transfer.metadata import Origin

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.genesys.models import RecordingResult
    from include.lake.server_copy import CopySource
    from include.secret import PresignedUrl
    from include.transfer.download import Downloaded, Spool
    from include.transfer.shard_work import JobUrl, JobUrls, ShardWork

FETCHES_PER_RESULT = 2
"""A page of a proxy in place of audio may be gone a second later; bytes that are bad twice are kept as evidence."""


@dataclass(frozen=True, slots=True)
class RecordingBody:
    """``sink`` belongs to whoever opened it; it is read again from its start. ``sha256`` is lower-case hex.

    ``copy_of`` is where the same bytes lie in S3 already, where a bucket proves it.
    """

    sink: BinaryIO
    size: int
    sha256: str
    inspection: Inspection
    origin: Origin
    copy_of: CopySource | None = None

    @property
    def refusal(self) -> Finding | None:
        """The finding that keeps it out of the archive, if any."""
        return verdict(self.inspection.findings)

    @property
    def refused_for(self) -> str:
        """The name of that finding, empty where there is none."""
        return self.refusal.name if self.refusal else ""

    @property
    def is_zip(self) -> bool:
        """Whether it is an archive to be opened, whatever it was declared to be."""
        kind = self.inspection.kind
        return kind is not None and kind.name == "zip"

    @property
    def extension(self) -> str:
        """By content, never by name."""
        return self.inspection.kind.extension if self.inspection.kind else "bin"

    @property
    def media_type(self) -> str:
        """By content, never by declaration."""
        return self.inspection.kind.media_type if self.inspection.kind else "application/octet-stream"


def fetch_body(work: ShardWork, urls: JobUrls, result: RecordingResult, sink: BinaryIO | Spool) -> RecordingBody:
    """Download a result into the sink and examine it; once more where the bytes are bad.

    A URL that expires, even half-way through, is renewed and the download goes on with the bytes it has.

    Raises:
        NotAuthorised: the source's API refuses us: never said of the media host alone.
        RetriableError, SourceChanged: the download did not come to an end; later it may.
        PermanentError, SkippableError: as the answer says; nothing usable arrived.
    """
    place = _Place(urls, result)
    _reserve(sink, urls.size_promised(result))
    for fetch in range(1, FETCHES_PER_RESULT + 1):
        last = fetch == FETCHES_PER_RESULT
        try:
            downloaded = place.download(work, sink)
        except IntegrityError:
            if last:
                raise
            place.look_again()
            continue
        body = _examined(cast("BinaryIO", sink), downloaded, result, urls, place.current.url.host)
        if last or body.is_zip or body.refusal is None:
            return body
        place.look_again()
    raise SourceChanged("The recording did not arrive within its attempts.")  # pragma: no cover - the loop ends above


def _reserve(sink: BinaryIO | Spool, promised: int | None) -> None:
    """Reserve exactly what the source promised, before one byte is asked for."""
    if promised is not None and isinstance(sink, BudgetedSpool):
        sink.reserve(promised)


class _Place:
    """Where a result is now. Tells a media host that refuses one URL from an API that refuses us altogether."""

    def __init__(self, urls: JobUrls, result: RecordingResult) -> None:
        self.current = urls.current(result)
        self._urls = urls
        self._result = result
        self._refusal: NotAuthorised | None = None

    def download(self, work: ShardWork, sink: BinaryIO | Spool) -> Downloaded:
        try:
            return work.downloader.fetch(self.current.url, sink, renew=self._renewed, look_again=self._changed)
        except NotAuthorised as error:
            if error is self._refusal:
                raise
            # One URL that is refused is one recording's trouble; refused credentials are everybody's.
            raise RequestRejected(str(error), **error.facts) from None

    def look_again(self) -> None:
        self.current = self._urls.looked_again(self._result, self.current)

    def _changed(self, _: PresignedUrl) -> PresignedUrl:
        return self._asked(self._urls.looked_again)

    def _renewed(self, _: PresignedUrl) -> PresignedUrl:
        return self._asked(self._urls.renewed)

    def _asked(self, ask: Callable[[RecordingResult, JobUrl], JobUrl]) -> PresignedUrl:
        try:
            self.current = ask(self._result, self.current)
        except NotAuthorised as error:
            self._refusal = error
            raise
        return self.current.url


def _examined(
    sink: BinaryIO, downloaded: Downloaded, result: RecordingResult, urls: JobUrls, url_host: str
) -> RecordingBody:
    declared = result.content_type or downloaded.content_type
    inspection = examine(sink, downloaded.size, declared)
    promised = urls.size_promised(result)
    if promised is not None:
        size = Finding("promised_size_agrees", promised == downloaded.size, required=True, note=f"{promised} promised")
        inspection = replace(inspection, findings=(*inspection.findings, size))
    return RecordingBody(
        sink=sink,
        size=downloaded.size,
        sha256=downloaded.sha256,
        inspection=inspection,
        origin=Origin(
            kind=urls.kind,
            job_id=urls.job_id,
            requested_at=urls.requested_at,
            url_host=url_host,
            acquired_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            etag=downloaded.etag,
            declared_media_type=declared,
            may_be_rendering=urls.may_be_renderings or None,
            media_uri=urls.media_uri(result),
        ),
    )
