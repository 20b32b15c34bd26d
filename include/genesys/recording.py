"""Recordings: submit batch jobs, ask how far they are, list what a conversation has.

The job exists only on the source's side and can be read only by the OAuth client that submitted it. Fetching the media
is not done here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.genesys.batch_submission import BatchSubmitted, Refusal, SubmittedBatch, submit_batch, submit_batches
from include.genesys.contract import (
    batch_status_request,
    read_batch_status,
    read_recording_metadata,
    recording_metadata_request,
)
from include.genesys.gone import told_gone
from include.genesys.grouping import groups_of

if TYPE_CHECKING:
    from include.genesys.http import ApiDoor
    from include.genesys.models import BatchStatus, RecordingMetadata

__all__ = [
    "BatchSubmitted",
    "Refusal",
    "SubmittedBatch",
    "batch_status",
    "groups_of",
    "recording_metadata",
    "submit_batch",
    "submit_batches",
]


def batch_status(door: ApiDoor, job_id: str) -> BatchStatus:
    """Return the state of a job.

    Raises:
        RecordingGone: when the source does not know the job (fact ``job_id``): submit its conversations again.
        NotAuthorised: when another OAuth client submitted it (``batch.download.permission.denied``).
        ArchiveError: as ``ApiDoor.fetch``.
    """
    with told_gone(f"Batch job {job_id}", job_id=job_id):
        return door.fetch(batch_status_request(job_id), lambda body: read_batch_status(job_id, body))


def recording_metadata(door: ApiDoor, conversation_id: str) -> tuple[RecordingMetadata, ...]:
    """Return what the source knows of a conversation's recordings; empty where it has none.

    Raises:
        RecordingGone: when the source does not know the conversation (fact ``conversation_id``).
        NotAuthorised: when we may not see it; ``code`` says which permission is missing.
        ArchiveError: as ``ApiDoor.fetch``.
    """
    request = recording_metadata_request(conversation_id)
    with told_gone(f"Conversation {conversation_id}", conversation_id=conversation_id):
        return door.fetch(request, lambda body: read_recording_metadata(conversation_id, body))
