"""What a job delivers less than it counts, names or means: a recording or a part must not be lost in silence."""

from __future__ import annotations

import pytest

from include.genesys.models import BatchStatus, RecordingResult
from tests.story.desk import Desk, audio, brief, conversation, index, path, recording_of, row, sha256, zipped
from tests.story.shelf import recording

ARCHIVED = (conversation(1), recording_of(1), "archived", "")
OWED = (conversation(1), recording_of(2), "pending", "not_in_result")
UNFINISHED = (conversation(1), "", "pending", "job_unfinished")
FAILED = (conversation(1), recording_of(2), "source_error", "batch_error")


def known(table: Desk, *recs: int) -> None:
    """Let the source list these recordings of conversation 1."""
    table.source.recordings[conversation(1)] = tuple(recording(conversation(1), recording_of(rec)) for rec in recs)


@pytest.mark.parametrize(
    ("completed", "counters", "more"),
    [(True, (2, 2), set()), (None, (2, 1), set()), (None, (1, 2), set()), (False, (2, 1), {UNFINISHED})],
)
def test_less_than_it_counts_is_asked_about(
    table: Desk, *, completed: bool | None, counters: tuple[int, int], more: set[tuple[str, str, str, str]]
) -> None:
    """A job that counts more than it delivers, or is at work again after the wait, is no proof of anything."""
    known(table, 1, 2)
    table.source.statuses["job"] = [
        BatchStatus("job", completed, *counters, 0, (table.result(1, table.shelf.put("/a", audio(1))),))
    ]
    assert {ARCHIVED, OWED} | more == brief(table.archive(1))


@pytest.mark.parametrize("odd", [None, conversation(1).upper(), "call-1"])
def test_result_of_nobody_makes_the_source_be_asked(table: Desk, odd: str | None) -> None:
    """A result whose conversation cannot be told may be the one that is missing."""
    known(table, 1, 2)
    stray = RecordingResult(odd, recording_of(2), table.shelf.put("/b", audio(2)), "audio/wav")
    items = table.deliver(table.result(1, table.shelf.put("/a", audio(1))), stray, numbers=(1,))
    assert {ARCHIVED, OWED} == brief(items)


def test_bundle_with_less_than_its_job_counts(table: Desk) -> None:
    """The counters of a job are compared with what its bundle speaks of, failures among it."""
    known(table, 1, 2)
    bundle = table.bundle(zipped({path(1): audio(1), "index.json": index(row(1, path(1)))}))
    table.source.statuses["job"] = [BatchStatus("job", None, 2, 2, 0, (bundle,))]
    assert {ARCHIVED, OWED} == brief(table.archive(1))


def test_bundle_with_all_that_its_job_counts_is_not_asked_about(table: Desk) -> None:
    """A whole bundle costs no question, although it is one result for many recordings."""
    bundle = table.bundle(zipped({path(1): audio(1), path(1, 2): audio(2)}))
    table.source.statuses["job"] = [BatchStatus("job", None, 2, 2, 0, (bundle,))]
    table.archive(1)
    assert [] == table.source.asked_metadata


def test_error_for_a_recording_that_nobody_lists(table: Desk) -> None:
    """What the job names with an error has a record, though the source lists only the other recording."""
    known(table, 1)
    error = RecordingResult(conversation(1), recording_of(2), None, None, "not available")
    items = table.deliver(table.result(1, table.shelf.put("/a", audio(1))), error, numbers=(1,))
    assert {ARCHIVED, FAILED} == brief(items)
    assert ["not available"] == [item.fact for item in items if item.reason == "batch_error"]


def test_error_of_an_index_for_a_recording_that_nobody_lists(table: Desk) -> None:
    """The index of a bundle is heard like the job itself."""
    known(table, 1)
    error = {"conversationId": conversation(1), "recordingId": recording_of(2), "errorMsg": "x"}
    bundle = table.bundle(zipped({path(1): audio(1), "index.json": index(row(1, path(1)), errors=[error])}))
    assert {ARCHIVED, FAILED} == brief(table.deliver(bundle, numbers=(1,)))


def test_error_for_a_part_of_a_delivered_recording(table: Desk) -> None:
    """A second part that the job reports as failed keeps the conversation pending."""
    known(table, 1)
    error = RecordingResult(conversation(1), recording_of(1), None, None, "could not transcode")
    items = table.deliver(table.result(1, table.shelf.put("/a", audio(1))), error, numbers=(1,))
    assert {ARCHIVED, (conversation(1), recording_of(1), "pending", "part_failed")} == brief(items)


def test_unfinished_job_may_owe_a_second_part(table: Desk) -> None:
    """No metadata lists parts: what an unfinished job delivers stays open."""
    known(table, 1)
    result = table.result(1, table.shelf.put("/a", audio(1)))
    table.source.statuses["job"] = [
        BatchStatus("job", completed=False, expected_count=2, result_count=1, error_count=0, results=(result,))
    ]
    assert {ARCHIVED, UNFINISHED} == brief(table.archive(1, unfinished=True))


def test_two_stored_parts_may_be_one_that_changed(table: Desk) -> None:
    """As many stored parts as results prove nothing: one result may have come with other bytes in between."""
    known(table, 1)
    results = (table.result(1, table.shelf.put("/a", audio(1))), table.result(1, table.shelf.url("/b")))
    table.deliver(*results, numbers=(1,))
    table.shelf.put("/a", audio(7))
    table.deliver(*results, numbers=(1,))
    table.shelf.put("/b", audio(2))
    table.deliver(*results, numbers=(1,))
    assert {sha256(audio(number)) for number in (1, 7, 2)} == table.stored().keys()


def test_other_media_alone_do_not_stand_for_the_call(table: Desk) -> None:
    """A conversation of which only a screen came is asked about: its call may be missing."""
    known(table, 2)
    items = table.deliver(table.result(1, table.shelf.url("/v"), media_type="video/webm"), numbers=(1,))
    assert {(conversation(1), recording_of(1), "not_selected", "media_not_selected"), OWED} == brief(items)
