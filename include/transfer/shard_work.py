"""What every step of one shard's archiving holds: the ports, the plan, and what the lake had at the start."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from include.errors import UrlExpired
from include.lake.layout import MediaIdentity

if TYPE_CHECKING:
    from include.genesys.models import BatchStatus, RecordingMetadata, RecordingResult
    from include.lake.plan import ShardPlan
    from include.lake.store import LakeStore
    from include.secret import PresignedUrl
    from include.settings import ArchiveSettings
    from include.transfer.download import MediaDownloader
    from include.transfer.stored import StoredParts


class ShardSource(Protocol):
    """What archiving a shard needs of the source."""

    def batch_status(self, job_id: str) -> BatchStatus:
        """Return the job with fresh URLs."""

    def recording_metadata(self, conversation_id: str) -> tuple[RecordingMetadata, ...]:
        """Return what Genesys knows of the conversation's recordings."""


@dataclass(frozen=True, slots=True)
class ShardWork:
    """The ports and facts of one shard; shared by its threads, changed by none."""

    source: ShardSource
    lake: LakeStore
    downloader: MediaDownloader
    settings: ArchiveSettings
    plan: ShardPlan
    stored: StoredParts

    def identity(self, conversation_id: str, recording_id: str, part: int = 0) -> MediaIdentity:
        """Return what a part of this shard's day is called."""
        return MediaIdentity(self.plan.org, self.plan.date, conversation_id, recording_id, part)


class JobUrls:
    """A job's URLs, asked for again when they have grown too old, once however many threads find out at the same time.

    Results are matched by the object that the URL names, or else by their place among those of the same recording:
    an unfinished job that names a second part later may put it first.
    """

    def __init__(self, source: ShardSource, job_id: str, results: tuple[RecordingResult, ...]) -> None:
        self.job_id = job_id
        self._source = source
        self._first = results
        self._latest = results
        self._lock = threading.Lock()

    def renewed(self, result: RecordingResult, expired: PresignedUrl) -> PresignedUrl:
        """Return a URL for ``result`` other than the expired one.

        Raises:
            UrlExpired: when the job offers no other.
            RetriableError, PermanentError: as the source raises them.
        """
        place = _of_recording(self._first, result).index(result)
        with self._lock:
            url = self._url_at(place, result)
            if url is None or url == expired:
                self._latest = self._source.batch_status(self.job_id).results
                url = self._url_at(place, result)
        if url is None or url == expired:
            raise UrlExpired("The job offers no fresh URL for this recording.", job_id=self.job_id)
        return url

    def _url_at(self, place: int, result: RecordingResult) -> PresignedUrl | None:
        matching = _of_recording(self._latest, result)
        for item in matching:
            if item.url is not None and result.url is not None and item.url.location == result.url.location:
                return item.url
        return matching[place].url if place < len(matching) else None


def _of_recording(results: tuple[RecordingResult, ...], result: RecordingResult) -> list[RecordingResult]:
    place = (result.conversation_id, result.recording_id)
    return [item for item in results if (item.conversation_id, item.recording_id) == place]
