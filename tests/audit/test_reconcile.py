"""expected = archived + named exclusions: the fold of a day's manifests into one state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.audit.reconcile import NOT_PROCESSED, DayState, fold
from include.outcome import ItemRecord, Outcome, conversation_outcome

IDS = ["a", "b", "c", "d"]


def item(conversation_id, outcome, recording_id="r1", part=0, **more):
    """Return a record; archived ones carry bytes as real ones do."""
    evidence = {"bytes": 10, "key": f"{conversation_id}/{recording_id}/{part}"} if outcome == "archived" else {}
    return ItemRecord(conversation_id, recording_id, part, Outcome(outcome), **{**evidence, **more})


ITEMS = st.builds(
    item, st.sampled_from(IDS), st.sampled_from([*Outcome]), st.sampled_from(["", "r1", "r2"]), st.integers(0, 1),
    fact=st.sampled_from(["", "x"]),
)  # fmt: skip
MANIFESTS = st.lists(ITEMS, max_size=6).map(tuple)
GENERATIONS = st.lists(st.lists(MANIFESTS, max_size=3), max_size=4)
EXPECTED = st.sets(st.sampled_from([*IDS, "e"]))


def archived_parts(state):
    """Return what the state calls archived."""
    return {
        (record.conversation_id, record.recording_id, record.part)
        for items in state.items.values()
        for record in items
        if record.outcome is Outcome.ARCHIVED
    }


@pytest.mark.parametrize(
    ("generations", "expected"),
    [
        ([], "pending"),
        ([[[]]], "pending"),
        ([[[item("a", "archived")]]], "archived"),
        ([[[item("a", "pending")]], [[item("a", "archived")]]], "archived"),
        ([[[item("a", "archived")]], [[item("a", "deleted_at_source")]]], "archived"),
        ([[[item("a", "archived")]], [[item("a", "pending", "r2")]]], "pending"),
        ([[[item("a", "source_error")]], [[item("a", "deleted_at_source")]]], "deleted_at_source"),
        ([[[item("a", "no_recording", "")]], [[item("a", "pending", "")]]], "pending"),
        ([[[item("a", "pending")], [item("a", "restricted")]]], "pending"),
        ([[[item("a", "restricted")], [item("a", "pending")]]], "pending"),
        ([[[item("a", "source_error")], [item("a", "no_recording")]]], "source_error"),
        ([[[item("a", "archived"), item("a", "quarantined", "r2")]]], "quarantined"),
        ([[[item("a", "archived"), item("a", "deleted_at_source", "r2")]]], "archived"),
    ],
    ids=[
        "silence is pending",
        "an empty manifest says nothing",
        "archived",
        "healed by a later run",
        "deleted at the source after we had it",
        "one part in, another still open",
        "later evidence replaces earlier",
        "also where it is worse news",
        "two words of one age: the one with more open work",
        "whichever came first",
        "also the one that is asked for again",
        "an open recording keeps the conversation open",
        "a deleted recording does not undo an archived one",
    ],
)
def test_class_of_a_conversation(generations, expected):
    """Each history ends in exactly one class."""
    assert {"a": Outcome(expected)} == fold(["a"], generations).outcomes


def test_silence_is_named_as_such():
    """A conversation that nothing speaks of says who noticed."""
    assert (ItemRecord("a", "", 0, Outcome.PENDING, NOT_PROCESSED, "reconcile"),) == fold(["a"], []).items["a"]


def test_later_manifest_speaks_for_the_whole_conversation():
    """Yesterday's reason is gone when today's run gives another; what is archived stays beside it."""
    state = fold(
        ["a"],
        [
            [[item("a", "archived"), item("a", "pending", "r2")]],
            [[item("a", "deleted_at_source", "r2", fact="fileState=DELETED")]],
        ],
    )
    assert [("r1", "archived"), ("r2", "deleted_at_source")] == [
        (record.recording_id, record.outcome) for record in state.items["a"]
    ]


def test_later_evidence_of_an_archived_part_replaces_the_earlier():
    """The same part, looked at again: the newer record is the one kept, once."""
    newer = item("a", "archived", metadata_key="m")
    assert (newer,) == fold(["a"], [[[item("a", "archived")]], [[newer]]]).items["a"]


@given(EXPECTED, GENERATIONS)
def test_expected_never_shrinks(expected, generations):
    """Every expected conversation, and every one that was ever spoken of, is still there at the end."""
    spoken = {record.conversation_id for manifests in generations for items in manifests for record in items}
    assert tuple(sorted(expected | spoken)) == fold(sorted(expected), generations).expected


@given(EXPECTED, GENERATIONS)
def test_every_expected_conversation_has_an_item(expected, generations):
    """There is no conversation without a class and its evidence."""
    state = fold(sorted(expected), generations)
    assert all(state.items.values())
    assert state.items.keys() == state.outcomes.keys()
    assert all({key} == {record.conversation_id for record in items} for key, items in state.items.items())


@given(GENERATIONS, st.lists(MANIFESTS, max_size=3))
def test_archived_is_never_un_archived(earlier, later):
    """No later word takes a part out of the lake."""
    assert archived_parts(fold([], earlier)) <= archived_parts(fold([], [*earlier, later]))


@given(GENERATIONS, MANIFESTS)
def test_last_word_counts_for_all_but_what_is_archived(earlier, last):
    """Of the conversations the last run spoke of, what is not archived is what that run said."""
    state = fold([], [*earlier, [last]])
    for key in {record.conversation_id for record in last}:
        said = sorted(record for record in last if record.conversation_id == key and record.outcome != "archived")
        assert said == [record for record in state.items[key] if record.outcome != "archived"]


@given(EXPECTED, GENERATIONS, st.randoms(use_true_random=False))
def test_order_within_a_commit_changes_nothing(expected, generations, random):
    """Manifests of one commit, and the items in them, come in no particular order."""
    mixed = [[tuple(random.sample(items, len(items))) for items in manifests] for manifests in generations]
    for manifests in mixed:
        random.shuffle(manifests)
    ids = random.sample(sorted(expected), len(expected))
    assert fold(sorted(expected), generations) == fold(ids, mixed)


@given(EXPECTED, GENERATIONS)
def test_same_commit_again_changes_nothing(expected, generations):
    """A generation replayed is the state it already led to."""
    once = fold(expected, generations)
    assert once == fold(expected, [*generations, *generations[-1:]])


@given(EXPECTED, GENERATIONS)
def test_counts_add_up(expected, generations):
    """Expected = archived + excluded by name + open, with nothing counted twice or left out."""
    state = fold(expected, generations)
    summary = state.summary()
    assert len(state.expected) == summary["expected"] == sum(summary["conversations"].values())
    assert sum(map(len, state.items.values())) == sum(summary["recordings"].values())
    assert 10 * len(archived_parts(state)) == summary["bytes"]
    assert state.is_complete == summary["complete"]


@given(EXPECTED, GENERATIONS)
def test_incomplete_day_has_something_to_ask_for(expected, generations):
    """What keeps a day open is asked for by the next run."""
    state = fold(expected, generations)
    opened = {key for key, outcome in state.outcomes.items() if outcome.is_open}
    assert opened <= set(state.outstanding())
    assert state.is_complete == (not opened)


def test_source_error_is_asked_for_again_but_does_not_keep_the_day_open():
    """Genesys could not deliver it: an exclusion by name tonight, and a request tomorrow."""
    state = fold(["a"], [[[item("a", "source_error")]]])
    assert (True, ("a",)) == (state.is_complete, state.outstanding())


def test_day_without_conversations_is_complete():
    """An empty day is a valid one."""
    counts = {"expected": 0, "conversations": {}, "recordings": {}, "bytes": 0}
    assert counts | {"complete": True, "state": "provisional"} == DayState({}).summary()


@given(st.lists(ITEMS, min_size=1))
def test_class_of_a_conversation_is_one_of_its_items(items):
    """No class is invented, and the order of the items does not matter."""
    outcome = conversation_outcome(items)
    assert outcome in {record.outcome for record in items}
    assert outcome == conversation_outcome(reversed(items))
