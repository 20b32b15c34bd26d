"""Both wire contracts: request encoders that differ by contract, response readers that accept either shape.

The only module that knows which contract is spoken, and, with ``analytics.py`` and ``directory.py``, the only one that
spells endpoint paths. ``platform`` follows the Genesys OpenAPI, ``guide`` the two guides. Readers are tolerant: unknown
fields are ignored, nulls and missing lists are empty.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from include.errors import ConfigurationError
from include.genesys.answer import Malformed
from include.genesys.json_fields import count_of, entries_of, envelope_of, id_of, object_of, text_of
from include.genesys.models import BatchStatus, Contract, RecordingMetadata, RecordingResult
from include.genesys.redaction import shown
from include.genesys.request import ApiRequest, path_of
from include.secret import PresignedUrl

if TYPE_CHECKING:
    from collections.abc import Sequence

BATCHES = "/api/v2/recording/batchrequests"
BATCH = f"{BATCHES}/{{}}"
RECORDING_METADATA = "/api/v2/conversations/{}/recordingmetadata"

ORIGINAL = "original"
OUTPUT_FORMATS = (ORIGINAL, "wav", "mp3")
ZIP = "application/zip"

LOST_SUBMISSIONS_MAX = 2
"""A submission whose reply was lost may have started a job; each repeat may start one more, which costs quota."""

_JOB_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")


def token_form(scope: str) -> dict[str, str]:
    """Return the form fields of a token request; without a scope there is no field of it."""
    form = {"grant_type": "client_credentials"}
    return form | {"scope": scope} if scope else form


def batch_submission(contract: Contract, conversation_ids: Sequence[str], output_format: str | None) -> ApiRequest:
    """Encode a batch request for whole conversations.

    Raises:
        ConfigurationError: when a format is asked for that the contract cannot deliver.
    """
    wanted = _wanted_format(contract, output_format)
    items = [{"conversationId": conversation_id} for conversation_id in conversation_ids]
    body: dict[str, object] = {"batchDownloadRequestList": items}
    if contract is Contract.GUIDE:
        query: dict[str, object] = {"batchDownloadJobSignatures": items}
        if wanted is not None:
            query["outputFormat"] = wanted.upper()
        body = {"batchDownloadJobSubmissionQuery": query}
    return ApiRequest("POST", BATCHES, BATCHES, body=body, lost_replies_max=LOST_SUBMISSIONS_MAX)


def batch_status_request(job_id: str) -> ApiRequest:
    """Ask how far a job is."""
    return ApiRequest("GET", BATCH, path_of(BATCH, job_id))


def recording_metadata_request(conversation_id: str) -> ApiRequest:
    """Ask which recordings a conversation has."""
    return ApiRequest("GET", RECORDING_METADATA, path_of(RECORDING_METADATA, conversation_id))


def read_job_id(body: object) -> str:
    """Return the job id of a submission: ``id`` (platform) or ``jobId`` (guide).

    Raises:
        Malformed: when there is none that could stand in a path.
    """
    answer = envelope_of(body)
    job_id = answer.get("id") or answer.get("jobId")
    if not isinstance(job_id, str) or not _JOB_ID.fullmatch(job_id):
        raise Malformed("it names no job")
    return job_id


def read_batch_status(job_id: str, body: object) -> BatchStatus:
    """Return the state of a job from either shape.

    Raises:
        Malformed: when the body is no object, or a counter of its own is a number that nobody can mean.
    """
    answer = envelope_of(body)
    results = tuple(_result(entry) for entry in entries_of(answer.get("results")))
    archive = answer.get("resultUrl")
    if isinstance(archive, str) and archive and not results:
        results = (_result({"resultUrl": archive, "contentType": ZIP}),)
    return BatchStatus(
        job_id=job_id,
        completed=_completed(answer.get("status")),
        expected_count=count_of(answer.get("expectedResultCount")),
        result_count=count_of(answer.get("resultCount")),
        error_count=count_of(answer.get("errorCount")),
        results=results,
    )


def read_recording_metadata(conversation_id: str, body: object) -> tuple[RecordingMetadata, ...]:
    """Return the recordings of a conversation.

    An entry without an id makes the whole answer malformed: read as "no such recording" it would lose one.

    Raises:
        Malformed: when the body is no list of recordings with ids.
    """
    if not isinstance(body, list):
        raise Malformed("it is no list of recordings")
    return tuple(_metadata(conversation_id, object_of(entry)) for entry in body)


def readable_url(address: object) -> PresignedUrl | None:
    """Return the URL, ``None`` where it is absent or cannot be taken apart."""
    url = PresignedUrl(address) if isinstance(address, str) and address else None
    return url if url is not None and url.location and url.host else None


def _wanted_format(contract: Contract, output_format: str | None) -> str | None:
    wanted = (output_format or ORIGINAL).strip().lower()
    if wanted not in OUTPUT_FORMATS:
        raise ConfigurationError(f"Output format {wanted!r} is none of {', '.join(OUTPUT_FORMATS)}")
    if wanted == ORIGINAL:
        return None
    if contract is Contract.PLATFORM:
        raise ConfigurationError(
            f"A batch request of the platform contract delivers the original format, not {wanted}: "
            "convert after the download"
        )
    return wanted


def _completed(status: object) -> bool | None:
    """Read ``status`` (``InProgress`` or ``Completed``); a value newer than this code is not completed."""
    return status.strip().lower() == "completed" if isinstance(status, str) and status.strip() else None


def _result(entry: dict[str, object]) -> RecordingResult:
    error_message = _said(entry.get("errorMsg"))
    address = entry.get("resultUrl")
    url = readable_url(address)
    if url is None and address:
        error_message = error_message or "the result URL cannot be read"
    return RecordingResult(
        conversation_id=id_of(entry.get("conversationId")),
        recording_id=id_of(entry.get("recordingId")),
        url=url,
        content_type=text_of(entry.get("contentType")),
        error_message=error_message,
    )


def _said(words: object) -> str | None:
    """Return the source's own words, which stand in the report; ``None`` where there are none."""
    return shown(words) or None if isinstance(words, str) else None


def _metadata(conversation_id: str, entry: dict[str, object]) -> RecordingMetadata:
    recording_id = id_of(entry.get("id"))
    if recording_id is None:
        raise Malformed("it holds a recording without an id")
    return RecordingMetadata(
        recording_id=recording_id,
        conversation_id=id_of(entry.get("conversationId")) or conversation_id,
        file_state=_said(entry.get("fileState")),
        media=_said(entry.get("media")),
        media_subtype=text_of(entry.get("mediaSubtype")),
        session_id=text_of(entry.get("sessionId")),
        raw=entry,
    )
