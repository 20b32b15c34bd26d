"""Start reading here: how one recording is archived now, by the same engine and into the same places as a night's.

Ask where it is (``single_urls.py``), bring it into the lake (``recording.py``), say why the conversation's other
recordings are not here (``holes.py``), and leave a manifest of this one conversation for the day's next commit.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from include.audit.download_tally import NO_DOWNLOADS, DownloadTally
from include.audit.metrics import SILENT
from include.errors import ArchiveError, FormatUnsupported, NotAuthorised, RecordingGone, RetriableError
from include.lake.commit import read_head
from include.lake.manifest import Manifest
from include.outcome import Outcome
from include.secret import PresignedUrl
from include.transfer.contested import contested_recordings
from include.transfer.day_state import present_state
from include.transfer.derivative_settings import DerivativeSettings
from include.transfer.download import MediaDownloader
from include.transfer.evidence import dated, earlier_tries
from include.transfer.failure import failure_record, reason_of
from include.transfer.holes import AVAILABLE
from include.transfer.recording import archive_recording
from include.transfer.results import RecordingResults
from include.transfer.shard_work import ShardWork
from include.transfer.single_held import is_held
from include.transfer.single_plan import refuse_erased
from include.transfer.single_rendition import copy_recording, is_asked_of_source
from include.transfer.single_urls import SingleUrls
from include.transfer.single_whole import whole_conversation
from include.transfer.stored import stored_parts, stored_recording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from include.audit.download_tally import Downloads
    from include.audit.metrics import Metrics
    from include.genesys.connection import GenesysConnection
    from include.lake.plan import ShardPlan
    from include.lake.store import LakeStore
    from include.local_day import LocalDay
    from include.outcome import ItemRecord
    from include.secret import Secret
    from include.settings import ArchiveSettings
    from include.transfer.single_plan import SinglePlanned
    from include.transfer.single_urls import SingleSource, Wanted

log = logging.getLogger(__name__)
COPIES = DerivativeSettings()
_FORBIDDEN = 403


class ConnectedSource(Protocol):
    """A source that knows its hosts, and what its own want to see."""

    @property
    def connection(self) -> GenesysConnection:
        """Identity, hosts and limits of the organisation."""

    def token_for(self, url: PresignedUrl) -> Secret | None:
        """Return the token that a URL wants, ``None`` for any host but the API's own."""


@dataclass(frozen=True, slots=True)
class SingleReport:
    """What came of it, as it travels through XCom; ``missing`` has a sentence for each thing that was not had."""

    manifest_key: str
    archived: int
    bytes: int
    missing: tuple[str, ...]
    downloads: Downloads = NO_DOWNLOADS

    def to_json(self) -> dict[str, object]:
        """Return it for XCom, in lists."""
        return {**asdict(self), "missing": list(self.missing), "downloads": self.downloads.to_json()}


def seconds_until_ready(
    source: SingleSource,
    lake: LakeStore,
    org: str,
    planned: SinglePlanned,
    *,
    poll_seconds: float,
    wishes: DerivativeSettings = COPIES,
) -> float | None:
    """Return how long the source wants to go on preparing what is not in the lake; ``None`` when there is no waiting.

    By its own estimate (``estimatedTranscodeTimeMs``) where it gives one. Asking is also what makes it begin.

    Raises:
        NotAuthorised: when the credentials are refused altogether.
    """
    parts = stored_parts(lake, org, planned.date, (planned.conversation_id,))
    waits = []
    for wanted in planned.wanted() if planned.shard_key else ():
        made_here = wanted.output_format is not None and not is_asked_of_source(wanted, wishes)
        if made_here or is_held(lake, org, planned.date, wanted, parts):
            continue
        try:
            offer = wanted.offer(source)
        except (RecordingGone, FormatUnsupported, RetriableError):
            continue  # said by the task that fetches
        except NotAuthorised as error:
            if error.status != _FORBIDDEN:
                raise
            continue
        if not offer.urls and offer.file_state in {None, *AVAILABLE}:
            waits.append((offer.ready_in_milliseconds or poll_seconds * 1000) / 1000)
    return max(waits, default=None)


def media_downloader(source: ConnectedSource, settings: ArchiveSettings) -> MediaDownloader:
    """Return a downloader that also fetches from the API's own host, the one place to which it sends our token."""
    connection = source.connection
    host = PresignedUrl(connection.api_base_url).host
    return MediaDownloader(
        settings,
        (*connection.media_hosts, host),
        private_media_hosts=connection.private_media_hosts,
        authorise=source.token_for,
    )


def archive_single(  # noqa: PLR0913 - the ports, the plan and what is wanted
    source: SingleSource,
    lake: LakeStore,
    downloader: MediaDownloader,
    settings: ArchiveSettings,
    plan: ShardPlan,
    planned: SinglePlanned,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    metrics: Metrics = SILENT,
    wishes: DerivativeSettings = COPIES,
) -> SingleReport:
    """Archive the recordings that are wanted and write the manifest of their conversation.

    The manifest speaks for the whole conversation: a recording that nobody asked for and that is not in the lake is
    named as pending there, so that the next night asks for it. The original comes first; a copy that is wanted of it
    stands among the derivatives, and one that cannot be had is named by the report, not by the manifest.

    Raises:
        ConfigurationError: when the conversation was erased since it was planned.
        RetriableError, PermanentError: when the source's API or the lake stops it.
    """
    conversation_id = planned.conversation_id
    refuse_erased(lake, plan.date, conversation_id)
    tally = DownloadTally(metrics, reason_of)
    records: list[ItemRecord] = []
    missing: list[str] = []
    contested = contested_recordings(lake, plan.date)
    for wanted in planned.wanted():
        stored = stored_parts(lake, plan.org, plan.date, (conversation_id,))
        work = ShardWork(source, lake, downloader, settings, plan, stored, tally=tally, contested=contested)
        if wanted.output_format is None:
            records += _archive_one(work, source, wanted, clock())
            continue
        here = [item for item in records if item.recording_id == wanted.recording_id]
        archived = [item for item in here if item.outcome is Outcome.ARCHIVED]
        why_not = copy_recording(work, source, wishes, wanted, archived, clock())
        missing += [f"{wanted.recording_id} as {wanted.output_format.upper()}: {why_not}"] if why_not else []
    if not planned.is_of_unknown_call:
        records = whole_conversation(source, lake, plan, conversation_id, records)
    items = tuple(sorted(dated(set(records), earlier_tries(lake, plan), clock())))
    manifest = Manifest(plan.org, plan.date, plan.conversation_ids, items, plan.base_version, plan.key)
    archived = [item for item in items if item.outcome is Outcome.ARCHIVED]
    return SingleReport(
        manifest_key=manifest.write(lake),
        archived=len(archived),
        bytes=sum(item.bytes for item in archived),
        missing=(*_not_archived(planned, items), *missing),
        downloads=tally.result(),
    )


def missing_in_proof(lake: LakeStore, org: str, day: LocalDay, planned: SinglePlanned) -> tuple[str, ...]:
    """Return a sentence for each wanted recording that the day's newest commit and the bucket do not both bear out.

    Raises:
        RetriableError, PermanentError: as the lake raises them.
    """
    head = read_head(lake, org, day)
    if head is None:
        return (f"{day} has no commit.",)
    return _not_archived(planned, present_state(lake, head).items.get(planned.conversation_id, ()))


def _archive_one(work: ShardWork, source: SingleSource, wanted: Wanted, now: datetime) -> list[ItemRecord]:
    place = (wanted.conversation_id, wanted.recording_id)
    if place not in work.contested and is_held(work.lake, work.plan.org, work.plan.date, wanted, work.stored):
        log.info("recording_id=%s outcome=recognised", wanted.recording_id)
        return stored_recording(work.lake, work.identity(*place), work.stored[place])
    try:
        offer = wanted.offer(source)
    except NotAuthorised as error:
        if error.status != _FORBIDDEN:
            raise
        return []  # one recording that may not be seen; recordingmetadata says so too
    except RecordingGone:
        return []
    except ArchiveError as error:
        return [failure_record(*place, error)]
    urls = SingleUrls(source, wanted, offer, now.isoformat(timespec="seconds"))
    return archive_recording(work, urls, RecordingResults(*place, urls.results)) if urls.results else []


def _not_archived(planned: SinglePlanned, items: Sequence[ItemRecord]) -> tuple[str, ...]:
    here = {item.recording_id for item in items if item.outcome is Outcome.ARCHIVED}
    sentences = [
        f"{recording_id}: {_why([item for item in items if item.recording_id in ('', recording_id)])}"
        for recording_id in planned.recordings
        if recording_id not in here
    ]
    if not planned.recordings:
        sentences.append(f"conversation {planned.conversation_id}: {_why(items)}")
    return tuple(sentences)


def _why(items: Sequence[ItemRecord]) -> str:
    words = [f"{item.outcome}, {item.reason} ({item.fact})" for item in items if item.outcome is not Outcome.ARCHIVED]
    return "; ".join(words) or "the source was not ready with it in time"
