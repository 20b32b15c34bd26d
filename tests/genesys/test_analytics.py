"""Finding the conversations of a day, whatever the pages do."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.errors import RequestRejected, SourceChanged
from include.genesys.analytics import RESULTS_MAX, ConversationsFound, find_conversations
from tests.genesys.found import ids_of
from tests.genesys.scripted_server import QUERY, Reply, error, uuid
from tests.genesys.test_client import DAY, row


def test_the_question_is_about_finished_recorded_voice_calls(client, genesys):
    """Interval, filters, order and page size are what the published API documents."""
    client.find_conversations(*DAY)
    assert {
        "interval": "2026-01-05T00:00:00.000Z/2026-01-06T00:00:00.000Z",
        "order": "asc",
        "orderBy": "conversationStart",
        "paging": {"pageSize": 100, "pageNumber": 1},
        "conversationFilters": [
            {
                "type": "and",
                "predicates": [{"type": "dimension", "dimension": "conversationEnd", "operator": "exists"}],
            }
        ],
        "segmentFilters": [
            {
                "type": "and",
                "predicates": [
                    {"type": "dimension", "dimension": "mediaType", "operator": "matches", "value": "voice"},
                    {"type": "dimension", "dimension": "recording", "operator": "exists"},
                ],
            }
        ],
    } == genesys.calls_to(QUERY)[0].json


def test_a_day_without_calls_is_a_valid_answer(client):
    """The empty object ends the paging at once."""
    assert ConversationsFound((), 0, 1, (), 0) == client.find_conversations(*DAY)


@pytest.mark.parametrize("count", [1, 99, 100, 101, 200])
def test_pages_are_read_until_one_is_empty(client, genesys, count):
    """A short page is no end: only an empty one is."""
    genesys.rows = [row(number) for number in range(count)]
    found = client.find_conversations(*DAY)
    assert [uuid(number) for number in range(count)] == ids_of(found)
    assert found.passes * (-(-count // 100) + 1) == found.pages
    assert (1 if count <= 100 else 2) == found.passes


@pytest.mark.parametrize(
    ("start", "inside"),
    [
        ("2026-01-04T23:59:59.999Z", False),
        ("2026-01-05T00:00:00.000Z", True),
        ("2026-01-05T00:00:00.001Z", True),
        ("2026-01-05T23:59:59.999Z", True),
        ("2026-01-06T00:00:00.000Z", False),
        ("2026-01-06T01:00:00.000+02:00", True),
    ],
)
def test_a_conversation_belongs_to_the_day_it_started_in(client, genesys, start, inside):
    """The source answers whole days that the interval touches; the bounds are applied here, to the millisecond."""
    genesys.rows = [row(1, conversationStart=start)]
    found = client.find_conversations(*DAY)
    assert (int(inside), int(not inside)) == (len(found.conversations), found.outside)


@hypothesis_settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.integers(0, 30), max_size=250))
def test_any_multiset_of_rows_becomes_a_set(client, genesys, numbers):
    """However often a conversation appears, it is found once and the rest counted."""
    genesys.rows = [row(number) for number in numbers]
    found = client.find_conversations(*DAY)
    assert sorted({uuid(number) for number in numbers}) == ids_of(found)
    assert found.passes * (len(numbers) - len(set(numbers))) == found.duplicates


@pytest.mark.parametrize("change", ["removed", "inserted", "both"])
def test_rows_that_move_between_pages_are_found_by_a_second_look(client, genesys, change):
    """What takes more than one page is read again until nothing new turns up, and the union counts."""
    genesys.rows = [row(number) for number in range(10, 260)]
    everything = {uuid(number) for number in range(10, 260)}

    def drift(_page: int) -> None:
        if len(genesys.calls_to(QUERY)) != 1:
            return  # only the first look is disturbed
        if change != "inserted":
            del genesys.rows[50]
        if change != "removed":
            genesys.rows.insert(0, row(1))
            everything.add(uuid(1))

    genesys.page_end = drift
    found = client.find_conversations(*DAY)
    assert sorted(everything) == ids_of(found)
    assert found.passes > 1


def pages_of(genesys, page_of):
    """Let ``page_of(look, page)`` answer every query; looks count from one."""
    looks = [0]

    def answer(call):
        if call.path != QUERY:
            return None
        page = call.json["paging"]["pageNumber"]
        looks[0] += page == 1
        return Reply(body=page_of(looks[0], page))

    genesys.on_call = answer


def rows_of(first: int, end: int) -> list[dict]:
    """Return the rows with these numbers."""
    return [row(number) for number in range(first, end)]


@pytest.mark.parametrize(
    ("page_of", "read", "total"),
    [
        (lambda _look, page: {"conversations": rows_of(0, 100), "totalHits": 250} if page == 1 else {}, 100, 250),
        (lambda _look, page: {"conversations": rows_of(0, 2), "totalHits": 7} if page == 1 else {}, 2, 7),
        (lambda _look, _page: {"totalHits": 50}, 0, 50),
        (lambda _look, _page: {"conversations": [], "totalHits": 50}, 0, 50),
        (lambda _look, page: {"conversations": rows_of(0, 9)} if page == 1 else {"totalHits": 50}, 9, 50),
        (
            lambda _look, page: {"conversations": rows_of(0, 100) if page < 3 else [], "totalHits": 200},
            100,
            200,
        ),
    ],
    ids=["page-two-empty", "one-page", "no-list", "empty-list", "total-at-the-end", "same-page-twice"],
)
def test_fewer_than_the_sources_own_total_is_no_day(client, genesys, page_of, read, total):
    """After three looks what is missing is an error with its counts, so that the day is asked for again."""
    pages_of(genesys, page_of)
    with pytest.raises(SourceChanged, match=f"{read} were read in 3 looks, 0 of them new.* total is {total}") as caught:
        client.find_conversations(*DAY)
    assert {"read": read, "new": 0, "total": total} == dict(caught.value.facts)


def test_a_set_that_is_another_at_each_look_is_no_day(client, genesys):
    """Three looks at 100 of 400 conversations are not the 400."""
    pages_of(
        genesys,
        lambda look, page: (
            {"conversations": rows_of(look * 100, look * 100 + 100), "totalHits": 400} if page == 1 else {}
        ),
    )
    with pytest.raises(SourceChanged, match="300 were read in 3 looks, 100 of them new in the last"):
        client.find_conversations(*DAY)


def test_a_source_that_never_rests_is_no_day(client, genesys):
    """Where the third look still finds something new, a fourth would too."""
    genesys.rows = rows_of(1000, 1150)
    genesys.page_end = lambda _page: genesys.rows.insert(0, row(len(genesys.rows)))
    with pytest.raises(SourceChanged, match="do not settle"):
        client.find_conversations(*DAY)


@pytest.mark.parametrize("total", [0, 1, 3])
def test_a_total_below_what_was_found_is_approximate(client, genesys, total):
    """``totalHits`` may be too small: a second look that finds nothing new settles it."""
    pages_of(genesys, lambda _look, page: {"conversations": rows_of(0, 4), "totalHits": total} if page == 1 else {})
    found = client.find_conversations(*DAY)
    assert (4, 2, 4) == (len(found.conversations), found.passes, found.pages)


def test_a_total_that_moves_a_little_from_page_to_page_is_no_loss(client, genesys):
    """What all pages of a look agree on is the smallest total they name."""
    pages_of(
        genesys,
        lambda _look, page: (
            {"conversations": rows_of(page * 100, page * 100 + 100), "totalHits": 200 + page % 2} if page < 3 else {}
        ),
    )
    assert 200 == len(client.find_conversations(*DAY).conversations)


def test_a_total_that_shrinks_does_not_excuse_what_is_missing(client, genesys):
    """A later, smaller answer that adds up is no proof against the first look's total."""
    pages_of(
        genesys,
        lambda look, page: {"conversations": rows_of(0, 50), "totalHits": 90 if look == 1 else 50} if page == 1 else {},
    )
    with pytest.raises(SourceChanged, match="total is 90"):
        client.find_conversations(*DAY)


def test_a_page_that_is_lost_once_is_found_by_the_next_look(client, genesys):
    """One early end is healed here, without a task that fails."""
    pages_of(
        genesys,
        lambda look, page: (
            {"conversations": rows_of(page * 100, page * 100 + 100), "totalHits": 200}
            if page == 1 or (page == 2 and look > 1)
            else {}
        ),
    )
    found = client.find_conversations(*DAY)
    assert (200, 3) == (len(found.conversations), found.passes)


def seconds_of(call) -> float:
    """Return the length of the interval asked for."""
    first, last = (datetime.fromisoformat(text) for text in call.json["interval"].split("/"))
    return (last - first).total_seconds()


@pytest.mark.parametrize(
    "refusal",
    [
        Reply(body={"conversations": [row(1)], "totalHits": RESULTS_MAX + 1}),
        error(400, "bad.request", "Pagination may not exceed 100000 results"),
        error(413, "payload.too.large"),
    ],
    ids=["total", "pagination", "too-large"],
)
def test_too_many_hits_split_the_interval(client, genesys, refusal):
    """Halves are asked until each can be paged through; nothing is lost or doubled."""
    rows = [row(hour, conversationStart=f"2026-01-05T{hour:02}:30:00.000Z") for hour in range(24)]

    def answer(call):
        if call.path != QUERY:
            return None
        if seconds_of(call) > 6 * 3600:
            return refusal
        first, last = call.json["interval"].split("/")
        inside = [item for item in rows if first <= item["conversationStart"] < last]
        page = call.json["paging"]["pageNumber"] == 1 and inside
        return Reply(body={"conversations": inside, "totalHits": len(inside)} if page else {})

    genesys.on_call = answer
    found = client.find_conversations(*DAY)
    assert [uuid(hour) for hour in range(24)] == ids_of(found)
    assert 3 == found.split
    assert len(genesys.calls_to(QUERY)) <= 3 + 4 * 2


class EndlessDoor:
    """Gives one more conversation on every page of an interval longer than half a day; no network, for speed."""

    def fetch(self, request, read):
        """Answer one page."""
        first, last = (datetime.fromisoformat(text) for text in request.body["interval"].split("/"))
        endless = last - first > timedelta(hours=12)
        return read({"conversations": [row(request.body["paging"]["pageNumber"])]} if endless else {})


def test_a_thousand_pages_without_an_end_split_the_interval():
    """Where no total is given, the page count is the limit."""
    found = find_conversations(EndlessDoor(), *DAY)
    assert (1000, 1) == (len(found.conversations), found.split)


def test_splitting_ends(client, genesys):
    """Hits that do not shrink with the interval are refused, not chased."""
    genesys.on_call = lambda call: error(413, "payload.too.large") if call.path == QUERY else None
    with pytest.raises(RequestRejected, match="cannot be shorter"):
        client.find_conversations(*DAY)
    assert len(genesys.calls_to(QUERY)) < 20


def test_any_other_refusal_is_passed_on(client, genesys):
    """A malformed query is a bug, not a reason to split."""
    genesys.script(QUERY, error(400, "bad.request", "interval"))
    with pytest.raises(RequestRejected):
        client.find_conversations(*DAY)
    assert 1 == len(genesys.calls_to(QUERY))
