"""The asynchronous details job: everything the query finds, by cursor, and on disk."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from include.errors import ConfigurationError, RecordingGone, SourceChanged, SourceUnavailable
from include.genesys.analytics import LargeIntervalError
from include.genesys.analytics_jobs import PAGE_ROWS, RESULTS
from include.genesys.conversation_shelf import ConversationShelf
from tests.genesys.scripted_server import ODD_NUMBERS, Reply, uuid
from tests.genesys.test_against_sandbox import DAY as SANDBOX_DAY
from tests.genesys.test_against_sandbox import archive_client, expected, sandbox  # noqa: F401 - fixtures
from tests.genesys.test_client import DAY, row

JOB = "job-1"
PAGES = RESULTS.format(JOB)


def serve(genesys, *pages):
    """Answer with these pages of rows, a cursor behind each but the last."""
    for number, rows in enumerate(pages, 1):
        cursor = {"cursor": f"c{number}"} if number < len(pages) else {}
        genesys.script(PAGES, Reply(body={"conversations": rows, **cursor}))


def read(client):
    """Return what the job found."""
    return client.read_details_job(JOB, *DAY)


def test_the_job_finds_what_the_query_finds(sandbox, archive_client):  # noqa: F811 - fixtures
    """Both ways give the same conversations with the same facts, though the job's interval means another thing."""
    job_id = archive_client.submit_details_job(*SANDBOX_DAY)
    assert archive_client.details_job_state(job_id).is_fulfilled
    assert archive_client.details_available_until() > SANDBOX_DAY[1]
    found = archive_client.read_details_job(job_id, *SANDBOX_DAY)
    assert expected(sandbox) == list(found.by_id)
    assert archive_client.find_conversations(*SANDBOX_DAY).by_id == dict(found.by_id)
    found.close()


def test_the_cursor_is_followed_to_its_end(client, genesys):
    """A page without a cursor is the last; a conversation that comes twice counts once."""
    serve(genesys, [row(3), row(1)], [row(1), row(2)], [])
    found = read(client)
    assert ([uuid(1), uuid(2), uuid(3)], 1, 3) == (list(found.by_id), found.duplicates, found.pages)
    queries = [dict(call.query) for call in genesys.calls_to(PAGES)]
    size = str(PAGE_ROWS)
    assert [{"pageSize": size}, {"pageSize": size, "cursor": "c1"}, {"pageSize": size, "cursor": "c2"}] == queries
    found.close()


@pytest.mark.parametrize("number", ODD_NUMBERS)
def test_a_number_that_nobody_can_mean_costs_its_own_row(client, genesys, number):
    """The rows beside it are found, and the pages behind it; a cursor that is one ends the reading with a sentence."""
    rows = json.dumps([row(1), row(2, conversationStart="HERE"), row(3)]).replace('"HERE"', number)
    genesys.script(PAGES, Reply(200, f'{{"conversations": {rows}, "cursor": "c1"}}'.encode()))
    serve(genesys, [row(4)])
    found = read(client)
    assert ([uuid(1), uuid(3), uuid(4)], (uuid(2),)) == (list(found.by_id), found.undated)
    found.close()
    genesys.script(PAGES, *[Reply(200, f'{{"conversations": {rows}, "cursor": {number}}}'.encode())] * 10)
    with pytest.raises(SourceUnavailable, match=r"jobs/.*/results answered 200, but its cursor is"):
        read(client)


def test_only_what_started_that_day(client, genesys):
    """The job's interval is any activity: a call of the evening before is not of this day."""
    before = row(1, conversationStart="2026-01-04T23:59:59.999Z")
    serve(genesys, [before, row(2, conversationStart="2026-01-05T00:00:00.000Z")])
    found = read(client)
    assert ([uuid(2)], 1) == (list(found.by_id), found.outside)
    found.close()


def test_rows_that_cannot_be_read_are_counted(client, genesys):
    """A row without an id is rejected, one without a start is undated: both are said, neither is lost."""
    serve(genesys, [row(1), {"conversationId": uuid(2)}, {"conversationId": "no"}, 7])
    found = read(client)
    assert ([uuid(1)], (uuid(2),), 2) == (list(found.by_id), found.undated, len(found.rejected))
    found.close()


def test_a_cursor_that_goes_in_circles(client, genesys):
    """Reading on for ever would hold a worker all night."""
    for _ in range(3):
        genesys.script(PAGES, Reply(body={"conversations": [row(1)], "cursor": "same"}))
    with pytest.raises(SourceChanged, match="a cursor came twice"):
        read(client)


@pytest.mark.parametrize("cursor", [7, 0, False, ["c1"], {}, "half \ud800", "x" * 100_000], ids=range(7))
def test_a_cursor_that_is_none_is_no_end(client, genesys, cursor):
    """Read as the last page, it would lose every conversation behind it; clipped, it would ask for other ones."""
    for _ in range(20):
        genesys.script(PAGES, Reply(body={"conversations": [row(1)], "cursor": cursor}))
    with pytest.raises(SourceUnavailable, match="cursor"):
        read(client)


@pytest.mark.parametrize("end", [None, ""])
def test_a_long_cursor_is_sent_as_it_came(client, genesys, end):
    """It means something to the source alone; nothing and empty text are the end."""
    cursor = f" {'c' * 4000}+/= "
    genesys.script(PAGES, Reply(body={"conversations": [row(1)], "cursor": cursor}))
    genesys.script(PAGES, Reply(body={"conversations": [row(2)], "cursor": end}))
    found = read(client)
    assert ([uuid(1), uuid(2)], cursor) == (list(found.by_id), dict(genesys.calls_to(PAGES)[-1].query)["cursor"])
    found.close()


def test_a_start_that_the_question_excludes_is_none(client, genesys):
    """Such a conversation is of no day that anybody asks for: it is told apart, not left out."""
    serve(genesys, [row(1, conversationStart="2027-01-05T09:00:00Z"), row(2, conversationStart="1970-01-01T00:00:00Z")])
    found = read(client)
    assert (((uuid(1), uuid(2))), 0) == (found.undated, found.outside)
    found.close()


def test_a_job_that_is_gone(client, genesys):
    """It expires after some days; whoever waits for it must know."""
    genesys.script("/api/v2/analytics/conversations/details/jobs/job-1", Reply(404, {"code": "not.found"}))
    with pytest.raises(RecordingGone):
        client.details_job_state(JOB)


def test_a_failed_job_says_why(client, genesys):
    """Its own word is kept."""
    reply = Reply(body={"state": "FAILED", "errorMessage": "too much"})
    genesys.script("/api/v2/analytics/conversations/details/jobs/job-1", reply)
    state = client.details_job_state(JOB)
    assert (True, False, "too much") == (state.is_over, state.is_fulfilled, state.said)


def test_an_availability_that_is_none(client, genesys):
    """Read as the beginning of time it would wait for ever, as the end it would lose a day."""
    for _ in range(20):
        genesys.script("/api/v2/analytics/conversations/details/jobs/availability", Reply(body={}))
    with pytest.raises(SourceUnavailable):
        client.details_available_until()


def test_a_day_above_the_limit_is_not_paged_through(client, genesys):
    """The first page tells the total, and no second one is asked for."""
    genesys.rows = [row(number) for number in range(250)]
    with pytest.raises(LargeIntervalError):
        client.find_conversations(*DAY, rows_max=249)
    assert 1 == len(genesys.calls) - 1
    assert 250 == len(client.find_conversations(*DAY, rows_max=250).conversations)


def test_the_shelf_gives_back_what_was_put(client, genesys, tmp_path):
    """Long facts too, in any order; the first word of an id stays; nothing is left on the disk."""
    genesys.rows = [row(number, externalTag="x" * number * 1000) for number in (9, 1, 30)]
    found = client.find_conversations(*DAY).by_id
    shelf = ConversationShelf(tmp_path / "work")
    assert [True, True, True, False] == [shelf.add(found[uuid(number)]) for number in (30, 1, 9, 1)]
    assert found == dict(shelf)
    assert ([], [uuid(1), uuid(9), uuid(30)]) == (list((tmp_path / "work").iterdir()), list(shelf))
    assert (3, True, False) == (len(shelf), uuid(1) in shelf, uuid(2) in shelf)
    shelf.close()


def test_a_folder_that_cannot_be_written(tmp_path):
    """The person on call is told which setting to look at."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="RECORDING_ARCHIVE_STATE_DIR"):
        ConversationShelf(tmp_path / "file" / "work")


def test_both_ways_ask_the_same_question(client, genesys):
    """But for the paging, which the job refuses."""
    genesys.script("/api/v2/analytics/conversations/details/jobs", Reply(202, {"jobId": JOB}))
    client.find_conversations(*DAY)
    assert JOB == client.submit_details_job(*DAY)
    query, job = (call.json for call in genesys.calls if call.method == "POST" and "analytics" in call.path)
    assert {name: value for name, value in query.items() if name != "paging"} == job
    assert DAY == (datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=1))
