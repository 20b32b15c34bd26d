"""Turns an error about one recording into its record: the table from error class to outcome; pure."""

from __future__ import annotations

import logging
import re

from include.errors import ArchiveError, FormatUnsupported, QuotaExceeded, RecordingGone, RetriableError, SourceChanged
from include.outcome import ItemRecord, Outcome
from include.transfer.holes import FACT_LENGTH

log = logging.getLogger(__name__)
DOWNLOAD = "download"


def failure_record(conversation_id: str, recording_id: str, error: ArchiveError) -> ItemRecord:
    """Return the record of a recording that did not arrive; the reason is the error's name in small words.

    Errors hold no secrets by contract, so their sentence may stand as the fact.
    """
    reason = failure_reason(type(error))
    outcome = outcome_of(error)
    log.warning("recording_id=%s outcome=%s reason=%s: %s", recording_id or "-", outcome, reason, error)
    return ItemRecord(conversation_id, recording_id, 0, outcome, reason, DOWNLOAD, str(error)[:FACT_LENGTH])


def failure_reason(kind: type[ArchiveError]) -> str:
    """Return an error's name in small words.

    >>> failure_reason(RecordingGone)
    'recording_gone'
    """
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def reason_of(error: BaseException) -> str:
    """Return the word for whatever ended a download; an error that is none of ours has one word for all of its kind.

    >>> reason_of(RecordingGone("away")), reason_of(KeyboardInterrupt())
    ('recording_gone', 'unexpected')
    """
    return failure_reason(type(error)) if isinstance(error, ArchiveError) else "unexpected"


def outcome_of(error: ArchiveError) -> Outcome:
    """Return the class that an error about one recording means.

    >>> from include.errors import SourceUnavailable
    >>> outcome_of(SourceUnavailable("later"))
    <Outcome.PENDING: 'pending'>
    """
    if isinstance(error, RetriableError | SourceChanged | QuotaExceeded | RecordingGone):
        return Outcome.PENDING
    if isinstance(error, FormatUnsupported):
        return Outcome.SOURCE_ERROR
    return Outcome.QUARANTINED
