"""Genesys Cloud as the rest of the project sees it: what was said, by whom, and where the recordings are.

The one object that Airflow hooks build. Everything it returns is a typed value that is the same under both contracts.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from include.genesys import analytics, analytics_jobs, one_conversation, recording, single_recording
from include.genesys.budget import RequestBudget
from include.genesys.directory import Directory
from include.genesys.http import ApiDoor
from include.genesys.retry import Timekeeping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from include.genesys.analytics import ConversationsFound
    from include.genesys.analytics_jobs import DetailsJobState
    from include.genesys.batch_submission import BatchSubmitted
    from include.genesys.call_counts import CallCounts
    from include.genesys.connection import GenesysConnection
    from include.genesys.models import BatchStatus, Conversation, RecordingMetadata
    from include.genesys.single_recording import MediaOffer
    from include.secret import PresignedUrl, Secret
    from include.settings import ArchiveSettings


class GenesysClient:
    """Door, token, allowance and directory of one connection; safe to share between threads.

    Use it as a context manager, or call ``close()``. Every method may raise what ``ApiDoor.fetch`` raises.
    ``names_may_wait`` is for a caller who comes again where names cannot be had now; see ``Directory``.
    """

    def __init__(
        self,
        connection: GenesysConnection,
        settings: ArchiveSettings,
        sleep: Callable[[float], None] = time.sleep,
        *,
        timekeeping: Timekeeping | None = None,
        names_may_wait: bool = False,
    ) -> None:
        times = timekeeping or Timekeeping(sleep=sleep)
        budget = RequestBudget.for_client(
            settings.state_dir,
            connection.client_id,
            connection.requests_per_minute,
            clock=times.clock,
            sleep=times.sleep,
        )
        self.connection = connection
        self._settings = settings
        self._door = ApiDoor(connection, settings, budget, times)
        self._directory = Directory(self._door, may_wait=names_may_wait)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @property
    def counts(self) -> CallCounts:
        """Calls, retries and waiting so far."""
        return self._door.counts

    def close(self) -> None:
        """Close all connections."""
        self._door.close()

    def find_conversations(
        self, start_utc: datetime, end_utc: datetime, *, rows_max: int | None = None
    ) -> ConversationsFound:
        """Find the recorded conversations of a closed interval; see ``analytics.find_conversations``."""
        return analytics.find_conversations(self._door, start_utc, end_utc, rows_max=rows_max)

    def details_available_until(self) -> datetime:
        """Return how far the data of analytics jobs reach; see ``analytics_jobs.data_available_until``."""
        return analytics_jobs.data_available_until(self._door)

    def submit_details_job(self, start_utc: datetime, end_utc: datetime) -> str:
        """Submit an analytics job and return its id; see ``analytics_jobs.submit_details_job``."""
        return analytics_jobs.submit_details_job(self._door, start_utc, end_utc)

    def details_job_state(self, job_id: str) -> DetailsJobState:
        """Return how far an analytics job is; see ``analytics_jobs.details_job_state``."""
        return analytics_jobs.details_job_state(self._door, job_id)

    def read_details_job(self, job_id: str, start_utc: datetime, end_utc: datetime) -> ConversationsFound:
        """Return what an analytics job found; see ``analytics_jobs.read_details_job``."""
        folder = self._settings.state_dir / "work"
        return analytics_jobs.read_details_job(self._door, job_id, start_utc, end_utc, folder)

    def resolve_names(self, conversations: Iterable[Conversation]) -> tuple[Conversation, ...]:
        """Fill in the names of agents, queues and wrap-up codes; see ``Directory.resolve``."""
        return self._directory.resolve(conversations)

    @property
    def names_missing(self) -> tuple[str, ...]:
        """Of which fields of conversations names could not be had; see ``Directory.missing``."""
        return self._directory.missing

    def submit_batch(self, conversation_ids: Iterable[str], output_format: str | None = None) -> str:
        """Submit one batch job and return its id; see ``recording.submit_batch``."""
        return recording.submit_batch(self._door, conversation_ids, output_format)

    def submit_batches(self, conversation_ids: Iterable[str], output_format: str | None = None) -> BatchSubmitted:
        """Submit batch jobs for all conversations, setting aside refused ones; see ``recording.submit_batches``."""
        size = self._settings.batch_items
        return recording.submit_batches(self._door, conversation_ids, output_format, size=size)

    def batch_status(self, job_id: str) -> BatchStatus:
        """Return the state of a job; see ``recording.batch_status``."""
        return recording.batch_status(self._door, job_id)

    def conversation(self, conversation_id: str) -> Conversation:
        """Return what analytics says of one conversation; see ``one_conversation.conversation_details``."""
        return one_conversation.conversation_details(self._door, conversation_id)

    def recording_metadata(self, conversation_id: str) -> tuple[RecordingMetadata, ...]:
        """Return what the source knows of a conversation's recordings; see ``recording.recording_metadata``."""
        return recording.recording_metadata(self._door, conversation_id)

    def recording_media(self, conversation_id: str, recording_id: str, output_format: str | None = None) -> MediaOffer:
        """Ask where one recording can be fetched; see ``single_recording.recording_media``."""
        return single_recording.recording_media(self._door, conversation_id, recording_id, output_format)

    def guide_media(self, media_id: str) -> MediaOffer:
        """Ask where a media id of the guide contract can be fetched; see ``single_recording.guide_media``."""
        return single_recording.guide_media(self._door, media_id)

    def token_for(self, url: PresignedUrl) -> Secret | None:
        """Return the token that a media URL wants: ours on the API host itself, none anywhere else."""
        return self._door.token_for(url)

    def renew_token(self) -> None:
        """Get another token; see ``ApiDoor.renew_token``."""
        self._door.renew_token()
