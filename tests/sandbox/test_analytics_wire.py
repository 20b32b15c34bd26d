"""The details query and its asynchronous sister: filters, interval, paging, refusals, drift."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from include.sandbox.wire import iso
from tests.sandbox.conftest import DAY, INTERVAL, details_query, started

PATH = "/api/v2/analytics/conversations/details/query"
JOBS = "/api/v2/analytics/conversations/details/jobs"


def pages(client, size=25, **options):
    """Return every page until an empty one."""
    found, number = [], 1
    while page := client.query(size=size, number=number, **options).json().get("conversations"):
        found.append([each["conversationId"] for each in page])
        number += 1
    return found


def segment_query(*predicates, kind="and"):
    """Build a query with one segment filter."""
    return {
        "interval": INTERVAL,
        "paging": {"pageSize": 100, "pageNumber": 1},
        "segmentFilters": [{"type": kind, "predicates": list(predicates)}],
    }


def test_pages_hold_the_truth_and_the_neighbours(client, truth):
    """The pages together hold the day's conversations once, plus neighbours from the UTC days touched, then ``{}``."""
    found = [each for page in pages(client) for each in page]
    expected = {each.conversation_id for each in truth.conversations}
    assert len(found) == len(set(found))
    assert expected < set(found)
    assert client.query(number=50).json() == {}


def test_conversations_come_by_start_in_either_order(client):
    """Ascending by default; ``desc`` turns it round."""
    body = details_query()
    first = [each["conversationStart"] for each in client.post(PATH, body).json()["conversations"]]
    last = [each["conversationStart"] for each in client.post(PATH, {**body, "order": "desc"}).json()["conversations"]]
    assert sorted(first) == first
    assert sorted(last, reverse=True) == last


def test_order_by_end_is_by_end(client):
    """With orderBy conversationEnd the ends ascend."""
    found = client.post(PATH, {**details_query(), "orderBy": "conversationEnd"}).json()["conversations"]
    ends = [each["conversationEnd"] for each in found]
    assert sorted(ends) == ends


def test_lists_and_flags_are_matched(client, truth):
    """A division id is found in the list of divisions, and ``recording`` matches ``true``."""
    call = client.sandbox.tenant.conversation(truth.conversations[0].conversation_id)
    by_division = {"dimension": "divisionId", "value": call.division_ids[0]}
    filters = [{"type": "and", "predicates": [by_division]}]
    found = client.post(PATH, {**details_query(), "conversationFilters": filters}).json()["conversations"]
    assert all(call.division_ids[0] in each["divisionIds"] for each in found)
    flagged = client.post(PATH, segment_query({"dimension": "recording", "value": "true"})).json()
    unflagged = client.post(PATH, segment_query({"dimension": "recording", "value": "false"})).json()
    assert (True, {}) == (flagged["totalHits"] > 50, unflagged)


def test_open_calls_are_left_out_only_by_the_filter(client):
    """Without the conversationEnd filter a live call is found, and has no end."""
    body = {**details_query(), "conversationFilters": []}
    found = [
        each
        for number in (1, 2)
        for each in client.post(PATH, {**body, "paging": {"pageSize": 100, "pageNumber": number}}).json()[
            "conversations"
        ]
    ]
    assert [each for each in found if "conversationEnd" not in each]


def test_conversations_can_be_had_by_id(client, truth):
    """One conversation or several come by id in the shape of the query; an unknown one is 404 or left out."""
    ids = [each.conversation_id for each in truth.conversations[:2]]
    base = "/api/v2/analytics/conversations"
    several = client.get(f"{base}/details?id={','.join(ids)},nobody").json()["conversations"]
    assert ids == [each["conversationId"] for each in several]
    assert client.get(f"{base}/{ids[0]}/details").json() == several[0]
    assert [404, 400] == [client.get(f"{base}{path}").status_code for path in ("/nobody/details", "/details")]


@pytest.mark.parametrize(
    ("predicates", "kind", "media"),
    [
        ([{"dimension": "mediaType", "value": "chat"}], "and", {"chat"}),
        (
            [{"dimension": "mediaType", "value": "chat"}, {"dimension": "mediaType", "value": "email"}],
            "or",
            {"chat", "email"},
        ),
        ([{"dimension": "mediaType", "value": "chat"}, {"dimension": "mediaType", "value": "email"}], "and", set()),
        ([{"dimension": "recording", "operator": "exists"}], "and", {"voice"}),
        ([{"dimension": "wrapUpCode", "value": "nobody"}], "and", set()),
    ],
    ids=["one", "or", "and on one segment", "exists", "no match"],
)
def test_segment_filters_are_evaluated(client, predicates, kind, media):
    """Clauses and predicates hold for one segment together with its session and participant."""
    found = client.post(PATH, segment_query(*predicates, kind=kind)).json().get("conversations", [])
    assert media == {each["participants"][0]["sessions"][0]["mediaType"] for each in found}


def test_not_exists_and_clauses(client):
    """A clause nests, and notExists finds sessions without a recording."""
    predicate = {"dimension": "recording", "operator": "notExists"}
    voice = {"dimension": "mediaType", "value": "voice"}
    customer = {"dimension": "purpose", "value": "customer"}
    clause = {"type": "and", "predicates": [voice, customer, predicate]}
    body = {**segment_query(), "segmentFilters": [{"type": "or", "clauses": [clause]}]}
    found = client.post(PATH, body).json()["conversations"]
    assert found
    assert all("recording" not in each["participants"][0]["sessions"][0] for each in found)


def test_conversation_end_may_be_matched_by_interval(client, truth):
    """A sweep for calls that ended within an hour finds exactly those."""
    one = truth.conversations[len(truth.conversations) // 2]
    end = client.sandbox.tenant.conversation(one.conversation_id).end
    span = f"{iso(end)}/{iso(end + timedelta(milliseconds=1))}"
    filters = [{"type": "and", "predicates": [{"dimension": "conversationEnd", "operator": "matches", "value": span}]}]
    found = client.post(PATH, {"interval": INTERVAL, "conversationFilters": filters}).json()["conversations"]
    assert [one.conversation_id] == [each["conversationId"] for each in found]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"interval": None}, "constraint.validation"),
        ({"interval": "yesterday"}, "invalid.date"),
        ({"interval": "2026-01-01T00:00:00Z/2026-02-02T00:00:00Z"}, "constraint.validation"),
        ({"interval": "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z"}, "constraint.validation"),
        ({"paging": {"pageSize": 101, "pageNumber": 1}}, "constraint.validation"),
        ({"paging": {"pageSize": 10}}, "constraint.validation"),
        ({"paging": {"pageSize": 100, "pageNumber": 1001}}, "bad.request"),
        ({"order": "sideways"}, "invalid.value"),
        (
            {"segmentFilters": [{"type": "and", "predicates": [{"dimension": "shoeSize", "value": "44"}]}]},
            "invalid.value",
        ),
        ({"segmentFilters": [{"type": "xor"}]}, "invalid.value"),
        ({"segmentFilters": [{"type": "and"}]}, "constraint.validation"),
        ({"segmentFilters": "voice"}, "bad.request"),
        ({"segmentFilters": [{"type": "and", "predicates": [{"dimension": "mediaType"}]}]}, "constraint.validation"),
        ({"segmentFilters": [{"type": "and", "predicates": [{"type": "metric", "metric": "tAcw"}]}]}, "bad.request"),
        (
            {
                "segmentFilters": [
                    {"type": "and", "predicates": [{"dimension": "ani", "operator": "like", "value": "x"}]}
                ]
            },
            "invalid.value",
        ),
        (
            {
                "conversationFilters": [
                    {"type": "and", "predicates": [{"dimension": "conversationEnd", "value": "noon"}]}
                ]
            },
            "invalid.date",
        ),
        ({"orderBy": "mood"}, "invalid.value"),
        ({"surveyFilters": [{"type": "and"}]}, "bad.request"),
    ],
)
def test_bad_queries_are_400(client, change, code):
    """What the API refuses, the sandbox refuses; what the sandbox cannot evaluate, it does not pretend to."""
    refused = client.post(PATH, {**details_query(), **change})
    assert (400, code) == (refused.status_code, refused.json()["code"])


def test_pagination_cap_has_the_documented_text(client):
    """Past 100,000 results the message is the one clients have seen."""
    refused = client.query(size=100, number=1001).json()
    assert refused["message"] == "Pagination may not exceed 100000 results"


def test_interval_of_31_days_is_allowed(client):
    """The limit itself passes."""
    assert client.query(interval="2026-01-01T00:00:00Z/2026-02-01T00:00:00Z").status_code == 200


@pytest.mark.parametrize("fault", ["analytics-duplicates", "analytics-drift"])
def test_drift_repeats_conversations_but_loses_none(client, fault):
    """With duplicates or drift on, pages repeat conversations; taken together they still hold all of them."""
    expected = {each for page in pages(client) for each in page}
    client.sandbox.faults.switch_on(fault)
    found = [each for page in pages(client) for each in page]
    assert expected == set(found)
    assert len(found) > len(expected)


def test_asynchronous_job_finds_by_activity():
    """A call that began the evening before is found by activity; startOfDayIntervalMatching leaves it out."""
    with started(scenario="midnight", conversations=200, timezone="UTC") as (sandbox, client):
        crossing = next(each for each in sandbox.tenant.day(DAY) if each.selected and each.end.date() > DAY)
        body = {**details_query(interval="2026-01-06T00:00:00Z/2026-01-06T01:00:00Z")}
        body.pop("paging")
        found = {}
        for matching in (False, True):
            job = client.post(JOBS, {**body, "startOfDayIntervalMatching": matching})
            assert job.status_code == 202
            results = client.get(f"{JOBS}/{job.json()['jobId']}/results").json()["conversations"]
            found[matching] = {each["conversationId"] for each in results}
        assert crossing.id in found[False]
        assert crossing.id not in found[True]


def test_asynchronous_job_ripens_and_pages_by_cursor():
    """State goes from 202 to 200, results wait for FULFILLED, the cursor ends, a cancelled job says so."""
    with started(conversations=30, job_seconds=0.5) as (_, client):
        body = details_query()
        assert client.post(JOBS, body).json()["code"] == "invalid.property"
        body.pop("paging")
        job = client.post(JOBS, body).json()["jobId"]
        first = client.get(f"{JOBS}/{job}")
        assert (202, True) == (first.status_code, first.json()["state"] in {"QUEUED", "PENDING"})
        assert client.get(f"{JOBS}/{job}/results").status_code == 400
        end = time.monotonic() + 5
        while client.get(f"{JOBS}/{job}").status_code != 200 and time.monotonic() < end:
            time.sleep(0.05)
        ids, cursor = [], "0"
        while cursor:
            page = client.get(f"{JOBS}/{job}/results?pageSize=7&cursor={cursor}").json()
            ids += [each["conversationId"] for each in page["conversations"]]
            cursor = page.get("cursor")
        assert len(ids) == len(set(ids)) > 14
        assert client.call("DELETE", f"{JOBS}/{job}").status_code == 204
        assert client.get(f"{JOBS}/{job}").json()["state"] == "CANCELLED"
        assert client.get(f"{JOBS}/nobody").status_code == 404
        assert "dataAvailabilityDate" in client.get(f"{JOBS}/availability").json()
