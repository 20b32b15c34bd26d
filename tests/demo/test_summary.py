"""The summary says what the report in the bucket says, and copes with a report that says less."""

from __future__ import annotations

from demo.summary import call_lines
from include.audit.balance import day_lines

REPORT = {
    "expected": 4,
    "complete": True,
    "conversations": {"archived": 2, "no_recording": 1, "restricted": 1, "pending": 0},
    "recordings": {"archived": 3},
    "bytes": 2_500_000,
    "exclusions": [
        {"conversation_id": "c-3", "outcome": "no_recording", "reason": "none_listed"},
        {"conversation_id": "c-4", "outcome": "restricted", "reason": ""},
    ],
}


def test_balance_adds_up_in_one_line():
    """Expected is archived plus each class by name; an empty class is left out."""
    expected = "2026-01-05 is complete: 4 conversations expected = 2 archived + 1 no_recording + 1 restricted"
    assert expected == day_lines("2026-01-05", REPORT)[0]


def test_exclusions_are_named_with_their_reason():
    """Each class of exclusion has its conversations beside it."""
    lines = day_lines("2026-01-05", REPORT)
    assert ["     1 no_recording (none_listed): c-3", "     1 restricted: c-4"] == lines[-2:]


def test_incomplete_day_is_said_loudly():
    """A day with open work is never called complete."""
    assert "is NOT complete" in day_lines("2026-01-05", REPORT | {"complete": False})[0]


def test_missing_report_is_said():
    """No report is a finding, not a failure of the summary."""
    assert ["2026-01-05: there is no report in the lake"] == day_lines("2026-01-05", None)


def test_report_of_another_shape_does_not_break_the_summary():
    """Fields of an unexpected kind are passed over."""
    odd = {"conversations": [], "recordings": 3, "exclusions": "none"}
    assert ["2026-01-05 is NOT complete: ? conversations expected = none"] == day_lines("2026-01-05", odd)


def test_calls_are_counted_by_endpoint_most_frequent_first():
    """The API's total and one line for each endpoint; downloads are not API calls."""
    expected = [
        "Genesys API calls, as the sandbox counted them: 5",
        "      4 GET /api/v2/b",
        "      1 POST /oauth/token",
        "media downloads by presigned URL: 9",
    ]
    counts = {"POST /oauth/token": 1, "GET /api/v2/b": 4, "GET /recordings/{part}": 9}
    assert (expected, expected) == (call_lines(counts), call_lines({"calls": counts}))
