"""Rows of analytics as they may come: without a usable id or start, in another spelling, at the edge of a day."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from include.errors import SourceUnavailable
from tests.genesys.found import ids_of
from tests.genesys.scripted_server import ODD_NUMBERS, QUERY, Reply, uuid
from tests.genesys.test_client import DAY, row


@pytest.mark.parametrize(
    "body", [[], {"conversations": {}}, {"conversations": "x"}, None, {"totalHits": "50"}, {"totalHits": -1}]
)
def test_a_page_of_the_wrong_kind_is_no_empty_page(client, genesys, body):
    """Read as "no more", it would lose conversations."""
    genesys.script(QUERY, *[Reply(body=body)] * 10)
    with pytest.raises(SourceUnavailable):
        client.find_conversations(*DAY)


HOSTILE = [None, 7, "", "c-1", "../../etc/passwd", "a" * 10_000, f"{uuid(1)}\r\nX: y", f"{uuid(1)}\x00", "\u0660" * 36]


@pytest.mark.parametrize("bad", HOSTILE, ids=range(len(HOSTILE)))
def test_a_row_without_a_usable_id_is_counted_and_never_used(client, genesys, bad, caplog):
    """Only UUIDs become paths, keys and headers; the row is reported by its hash."""
    genesys.rows = [row(1), row(2, conversationId=bad)]
    found = client.find_conversations(*DAY)
    assert [uuid(1)] == ids_of(found)
    assert [64] == [len(digest) for digest in found.rejected]
    assert "etc/passwd" not in caplog.text


UNUSABLE = [
    *(None, 7, "", "yesterday", "2026-01-05T09:00:00", "0001-01-01T00:00:00+14:00"),
    *("1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-03-05T09:00:00Z", "2024-01-05T09:00:00Z"),
]


@pytest.mark.parametrize("start", UNUSABLE)
def test_a_row_without_a_usable_start_is_named(client, genesys, start):
    """The conversation exists, so its id is told apart from rows that name nothing."""
    genesys.rows = [row(2, conversationId=uuid(2).upper(), conversationStart=start), "no row", None, [1]]
    found = client.find_conversations(*DAY)
    assert (0, (uuid(2),), 3) == (len(found.conversations), found.undated, len(found.rejected))


@pytest.mark.parametrize("number", ODD_NUMBERS)
@pytest.mark.parametrize("place", ["conversationId", "conversationStart", "conversationEnd", "participants", "new"])
def test_a_number_that_nobody_can_mean_costs_its_own_row(client, genesys, place, number):
    """Python's reader refuses the whole page for one; the calls beside it are found, and this one is named."""
    rows = json.dumps([row(1), row(2, **{place: "HERE"}), row(3)]).replace('"HERE"', number)
    pages = [f'{{"totalHits": 3, "conversations": {rows}}}'.encode(), b"{}"] * 2
    genesys.script(QUERY, *[Reply(200, page) for page in pages])
    found = client.find_conversations(*DAY)
    whole = [uuid(1), uuid(3)] if place in {"conversationId", "conversationStart"} else [uuid(1), uuid(2), uuid(3)]
    assert whole == ids_of(found)
    assert (int(place == "conversationId"), place == "conversationStart") == (len(found.rejected), bool(found.undated))


@pytest.mark.parametrize("number", ODD_NUMBERS)
def test_a_number_outside_all_rows_is_named(client, genesys, number):
    """A total that nobody can mean does not prove that nothing is missing."""
    page = f'{{"totalHits": {number}, "conversations": []}}'.encode()
    genesys.script(QUERY, *[Reply(200, page)] * 10)
    with pytest.raises(SourceUnavailable, match=r"POST /api/v2/analytics/.*/query answered 200, but its totalHits is"):
        client.find_conversations(*DAY)


def test_a_start_that_is_read_elsewhere_is_enough(client, genesys):
    """One readable row of a conversation dates it, whichever comes first."""
    genesys.rows = [row(1, conversationStart=None), row(1), row(2), row(2, conversationStart=7)]
    genesys.on_call = lambda call: (
        Reply(body={"conversations": genesys.rows, "totalHits": 2} if call.json["paging"]["pageNumber"] == 1 else {})
        if call.path == QUERY
        else None
    )
    found = client.find_conversations(*DAY)
    assert ([uuid(1), uuid(2)], ()) == (ids_of(found), found.undated)


def test_an_id_has_one_spelling(client, genesys):
    """A UUID in capitals is the same conversation."""
    upper = "0F8FAD5B-D9CB-469F-A165-70867728950E"
    genesys.rows = [row(1, conversationId=upper), row(1, conversationId=upper.lower())]
    assert [upper.lower()] == ids_of(client.find_conversations(*DAY))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (DAY[0].replace(tzinfo=None), DAY[1]),
        (DAY[0], DAY[1].replace(tzinfo=None)),
        (DAY[1], DAY[0]),
        (DAY[0], DAY[0]),
    ],
)
def test_bounds_are_aware_and_in_order(client, start, end):
    """A naive bound would mean the worker's own time zone."""
    with pytest.raises(ValueError, match="aware"):
        client.find_conversations(start, end)


def test_bounds_of_any_zone_travel_as_utc(client, genesys):
    """Local midnights become UTC on the wire."""
    berlin = timezone(timedelta(hours=1))
    client.find_conversations(datetime(2026, 1, 5, tzinfo=berlin), datetime(2026, 1, 6, tzinfo=UTC))
    assert "2026-01-04T23:00:00.000Z/2026-01-06T00:00:00.000Z" == genesys.calls_to(QUERY)[0].json["interval"]
