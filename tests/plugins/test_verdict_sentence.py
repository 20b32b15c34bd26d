"""The one sentence of a red day: how many of which reason, where each is named, and what to press."""

from __future__ import annotations

import pytest

from genesys_archive.operators.reconcile_day import what_to_do
from include.audit.reconcile import fold
from include.outcome import ItemRecord, Outcome

ADDRESS = "s3://bucket/report.md"
FOR_SILENCE = "For not_processed: clear the red export_shard with Downstream; where none is red, run the day again."
AGAIN = "Run the day again with only_failed."


def sentence(expected, *items):
    """Return what a person is told about a day of these conversations and items."""
    return what_to_do(fold(expected, [[items]]), ADDRESS)


def item(number, outcome, reason):
    """Return a recording of a conversation."""
    return ItemRecord(f"c{number}", f"r{number}", 0, outcome, reason=reason)


def test_reasons_of_open_work_are_counted_and_no_others():
    """Each word leads to a row of the runbook, the most frequent first; what is settled needs nobody."""
    expired = [item(number, Outcome.PENDING, "url_expired") for number in (1, 2)]
    others = item(3, Outcome.QUARANTINED, "integrity_error"), item(4, Outcome.RESTRICTED, "no_permission")
    said = sentence(["c1", "c2", "c3", "c4"], *expired, *others)
    assert f"Reasons: url_expired 2, integrity_error 1. Each is named in {ADDRESS}. {AGAIN}" == said


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ((), f"Reasons: not_processed 1. Each is named in {ADDRESS}. {FOR_SILENCE}"),
        (
            (item(2, Outcome.PENDING, "uploading"),),
            f"Reasons: not_processed 1, uploading 1. Each is named in {ADDRESS}. {FOR_SILENCE} Else: {AGAIN}",
        ),
    ],
    ids=["alone", "beside others"],
)
def test_silence_sends_to_the_red_shard(items, said):
    """A run with ``only_failed`` is no answer to a task that broke: its own log has the cause."""
    assert said == sentence(["c1", *(one.conversation_id for one in items)], *items)


def test_complete_day_needs_nothing():
    """Nobody is sent anywhere."""
    assert sentence(["c1"], item(1, Outcome.ARCHIVED, "")) == ""
