"""Rows of the analytics answer as conversations, and conversations as stored JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.errors import IntegrityError
from include.genesys.answer import Malformed
from include.genesys.conversation import bare_address, from_json, read_conversation, to_json
from include.genesys.json_fields import count_of, moment_of, text_of, uuid_of
from include.genesys.models import Conversation, NamedReference
from tests.genesys.scripted_server import uuid

ROW = {
    "conversationId": uuid(1),
    "conversationStart": "2026-01-05T09:00:00.000Z",
    "conversationEnd": "2026-01-05T10:05:00.500+01:00",
    "divisionIds": ["d-1", "d-1", "d-2"],
    "originatingDirection": "inbound",
    "externalTag": "case-7",
    "newField": {"of": "tomorrow"},
    "participants": [
        {
            "purpose": "customer",
            "participantName": "X",
            "flaggedReason": "general",
            "sessions": [
                {"mediaType": "chat", "ani": "chat-user"},
                {"mediaType": "voice", "ani": "tel:+1", "dnis": "tel:+2"},
                {
                    "mediaType": "voice",
                    "direction": "inbound",
                    "ani": "tel:+15550100",
                    "dnis": "sip:desk%201@example.org;transport=tls",
                    "recording": True,
                    "segments": [{"segmentType": "interact", "queueId": "q-1"}],
                },
            ],
        },
        {
            "purpose": "agent",
            "userId": "u-1",
            "sessions": [
                {
                    "mediaType": "voice",
                    "ani": "sip:agent@local",
                    "segments": [
                        {
                            "segmentType": "wrapup",
                            "wrapUpCode": "w-1",
                            "wrapUpTags": ["a", "b", "a", 7],
                            "wrapUpNote": "calls back",
                            "queueId": "q-2",
                        },
                        {"segmentType": "of-tomorrow", "wrapUpCode": "w-1"},
                    ],
                }
            ],
        },
        {"purpose": "user", "userId": "u-2", "participantName": "Bo"},
        {"purpose": "agent", "userId": "u-1", "participantName": "Ada"},
        {"purpose": "acd", "userId": "u-9"},
    ],
}


def test_a_row_gives_every_fact_the_archive_keeps():
    """ANI and DNIS come from the recorded outer session, people and queues in the order of the row."""
    assert Conversation(
        conversation_id=uuid(1),
        start=datetime(2026, 1, 5, 9, tzinfo=UTC),
        end=datetime(2026, 1, 5, 9, 5, 0, 500_000, tzinfo=UTC),
        direction="inbound",
        ani="+15550100",
        dnis="desk 1@example.org",
        ani_raw="tel:+15550100",
        dnis_raw="sip:desk%201@example.org;transport=tls",
        recorded=True,
        media_types=("chat", "voice"),
        agents=(NamedReference("u-1", "Ada"), NamedReference("u-2", "Bo")),
        queues=(NamedReference("q-1"), NamedReference("q-2")),
        wrap_up_codes=(NamedReference("w-1"),),
        wrap_up_tags=("a", "b"),
        division_ids=("d-1", "d-2"),
        external_tag="case-7",
        flagged_reason="general",
        wrap_up_notes=("calls back",),
    ) == read_conversation(ROW)


def test_duration_is_from_start_to_end():
    """An open conversation has none."""
    conversation = read_conversation(ROW)
    assert 300_500 == conversation.duration_milliseconds
    assert read_conversation({**ROW, "conversationEnd": None}).duration_milliseconds is None


def test_a_row_of_nothing_but_id_and_start_is_enough():
    """Every other field may be missing."""
    conversation = read_conversation({key: ROW[key] for key in ("conversationId", "conversationStart")})
    assert (None, None, False, ()) == (conversation.ani, conversation.end, conversation.recorded, conversation.agents)


def test_direction_and_dnis_have_a_second_source():
    """Older rows state the direction on the session, and the number dialled as ``sessionDnis``."""
    session = {"mediaType": "voice", "direction": "outbound", "sessionDnis": "tel:+3"}
    row = {
        "conversationId": uuid(1),
        "conversationStart": ROW["conversationStart"],
        "participants": [{"purpose": "external", "sessions": [session]}],
    }
    conversation = read_conversation(row)
    assert ("outbound", "+3") == (conversation.direction, conversation.dnis)


@pytest.mark.parametrize(
    ("raw", "bare"),
    [
        (None, None),
        ("+15550100", "+15550100"),
        ("tel:+15550100", "+15550100"),
        ("TEL:+15550100;ext=5", "+15550100"),
        ("sip:+15550100@10.0.0.1:5060;user=phone?subject=x", "+15550100@10.0.0.1:5060"),
        ("sips:a%40b@c", "a@b@c"),
        ("sip:%0d%0aX", "X"),
        ("tel:", None),
        ("anonymous%20caller", "anonymous%20caller"),
        ("telephone", "telephone"),
    ],
)
def test_addresses_lose_scheme_parameters_and_encoding(raw, bare):
    """What remains is what a person would dial or write."""
    assert bare == bare_address(raw)


ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too, which JSON can spell and UTF-8 cannot
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SESSION = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("mediaType", "ani", "dnis", "recording", "segments", "direction"), JSON)
)
PARTICIPANT = st.fixed_dictionaries(
    {"purpose": st.sampled_from(["agent", "customer", "external", "user", "x"]) | JSON},
    optional={
        "userId": JSON,
        "participantName": JSON,
        "flaggedReason": JSON,
        "sessions": JSON | st.lists(SESSION, max_size=2),
    },
)
ANY_ROW = st.fixed_dictionaries(
    {"conversationId": st.just(uuid(1)), "conversationStart": st.just("2026-01-05T09:00:00.000Z")},
    optional={
        **dict.fromkeys(("conversationEnd", "divisionIds", "originatingDirection", "externalTag"), JSON),
        "participants": JSON | st.lists(PARTICIPANT, max_size=3),
    },
)


@hypothesis_settings(max_examples=150)
@given(ANY_ROW)
def test_no_value_of_any_field_breaks_a_row_or_its_storage(row):
    """Any JSON anywhere is read, stored as UTF-8 and read back the same."""
    conversation = read_conversation(row)
    stored = json.dumps(to_json(conversation), ensure_ascii=False, allow_nan=False).encode()
    assert conversation == from_json(json.loads(stored))


@given(JSON, JSON)
def test_a_row_is_usable_or_malformed(conversation_id, start):
    """Nothing but ``Malformed`` is raised for any id and start."""
    try:
        read_conversation({"conversationId": conversation_id, "conversationStart": start})
    except Malformed:
        return


def test_stored_json_is_sorted_and_has_no_floats():
    """Equal conversations give equal bytes."""
    stored = to_json(read_conversation(ROW))
    assert sorted(stored) == list(stored)
    assert "2026-01-05T09:00:00.000000Z" == stored["start"]
    assert "." not in json.dumps(stored["media_types"])


@pytest.mark.parametrize(
    "change",
    [
        {"conversation_id": "../x"},
        {"conversation_id": uuid(1).upper().replace("0", "A")},
        {"start": "2026-01-05T09:00:00"},
        {"start": None},
        {"start": "soon"},
        {"recorded": "yes"},
        {"agents": None},
        {"agents": [7]},
        {"agents": [{"id": "u-1"}]},
        {"queues": [{"id": 7, "name": None}]},
        {"wrap_up_tags": [7]},
        {"ani": 7},
    ],
)
def test_damaged_storage_is_named_as_such(change):
    """What we did not write is not taken for a conversation."""
    with pytest.raises(IntegrityError):
        from_json({**to_json(read_conversation(ROW)), **change})
    with pytest.raises(IntegrityError):
        from_json({})


@given(ANY_TEXT)
def test_text_is_one_encodable_line(text):
    """Control characters and lone surrogates never reach a file or a log."""
    line = text_of(text) or ""
    assert len(line.splitlines()) <= 1
    assert "\x00" not in line
    line.encode()


def test_a_lone_surrogate_is_replaced():
    """JSON can spell half a character; no file can hold it."""
    assert "a\ufffdb" == text_of("a\ud800b")


@given(JSON)
def test_counts_are_never_negative(value):
    """Whatever a counter holds, it reads as zero or more."""
    assert count_of(value) >= 0


@given(st.text(alphabet="0123456789abcdefABCDEF-{}", min_size=30, max_size=40))
def test_only_canonical_shapes_are_uuids(text):
    """Braces and bare hex, which Python's UUID accepts, are refused."""
    assert uuid_of(text) is None or text.lower() == uuid_of(text)


def test_moments_beyond_the_calendar_are_none():
    """An offset that leads before year one is no moment."""
    assert moment_of("0001-01-01T00:00:00+14:00") is None
    assert moment_of("9999-12-31T23:59:59-23:59") is None
    assert moment_of("2026" * 1000) is None


@pytest.mark.parametrize("sentinel", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"])
def test_a_moment_that_stands_for_none_is_none(sentinel):
    """Such words for "never" lead to days that no calendar has, or into the folder of unknown calls."""
    assert moment_of(sentinel) is None
    with pytest.raises(Malformed):
        read_conversation({**ROW, "conversationStart": sentinel})


@pytest.mark.parametrize("end", ["2026-01-05T08:59:59Z", "2025-01-05T09:00:00Z", "2027-02-05T09:00:00Z"])
def test_an_end_that_cannot_be_is_none(end):
    """Before its start, or years after: its length would falsify the plan of the day and its latency."""
    found = read_conversation({**ROW, "conversationEnd": end})
    assert (None, None) == (found.end, found.duration_milliseconds)
