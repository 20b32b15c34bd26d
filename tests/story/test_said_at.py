"""When it was said: beside every word that keeps a recording out, and only when it was new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from include.genesys.models import RecordingResult
from tests.story.desk import Desk, audio, conversation, recording_of
from tests.story.night import everything_in
from tests.story.shelf import finished, recording

FIRST = datetime(2026, 3, 3, 4, 0, 0, 999_999, UTC)
LATER = FIRST + timedelta(hours=3)


def said(items):
    """Return class to moments."""
    found = {}
    for item in items:
        found.setdefault(str(item.outcome), set()).add(item.said_at)
    return found


def test_every_word_has_its_moment(table: Desk) -> None:
    """What is not archived says when we heard so, to the second; what is archived has its times beside the audio."""
    table.source.statuses["job"] = [finished(table.result(1, table.shelf.put("/1", audio(1))))]
    table.source.recordings[conversation(3)] = (recording(conversation(3), recording_of(3), "DELETED"),)
    items = table.archive(1, 2, 3, clock=lambda: FIRST)
    moment = "2026-03-03T04:00:00+00:00"
    assert {"archived": {""}, "no_recording": {moment}, "deleted_at_source": {moment}} == said(items)


def test_retry_that_hears_the_same_writes_nothing(table: Desk) -> None:
    """A shard that is cleared three hours later and told the same leaves the lake as it was, pending work and all."""
    table.source.statuses["job"] = [finished()]
    table.source.recordings[conversation(1)] = (recording(conversation(1), recording_of(1), "UPLOADING"),)
    table.archive(1, 2, clock=lambda: FIRST)
    before = everything_in(table.lake)
    table.archive(1, 2, clock=lambda: LATER)
    assert before == everything_in(table.lake)


def test_retry_that_hears_something_else_says_when(table: Desk) -> None:
    """Only the word that is new has a new moment."""
    table.source.statuses["job"] = [finished()]
    table.source.recordings[conversation(1)] = (recording(conversation(1), recording_of(1), "UPLOADING"),)
    table.archive(1, 2, clock=lambda: FIRST)
    error = RecordingResult(conversation(1), recording_of(1), None, None, "could not be transcoded")
    table.source.statuses["job"] = [finished(error)]
    items = table.archive(1, 2, clock=lambda: LATER)
    assert {"pending": {"2026-03-03T07:00:00+00:00"}, "no_recording": {"2026-03-03T04:00:00+00:00"}} == said(items)
