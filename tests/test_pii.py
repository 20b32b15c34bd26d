"""What is stored, masked and dropped of the facts about people."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import ConfigurationError
from include.pii import FIELDS, VARIABLE_PREFIX, Keep, PiiPolicy

FACTS = {
    "conversation_id": "c-1",
    "ani": "+49305612292",
    "ani_raw": "tel:+49305612292",
    "ani_e164": "+49305612292",
    "dnis": "110",
    "dnis_raw": None,
    "agents": [{"id": "u-1", "name": "Carla Adler"}, {"id": "u-2", "name": None}],
    "external_tag": "customer 4711",
    "wrap_up_tags": ["angry", "vip"],
    "wrap_up_notes": ["Her card ends in 1234"],
}
EVERYTHING = PiiPolicy(wrap_up_notes=Keep.STORE)
ROW = {"conversationId": "c-1", "sizeInBytes": 7, "ani": "+4930", "agent": {"name": "Carla", "note": "x"}, "NOTES": "y"}


def policy(word: str) -> PiiPolicy:
    """Return the policy that treats every group alike."""
    return PiiPolicy.from_environment({f"{VARIABLE_PREFIX}{group.upper()}": word for group in FIELDS})


def test_only_notes_are_off_by_default():
    """What agents type is not stored unless somebody asks for it; the rest is what an archive is for."""
    stored = PiiPolicy().applied(FACTS)
    assert FACTS | {"wrap_up_notes": [], "pii": {"dropped": ["wrap_up_notes"], "masked": []}} == stored


def test_everything_can_be_stored():
    """With the notes on nothing is withheld."""
    assert FACTS | {"pii": {"dropped": [], "masked": []}} == EVERYTHING.applied(FACTS)


def test_masked_texts_keep_two_characters():
    """Long texts end as they ended, short ones show nothing, ids stay."""
    stored = policy("mask").applied(FACTS)
    assert ("***92", "***92", "***", None) == tuple(stored[name] for name in ("ani", "ani_raw", "dnis", "dnis_raw"))
    assert [{"id": "u-1", "name": "***er"}, {"id": "u-2", "name": None}] == stored["agents"]
    assert ["***ry", "***"] == stored["wrap_up_tags"]
    assert "c-1" == stored["conversation_id"]


def test_dropped_facts_are_nowhere():
    """No character of a dropped fact is left, and the document says that it was dropped."""
    stored = policy("drop").applied(FACTS)
    assert sorted(FIELDS) == stored["pii"]["dropped"]
    text = json.dumps({name: value for name, value in stored.items() if name != "pii"})
    assert [] == [word for word in ("4930", "110", "Carla", "4711", "angry", "card") if word in text]
    assert [{"id": "u-1", "name": None}, {"id": "u-2", "name": None}] == stored["agents"]


@given(
    st.fixed_dictionaries(
        {name: st.none() | st.text() | st.lists(st.text()) for names in FIELDS.values() for name in names}
    ),
    st.builds(PiiPolicy, **{item.name: st.sampled_from(Keep) for item in fields(PiiPolicy)}),
)
def test_twice_is_once(facts, chosen):
    """Facts of an earlier plan go through the policy again."""
    assert chosen.applied(facts) == chosen.applied(chosen.applied(facts))


def test_stricter_policy_counts_for_what_an_earlier_plan_knew():
    """What was stored is masked, what was masked is dropped; what was dropped does not come back."""
    masked = policy("mask").applied(FACTS)
    dropped = policy("drop").applied(masked)
    assert {"dropped": sorted(FIELDS), "masked": []} == dropped["pii"]
    assert {"dropped": sorted(FIELDS), "masked": []} == EVERYTHING.applied(dropped)["pii"]
    assert ("ani" in masked["pii"]["masked"], None) == (True, dropped["ani"])


def test_nothing_known_is_nothing_said():
    """A conversation of which analytics said nothing has no facts and no policy."""
    assert {} == PiiPolicy().applied({})


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (EVERYTHING, ROW),
        (PiiPolicy(), {"conversationId": "c-1", "sizeInBytes": 7, "ani": "+4930", "agent": {"name": "Carla"}}),
        (PiiPolicy(ani=Keep.MASK), {"conversationId": "c-1", "sizeInBytes": 7}),
        (PiiPolicy(agent_names=Keep.DROP, wrap_up_notes=Keep.STORE), {"conversationId": "c-1", "sizeInBytes": 7}),
    ],
    ids=["all", "default", "masked", "dropped"],
)
def test_source_s_own_words_are_cut(chosen, expected):
    """The JSON that came beside a file must not smuggle in what the policy withholds."""
    assert expected == json.loads(chosen.declared(json.dumps(ROW)))


def test_no_words_of_the_source_stay_none():
    """Most recordings come without any."""
    assert None is PiiPolicy().declared(None)


@pytest.mark.parametrize("value", ["[" * 700 + "]" * 700, '{"a":' * 700 + "1" + "}" * 700], ids=["lists", "objects"])
def test_words_too_deep_to_be_searched_are_left_out(value):
    """Nobody can say what stands in them; the technical facts beside them are kept."""
    text = f'{{"sizeInBytes": 7, "agent": "Carla", "x": {value}}}'
    assert {"sizeInBytes": 7} == json.loads(PiiPolicy().declared(text))


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("RECORDING_ARCHIVE_PII_ANNI", "drop", "RECORDING_ARCHIVE_PII_ANNI is no setting; these are: .*PII_ANI"),
        ("RECORDING_ARCHIVE_PII_ANI", "hash", "RECORDING_ARCHIVE_PII_ANI must be store, mask or drop, not 'hash'"),
    ],
)
def test_misspelt_policy_is_refused(variable, value, sentence):
    """It would store what somebody meant to drop."""
    with pytest.raises(ConfigurationError, match=sentence):
        PiiPolicy.from_environment({variable: value})


def test_words_are_read_in_any_case_and_empty_is_unset():
    """As compose passes them."""
    read = PiiPolicy.from_environment({"RECORDING_ARCHIVE_PII_ANI": "DROP", "RECORDING_ARCHIVE_PII_DNIS": ""})
    assert PiiPolicy(ani=Keep.DROP) == read


def test_every_group_has_its_fields():
    """A group that covers nothing would promise what it does not do."""
    assert [item.name for item in fields(PiiPolicy)] == list(FIELDS)
