"""What a job owes: finished, unfinished, gone, silent; and when a shard counts as done."""

from __future__ import annotations

import pytest

from include.errors import NotAuthorised, RecordingGone, RequestRejected, SourceUnavailable
from include.genesys.models import BatchStatus, RecordingResult
from include.lake.manifest import Manifest
from tests.story.desk import ORG, Desk, audio, brief, conversation, recording_of, sha256
from tests.story.night import DAY, everything_in
from tests.story.shelf import finished, recording


def record(number: int, outcome: str, reason: str = "", rec: int | None = None) -> tuple[str, str, str, str]:
    """Return a record in brief; ``rec`` 0 stands for the whole conversation."""
    rec = number if rec is None else rec
    return (conversation(number), recording_of(rec) if rec else "", outcome, reason)


def stuck(*results: RecordingResult, completed: bool | None = False, expected: int = 100) -> BatchStatus:
    """Return a job that does not come to an end."""
    return BatchStatus("job", completed, expected, len(results), 0, results)


def test_unfinished_job_gives_what_it_has(table: Desk) -> None:
    """Conversations that came are archived, the others pending; the source is asked only about those that came."""
    table.source.statuses["job"] = [stuck(table.result(1, table.shelf.put("/1", audio(1))))]
    table.source.recordings[conversation(1)] = (recording(conversation(1), recording_of(1)),)
    items = table.archive(1, 2, unfinished=True)
    owed = {record(number, "pending", "job_unfinished", 0) for number in (1, 2)}
    assert {record(1, "archived")} | owed == brief(items)
    assert [conversation(1)] == table.source.asked_metadata
    assert "job" == next(item.fact for item in items if item.reason == "job_unfinished")


def test_unfinished_job_may_owe_a_second_recording(table: Desk) -> None:
    """A conversation of which one recording came is not done while the source knows another."""
    table.source.statuses["job"] = [stuck(table.result(1, table.shelf.put("/1", audio(1))))]
    both = (recording(conversation(1), recording_of(1)), recording(conversation(1), recording_of(5)))
    table.source.recordings[conversation(1)] = both
    items = table.archive(1, unfinished=True)
    assert {
        record(1, "archived"),
        record(1, "pending", "not_in_result", 5),
        record(1, "pending", "job_unfinished", 0),
    } == brief(items)


def test_job_that_ended_after_the_wait_counts_as_finished(table: Desk) -> None:
    """A job that completes between the last poll and the archiving is not called unfinished."""
    table.source.statuses["job"] = [finished(table.result(1, table.shelf.put("/1", audio(1))))]
    assert {record(1, "archived"), record(2, "no_recording", "none_known", 0)} == brief(
        table.archive(1, 2, unfinished=True)
    )


def test_job_that_expects_nothing_is_explained(table: Desk) -> None:
    """Counters of 0 and 0 at the deadline are silence: each conversation is asked about, and may be settled."""
    table.source.statuses["job"] = [stuck(completed=None, expected=0)]
    table.source.recordings[conversation(1)] = NotAuthorised("no", status=403, code="recording.permission")
    table.source.recordings[conversation(2)] = (recording(conversation(2), recording_of(2)),)
    items = table.archive(1, 2, unfinished=True)
    assert {record(1, "restricted", "no_permission", 0), record(2, "pending", "not_in_result")} == brief(items)


def test_job_that_is_gone_leaves_nothing_unsaid(table: Desk) -> None:
    """When the job is gone every conversation is asked about, also one of which the lake holds a recording."""
    table.source.recordings[conversation(2)] = (recording(conversation(2), recording_of(2)),)
    table.deliver(
        table.result(1, table.shelf.put("/1", audio(1))), table.result(2, table.shelf.url("/none")), numbers=(1, 2)
    )
    table.source.statuses.clear()
    both = (recording(conversation(1), recording_of(1)), recording(conversation(1), recording_of(5)))
    table.source.recordings = {conversation(1): both, conversation(2): (recording(conversation(2), recording_of(2)),)}
    items = table.archive(1, 2)
    assert {
        record(1, "archived"),
        record(1, "pending", "not_in_result", 5),
        record(2, "pending", "not_in_result"),
    } == brief(items)


def test_silent_job_does_not_hide_the_second_recording(table: Desk) -> None:
    """A finished job that is silent about a conversation is no proof, although the lake holds one recording of it."""
    bad = table.result(2, table.shelf.url("/none"))
    table.source.recordings[conversation(2)] = (recording(conversation(2), recording_of(2)),)
    table.deliver(table.result(1, table.shelf.put("/1", audio(1))), bad, numbers=(1, 2))
    both = (recording(conversation(1), recording_of(1)), recording(conversation(1), recording_of(5)))
    table.source.recordings[conversation(1)] = both
    items = table.deliver(bad, numbers=(1, 2))
    assert {
        record(1, "archived"),
        record(1, "pending", "not_in_result", 5),
        record(2, "pending", "not_in_result"),
    } == brief(items)


def test_silence_of_a_finished_job_is_explained(table: Desk) -> None:
    """Conversations nobody spoke of are asked about; other media are not selected, an own error is a source error."""
    table.source.recordings = {
        conversation(1): (
            recording(conversation(1), recording_of(1)),
            recording(conversation(1), recording_of(5), media="screen"),
        ),
        conversation(2): RecordingGone("unknown", status=404),
        conversation(3): SourceUnavailable("later"),
        conversation(4): RequestRejected("no such thing", status=422),
    }
    error = RecordingResult(conversation(1), recording_of(1), None, None, "could not be transcoded")
    items = table.deliver(error, numbers=(1, 2, 3, 4))
    assert {
        record(1, "source_error", "batch_error"),
        record(1, "not_selected", "media_not_selected", 5),
        record(2, "no_recording", "conversation_unknown", 0),
        record(3, "pending", "metadata_unavailable", 0),
        record(4, "source_error", "metadata_refused", 0),
    } == brief(items)


@pytest.mark.parametrize(("media", "said"), [("Audio ", ""), ("hologram", "; media=hologram"), (None, "")])
def test_medium_that_nobody_knows_may_be_the_call(table: Desk, media: str | None, said: str) -> None:
    """A word newer than this code, or spelt otherwise, is no reason never to ask again: only known media are."""
    table.source.recordings[conversation(1)] = (recording(conversation(1), recording_of(1), media=media),)
    (item,) = table.deliver(numbers=(1,))
    assert record(1, "pending", "not_in_result") == (item.conversation_id, item.recording_id, item.outcome, item.reason)
    assert f"fileState=AVAILABLE{said}" == item.fact


def test_credentials_refused_for_metadata_stop_the_shard(table: Desk) -> None:
    """401 concerns the whole run, not the conversation that happened to be asked about."""
    table.source.recordings[conversation(1)] = NotAuthorised("no", status=401)
    with pytest.raises(NotAuthorised):
        table.deliver(numbers=(1,))
    assert {} == everything_in(table.lake)


def test_403_without_a_code_restricts_nothing(table: Desk) -> None:
    """Each 403 of the published API has a code; a firewall's page is no word of the source about this conversation."""
    table.source.recordings[conversation(1)] = NotAuthorised("no", status=403)
    assert {record(1, "pending", "metadata_unavailable", 0)} == brief(table.deliver(numbers=(1,)))


@pytest.mark.parametrize("error", [NotAuthorised("no", status=403), SourceUnavailable("later")])
def test_api_that_refuses_the_job_stops_the_shard(table: Desk, error: Exception) -> None:
    """When the job cannot be asked for at all the shard stops without a manifest, so that the task is tried again."""
    table.source.statuses["job"] = [error]
    with pytest.raises(type(error)):
        table.archive(1)
    assert {} == everything_in(table.lake)


def test_refused_conversation_is_named(table: Desk) -> None:
    """A conversation that no batch is accepted with is named, the others are archived."""
    table.source.statuses["job"] = [finished(table.result(1, table.shelf.put("/1", audio(1))))]
    items = table.archive(1, 2, refused=(conversation(2),))
    assert {record(1, "archived"), record(2, "quarantined", "request_refused", 0)} == brief(items)
    assert "2 conversations: 1 archived, 1 quarantined" in table.report.sentence()
    assert {"archived": 1, "quarantined": 1} == table.report.to_json()["outcomes"]


def test_finished_shard_is_left_alone(table: Desk) -> None:
    """After success nothing is asked, fetched or written, and the report is the same."""
    table.deliver(table.result(1, table.shelf.put("/1", audio(1))), numbers=(1,))
    before, report = everything_in(table.lake), table.report
    table.source.asked_jobs.clear()
    table.shelf.asked.clear()
    table.archive(1)
    assert (before, report) == (everything_in(table.lake), table.report)
    assert [] == table.source.asked_jobs == table.shelf.asked


def test_manifest_that_forgets_a_conversation_is_not_finished(table: Desk) -> None:
    """A manifest with nothing open is no proof while one of its conversations is not in it."""
    ids = tuple(sorted((conversation(1), conversation(2))))
    Manifest(ORG, str(DAY), ids, ()).write(table.lake)
    table.source.statuses["job"] = [finished(*(table.result(n, table.shelf.put(f"/{n}", audio(n))) for n in (1, 2)))]
    assert {record(1, "archived"), record(2, "archived")} == brief(table.archive(1, 2))
    assert {sha256(audio(1)), sha256(audio(2))} == table.stored().keys()
