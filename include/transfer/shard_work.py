"""What every step of one shard's archiving holds: the ports, the plan, and what the lake had at the start."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from include.audit.download_tally import DownloadTally
from include.errors import IntegrityError, UrlExpired
from include.genesys.json_fields import entries_of, text_of, texts_of
from include.lake.layout import MediaIdentity
from include.transfer.metadata import BATCH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


class Shelf(Protocol):
    """Where goes what the source was asked to render: never among the originals."""

    def keep(self, conversation_id: str, recording_id: str, bodies: Sequence[Any]) -> None:
        """Take what came for one recording, or leave it; ``bodies`` are each a ``RecordingBody``, a layer above."""


@dataclass(frozen=True, slots=True)
class ShardWork:
    """The ports and facts of one shard; shared by its threads, changed by none.

    ``shelf`` is set where renderings were asked for: then nothing is archived, and nothing goes to quarantine.
    ``contested`` are recordings (conversation, recording) of which other bytes came by another way: they are fetched
    again, since the number of their parts says nothing of the bytes.
    """

    source: ShardSource
    lake: LakeStore
    downloader: MediaDownloader
    settings: ArchiveSettings
    plan: ShardPlan
    stored: StoredParts
    shelf: Shelf | None = None
    tally: DownloadTally = field(default_factory=DownloadTally)
    contested: frozenset[tuple[str, str]] = frozenset()

    def identity(self, conversation_id: str, recording_id: str, part: int = 0) -> MediaIdentity:
        """Return what a part of this shard's day is called."""
        return MediaIdentity(self.plan.org, self.plan.date, conversation_id, recording_id, part)

    def lake_for(self, conversation_id: str) -> LakeStore:
        """Return the lake as it protects what belongs to this conversation."""
        return lake_for(self.lake, self.plan.facts.get(conversation_id, {}))


def lake_for(lake: LakeStore, facts: Mapping[str, object]) -> LakeStore:
    """Return the lake as its retention rules protect recordings of a conversation with these facts.

    Facts that are unknown, as of a conversation that the source has forgotten, match no rule.
    """
    queues = [text_of(entry.get(name)) for entry in entries_of(facts.get("queues")) for name in ("id", "name")]
    return lake.kept_for(filter(None, queues), texts_of(facts.get("division_ids")))


@dataclass(frozen=True, slots=True)
class JobUrl:
    """A result's URL, and how often the job had been asked again when it was given out."""

    url: PresignedUrl
    asked: int


class JobUrls:
    """A job's URLs, asked for again when they have grown too old, once however many threads find out at the same time.

    Results are matched by the object that the URL names, or else by their place among those of the same recording:
    an unfinished job that names a second part later may put it first.
    """

    kind = BATCH
    """By which way what these name has come: ``Origin.kind``."""
    recognises_by_count = True
    """Whether one result and one part in the lake are the same; a rendering stands beside its original."""
    may_be_renderings = False
    """Whether the source chose the format of these, and does not say whether it is the recording's own."""

    def __init__(
        self,
        source: ShardSource,
        job_id: str,
        results: tuple[RecordingResult, ...],
        requested_at: str | None = None,
    ) -> None:
        self.job_id = job_id
        self.requested_at = requested_at
        self._source = source
        self._first = results
        self._latest = results
        self._asked = 0
        self._lock = threading.Lock()

    def current(self, result: RecordingResult) -> JobUrl:
        """Return the youngest URL of ``result`` that is known.

        Raises:
            IntegrityError: when the job never had one.
            UrlExpired: when the job has none any more.
        """
        if result.url is None:
            raise IntegrityError("The job promised a recording without a URL.", job_id=self.job_id)
        with self._lock:
            url = self._url_at(result, result.url) if self._asked else result.url
            if url is None:
                raise UrlExpired("The job offers no URL for this recording any more.", job_id=self.job_id)
            return JobUrl(url, self._asked)

    def renewed(self, result: RecordingResult, expired: JobUrl) -> JobUrl:
        """Return the URL of ``result`` that the job has now, asking it unless somebody has since ``expired``.

        The same URL may come back: it is signed to the second, and some hosts are not always of the same mind.

        Raises:
            UrlExpired: when the job has none any more.
            RetriableError, PermanentError: as the source raises them.
        """
        with self._lock:
            if expired.asked == self._asked:
                self._latest = self._ask()
                self._asked += 1
        return self.current(result)

    def _ask(self) -> tuple[RecordingResult, ...]:
        return self._source.batch_status(self.job_id).results

    def looked_again(self, result: RecordingResult, used: JobUrl) -> JobUrl:  # noqa: ARG002 - for those that can
        """Return what the source says of the file now that its bytes were bad or others: a job says nothing new."""
        return used

    def size_promised(self, result: RecordingResult) -> int | None:  # noqa: ARG002 - for those that know it
        """Return the exact number of bytes that the source promised, ``None`` where it promises none."""
        return None

    def media_uri(self, result: RecordingResult) -> str | None:  # noqa: ARG002 - for those that have several
        """Return the source's key for one file of several of a recording, ``None`` where it is the only one."""
        return None

    def _url_at(self, result: RecordingResult, first: PresignedUrl) -> PresignedUrl | None:
        before, now = _of_recording(self._first, result), _of_recording(self._latest, result)
        same_before, same_now = _at(before, first), _at(now, first)
        if len(same_before) == len(same_now) == 1:
            return same_now[0].url
        place = before.index(result)
        return now[place].url if place < len(now) else None


def _at(results: list[RecordingResult], url: PresignedUrl) -> list[RecordingResult]:
    return [item for item in results if item.url is not None and item.url.location == url.location]


def _of_recording(results: tuple[RecordingResult, ...], result: RecordingResult) -> list[RecordingResult]:
    place = (result.conversation_id, result.recording_id)
    return [item for item in results if (item.conversation_id, item.recording_id) == place]
