"""The classes of an expected recording, and the record that carries one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.canonical import canonical_json, read_document
from include.outcome import ItemRecord, Outcome, conversation_outcome

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
RECORDS = st.builds(
    ItemRecord, TEXT, TEXT, st.integers(0, 99), st.sampled_from([*Outcome]), TEXT, TEXT, TEXT, TEXT, TEXT,
    st.integers(0, 2**40), TEXT, TEXT, TEXT, TEXT,
)  # fmt: skip


@given(RECORDS)
def test_record_survives_the_lake(record):
    """What is written is what is read back, through the very bytes."""
    assert record == ItemRecord.from_json(read_document(canonical_json(record.to_json())))


def test_record_says_only_what_there_is_to_say():
    """Identity and class always, the rest where it is not empty: a manifest of thousands stays small."""
    assert {"conversation_id": "a", "recording_id": "", "part": 0, "outcome": "pending"} == ItemRecord(
        "a", "", 0, Outcome.PENDING
    ).to_json()


def test_fields_of_a_newer_version_are_ignored():
    """An older worker reads on."""
    record = ItemRecord("a", "r", 1, Outcome.ARCHIVED, key="k")
    assert record == ItemRecord.from_json({**record.to_json(), "added_later": 1})


def test_class_of_a_newer_version_is_not_guessed():
    """A class unknown here is an error, not a success."""
    with pytest.raises(ValueError, match="evaporated"):
        ItemRecord.from_json({"conversation_id": "a", "recording_id": "", "part": 0, "outcome": "evaporated"})


@pytest.mark.parametrize(
    ("outcome", "is_open", "is_settled"),
    [
        ("archived", False, True),
        ("no_recording", False, True),
        ("deleted_at_source", False, True),
        ("archived_at_source", False, True),
        ("restricted", False, True),
        ("not_selected", False, True),
        ("erased", False, True),
        ("source_error", False, False),
        ("quarantined", True, False),
        ("pending", True, False),
    ],
)
def test_what_each_class_asks_of_the_next_run(outcome, is_open, is_settled):
    """Open keeps the day open; unsettled is asked for again; the two differ for an error of the source."""
    assert (is_open, is_settled) == (Outcome(outcome).is_open, Outcome(outcome).is_settled)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], "pending"),
        (["archived", "pending"], "pending"),
        (["quarantined", "pending"], "pending"),
        (["archived", "quarantined"], "quarantined"),
        (["deleted_at_source", "archived"], "archived"),
        (["restricted", "source_error"], "source_error"),
        (["archived_at_source", "restricted"], "restricted"),
        (["deleted_at_source", "archived_at_source"], "archived_at_source"),
        (["not_selected", "deleted_at_source"], "deleted_at_source"),
        (["archived", "erased"], "erased"),
        (["no_recording", "not_selected"], "not_selected"),
        (["no_recording"], "no_recording"),
    ],
)
def test_class_of_a_conversation(outcomes, expected):
    """Open work first, then what was archived, then the reason nearest to being of use."""
    items = [ItemRecord("a", str(number), 0, Outcome(name)) for number, name in enumerate(outcomes)]
    assert expected == conversation_outcome(items)


@pytest.mark.parametrize("outcome", [*Outcome])
def test_every_class_alone_is_the_conversations(outcome):
    """No class is forgotten in the order of precedence."""
    assert outcome is conversation_outcome([ItemRecord("a", "", 0, outcome)])
