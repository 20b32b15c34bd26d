"""Which class an error about one recording means."""

from __future__ import annotations

import pytest

from include import errors
from include.outcome import Outcome
from include.transfer.failure import failure_record, outcome_of
from tests.story.desk import conversation


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (errors.SourceUnavailable("x"), Outcome.PENDING, "source_unavailable"),
        (errors.RateLimited("x", retry_after_seconds=1.0), Outcome.PENDING, "rate_limited"),
        (errors.TransferInterrupted("x", bytes_safe=1), Outcome.PENDING, "transfer_interrupted"),
        (errors.UrlExpired("x"), Outcome.PENDING, "url_expired"),
        (errors.SourceChanged("x"), Outcome.PENDING, "source_changed"),
        (errors.QuotaExceeded("x"), Outcome.PENDING, "quota_exceeded"),
        (errors.RecordingGone("x"), Outcome.PENDING, "recording_gone"),
        (errors.FormatUnsupported("x"), Outcome.SOURCE_ERROR, "format_unsupported"),
        (errors.IntegrityError("x"), Outcome.QUARANTINED, "integrity_error"),
        (errors.ArchiveRejected("x", reason="bomb"), Outcome.QUARANTINED, "archive_rejected"),
        (errors.RequestRejected("x"), Outcome.QUARANTINED, "request_rejected"),
        (errors.ConfigurationError("x"), Outcome.QUARANTINED, "configuration_error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_error_and_class(error: errors.ArchiveError, outcome: Outcome, reason: str) -> None:
    """No error makes a settled exclusion: each leaves the recording open, or to be asked for again."""
    record = failure_record(conversation(1), "", error)
    assert (outcome, reason, "download", "x") == (record.outcome, record.reason, record.said_by, record.fact)
    assert not outcome_of(error).is_settled


def test_long_words_are_cut() -> None:
    """A fact is a sentence, not a page."""
    assert 200 == len(failure_record(conversation(1), "", errors.IntegrityError("x" * 999)).fact)
