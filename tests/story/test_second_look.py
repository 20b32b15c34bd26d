"""An audit looks again: what has changed at the source is asked for, and everything it asks for is asked about."""

from __future__ import annotations

import pytest

from include.audit.reconcile import fold
from include.errors import NotAuthorised, RecordingGone, SourceUnavailable
from include.outcome import ItemRecord, Outcome
from include.transfer.day import commit_day
from include.transfer.second_look import Looked, SecondLook, look_again
from tests.story.day_ends import Analytics, asked, plan, settle, shards
from tests.story.desk import ORG, Desk, audio, brief, conversation, recording_of
from tests.story.night import DAY
from tests.story.shelf import ScriptedSource, finished, recording


def known(number, outcome, rec=None):
    """Return what the lake says of a conversation; ``rec`` 0 stands for the whole of it."""
    rec = number if rec is None else rec
    return ItemRecord(conversation(number), recording_of(rec) if rec else "", 0, Outcome(outcome), "why", "who")


def has(number, *states, media="audio"):
    """Return what the source says it has of a conversation: recordings of that number, the next, and so on."""
    place = conversation(number)
    return tuple(recording(place, recording_of(number + step), state, media) for step, state in enumerate(states))


def changed(items, told, *, archived_too=True, lookups_max=100):
    """Look at the state of these items again, and return the numbers of the conversations that have changed."""
    source = ScriptedSource(recordings={conversation(number): answer for number, answer in told.items()})
    look = SecondLook(source, lookups_max, archived_too)
    looked = look_again(look, fold([], [[items]]), "salt")
    return {int(one[-4:], 16) for one in looked.changed}, looked, source


FORBIDDEN = NotAuthorised("no", status=403, code="recording.permission")


@pytest.mark.parametrize(
    ("items", "told", "is_news"),
    [
        ([known(1, "archived")], has(1, "AVAILABLE"), False),
        ([known(1, "archived")], has(1, "AVAILABLE", "AVAILABLE"), True),
        ([known(1, "archived")], has(1, "AVAILABLE", "DELETED"), True),
        ([known(1, "archived"), known(1, "deleted_at_source", 2)], has(1, "AVAILABLE", "DELETED"), False),
        ([known(1, "archived"), known(1, "not_selected", 2)], has(1, "AVAILABLE", "AVAILABLE"), False),
        ([known(1, "archived")], has(1, "DELETED"), False),
        ([known(1, "archived")], (), False),
        ([known(1, "archived")], RecordingGone("gone", status=404), False),
        ([known(1, "archived")], FORBIDDEN, False),
        ([known(1, "archived_at_source")], has(1, "ARCHIVED"), False),
        ([known(1, "archived_at_source")], has(1, "RESTORED"), True),
        ([known(1, "archived_at_source")], has(1, "RESTORING"), True),
        ([known(1, "archived_at_source")], has(1, "DELETED"), True),
        ([known(1, "deleted_at_source")], has(1, "DELETED"), False),
        ([known(1, "no_recording", 0)], (), False),
        ([known(1, "no_recording", 0)], RecordingGone("gone", status=404), False),
        ([known(1, "no_recording", 0)], has(1, "AVAILABLE"), True),
        ([known(1, "restricted", 0)], FORBIDDEN, False),
        ([known(1, "restricted", 0)], has(1, "AVAILABLE"), True),
    ],
)
def test_what_counts_as_news(items, told, is_news):
    """Another recording, another state, a permission: news. Whatever became of what is archived: none."""
    found, looked, _ = changed(items, {1: told})
    assert ({1} if is_news else set(), 1) == (found, looked.asked)


def test_no_answer_is_no_news_and_is_counted():
    """A conversation that could not be asked about is left for the next audit, and said to be."""
    found, looked, _ = changed([known(1, "archived"), known(2, "no_recording", 0)], {1: SourceUnavailable("later")})
    assert (set(), 2, 1) == (found, looked.asked, looked.left)


def test_exclusions_come_first_and_the_rest_in_turn():
    """With fewer lookups than conversations the exclusions are all asked about, and another audit takes others."""
    items = [*(known(number, "archived") for number in range(1, 40)), known(50, "restricted", 0)]
    state = fold([], [[items]])
    sources = [ScriptedSource() for _ in range(2)]
    for salt, source in zip("ab", sources, strict=True):
        assert (5, 35) == (
            (looked := look_again(SecondLook(source, 5, archived_too=True), state, salt)).asked,
            looked.left,
        )
        assert conversation(50) == source.asked_metadata[0]
    assert sources[0].asked_metadata != sources[1].asked_metadata


def test_open_work_is_not_looked_at():
    """What the run asks for anyway costs no lookup."""
    _, looked, source = changed([known(1, "pending"), known(2, "source_error"), known(3, "archived")], {})
    assert ([conversation(3)], 1) == (source.asked_metadata, looked.asked)


def test_shallow_look_is_at_exclusions_only():
    """Without the deep look what is archived is trusted."""
    found, looked, source = changed(
        [known(1, "archived"), known(2, "archived_at_source")], {2: has(2, "RESTORED")}, archived_too=False
    )
    assert ({2}, 1, [conversation(2)]) == (found, looked.asked, source.asked_metadata)
    assert Looked(1, frozenset({conversation(2)}), 0) == looked


def test_refused_credentials_stop_the_look():
    """401 concerns the whole run."""
    with pytest.raises(NotAuthorised):
        changed([known(1, "archived")], {1: NotAuthorised("no", status=401)})


def test_audit_plans_what_has_changed(lake):
    """The second recording of an archived conversation is asked for, in a shard that trusts no job."""
    key = plan(lake, Analytics([1, 2])).plan_key
    settle(lake, Outcome.ARCHIVED, 1, 2)
    commit_day(lake, ORG, DAY, [key])
    source = ScriptedSource(recordings={conversation(1): has(1, "AVAILABLE", "AVAILABLE")})
    planned = plan(lake, Analytics([1, 2]), look=SecondLook(source, 100, archived_too=True))
    assert ([conversation(1)], 2, 1) == (asked(lake, planned), planned.looked_up, planned.changed)
    assert [True] == [shard.deep for shard in shards(lake, planned)]
    assert "Looked at 2 settled conversations again: 1 have changed." in planned.sentence()


def test_deep_shard_finds_the_recording_that_the_job_keeps_quiet_about(table: Desk) -> None:
    """A finished job delivers one of two recordings and counts one: the nightly shard believes it, the audit's asks."""
    both = (recording(conversation(1), recording_of(1)), recording(conversation(1), recording_of(5)))
    table.source.recordings[conversation(1)] = both
    result = table.result(1, table.shelf.put("/1", audio(1)))
    assert {(conversation(1), recording_of(1), "archived", "")} == brief(table.deliver(result, numbers=(1,)))
    table.source.statuses["job"] = [finished(result)]
    items = brief(table.archive(1, deep=True))
    assert {
        (conversation(1), recording_of(1), "archived", ""),
        (conversation(1), recording_of(5), "pending", "not_in_result"),
    } == items
