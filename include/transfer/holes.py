"""Why a requested conversation brought no audio: asked of ``recordingmetadata``, for those conversations only.

The batch's own ``errorMsg`` is free text without a published vocabulary, so the class comes from ``fileState`` and the
text is kept as the fact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from include.errors import NotAuthorised, PermanentError, RecordingGone, RetriableError
from include.outcome import ItemRecord, Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from include.genesys.models import RecordingMetadata, RecordingResult

METADATA = "recordingmetadata"
BATCH = "batch"
FACT_LENGTH = 200
AUDIO = "audio"
OTHER_MEDIA = frozenset({"chat", "email", "message", "messaging", "screen"})
"""Genesys OpenAPI, ``RecordingMetadata.media`` and ``Recording.media``, all but audio."""
PART_FAILED = "part_failed"
UNAVAILABLE = "metadata_unavailable"
NOT_IN_RESULT = "not_in_result"

# Genesys OpenAPI, RecordingMetadata.fileState. AVAILABLE and RESTORED are missing on purpose: see _available.
STATES: Mapping[str, tuple[Outcome, str]] = {
    "ARCHIVED": (Outcome.ARCHIVED_AT_SOURCE, "archived_at_source"),
    "DELETED": (Outcome.DELETED_AT_SOURCE, "deleted_at_source"),
    "ERROR": (Outcome.SOURCE_ERROR, "file_state_error"),
    "RESTORING": (Outcome.PENDING, "restoring"),
    "UPLOADING": (Outcome.PENDING, "uploading"),
}
AVAILABLE = frozenset({"AVAILABLE", "RESTORED"})


class MetadataSource(Protocol):
    """What explaining a hole needs of the source."""

    def recording_metadata(self, conversation_id: str) -> tuple[RecordingMetadata, ...]:
        """Return what Genesys knows of the conversation's recordings."""


def explain(
    source: MetadataSource,
    conversation_id: str,
    errors: Sequence[RecordingResult],
    answered: Collection[str],
) -> tuple[ItemRecord, ...]:
    """Return a record for every recording of the conversation that the batch did not deliver.

    ``answered`` are the recordings that did come. A recording that the batch names with an error has a record, also
    where ``recordingmetadata`` does not list it. One record for the conversation as a whole where the source names no
    recording at all.

    Raises:
        PermanentError: when the credentials are refused altogether.
    """
    try:
        known = source.recording_metadata(conversation_id)
    except RecordingGone as error:
        return (_whole(conversation_id, Outcome.NO_RECORDING, "conversation_unknown", str(error)),)
    except NotAuthorised as error:
        if error.status != 403:  # noqa: PLR2004 - RFC 9110: 403, understood but refused; 401 concerns the whole run
            raise
        return (_forbidden(conversation_id, error),)
    except RetriableError as error:
        return (_whole(conversation_id, Outcome.PENDING, UNAVAILABLE, str(error)),)
    except PermanentError as error:
        return (_whole(conversation_id, Outcome.SOURCE_ERROR, "metadata_refused", str(error)),)
    texts = {item.recording_id or "": item.error_message or "" for item in errors}
    holes = [_of_recording(conversation_id, item, texts) for item in known if item.recording_id not in answered]
    holes += _named_by_the_batch(conversation_id, texts, {item.recording_id for item in holes}, answered)
    if holes or answered:
        return tuple(holes)
    return (_whole(conversation_id, Outcome.NO_RECORDING, "none_known", texts.get("", "")),)


def _named_by_the_batch(
    conversation_id: str, texts: Mapping[str, str], told: Collection[str], answered: Collection[str]
) -> list[ItemRecord]:
    """Return what the job's own errors name and nothing else does, a part of a delivered recording among it."""
    records = []
    for recording_id, text in sorted(texts.items()):
        outcome, reason = (Outcome.SOURCE_ERROR, "batch_error")
        if recording_id in answered:
            outcome, reason = (Outcome.PENDING, PART_FAILED)
        if recording_id and recording_id not in told:
            place = (conversation_id, recording_id[:64], 0)
            records.append(ItemRecord(*place, outcome, reason, BATCH, text[:FACT_LENGTH]))
    return records


def is_other_medium(media: str | None) -> bool:
    """Whether a recording's medium is known to be no call: one that is missing, or unknown to us, may be one.

    >>> is_other_medium("Screen"), is_other_medium("audio"), is_other_medium("of tomorrow"), is_other_medium(None)
    (True, False, False, False)
    """
    return _word(media) in OTHER_MEDIA


def _of_recording(conversation_id: str, item: RecordingMetadata, texts: Mapping[str, str]) -> ItemRecord:
    state = item.file_state or ""
    text = texts.get(item.recording_id, texts.get("", ""))
    if is_other_medium(item.media):
        outcome, reason = Outcome.NOT_SELECTED, "media_not_selected"
        text = str(item.media)
    elif state in STATES:
        outcome, reason = STATES[state]
    elif state in AVAILABLE:
        outcome, reason = _available(text)
    else:
        outcome, reason = Outcome.PENDING, "file_state_unknown"
    known = _word(item.media) in {"", AUDIO, *OTHER_MEDIA}
    words = (f"fileState={state}" if state else "", "" if known else f"media={item.media}", text)
    fact = "; ".join(part for part in words if part)
    return ItemRecord(conversation_id, item.recording_id[:64], 0, outcome, reason, METADATA, fact[:FACT_LENGTH])


def _word(media: str | None) -> str:
    return (media or "").strip().lower()


def _available(text: str) -> tuple[Outcome, str]:
    """The source has it and did not deliver it: with an error of its own, or in silence, which may pass."""
    return (Outcome.SOURCE_ERROR, "batch_error") if text else (Outcome.PENDING, NOT_IN_RESULT)


def _forbidden(conversation_id: str, error: NotAuthorised) -> ItemRecord:
    """Each 403 of the published API has a code: one without is a firewall's page, and no word of the source."""
    if error.code is None:
        return _whole(conversation_id, Outcome.PENDING, UNAVAILABLE, str(error))
    return _whole(conversation_id, Outcome.RESTRICTED, "no_permission", error.code)


def _whole(conversation_id: str, outcome: Outcome, reason: str, fact: str) -> ItemRecord:
    return ItemRecord(conversation_id, "", 0, outcome, reason, METADATA, fact[:FACT_LENGTH])
