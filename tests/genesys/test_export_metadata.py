"""Odd values in the metadata beside an exported recording: they cost a fact, never the recording or its day."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from include.genesys.export_metadata import ExportMetadata
from tests.genesys.scripted_server import uuid

HOUR = datetime(2026, 3, 2, 9, tzinfo=UTC)


def document(**fields: object) -> ExportMetadata:
    """Return the metadata with these fields."""
    found = ExportMetadata.parse(json.dumps(fields).encode())
    assert found is not None
    return found


def test_the_document_s_start_counts():
    """A long call's recording may begin a day after its conversation."""
    assert HOUR - timedelta(days=1) == document(conversationStart="2026-03-01T09:00:00Z").start_near(HOUR)


@pytest.mark.parametrize(
    "start",
    ["0001-01-01T00:00:00+23:59", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2062-03-02T09:00:00Z", "", 7, None],
)
def test_a_start_that_cannot_be_gives_way_to_the_key(start):
    """It led out of the calendar and stopped the whole ingest, or made a recording wait for a day that never ends."""
    found = document(conversationStart=start)
    assert (HOUR, HOUR) == (found.start_near(HOUR), found.conversation(uuid(1), HOUR).start)


def test_an_end_that_cannot_be_is_left_out():
    """Its length would falsify the latency of the day."""
    assert document(conversationEnd="2026-03-02T08:00:00Z").conversation(uuid(1), HOUR).end is None


@pytest.mark.parametrize("end", ["", "\\u00e9", '"', "\\", "\n", "\u2028", "\U0001f1e9", "&X-Amz-Date=1"])
def test_words_kept_beside_a_recording_hold_no_signed_address(end):
    """They are stored for good; an address that anybody may fetch is not. What is left is JSON."""
    signed = f"https://host/a?X-Amz-Signature=SECRET{end}"
    found = document(mediaUri=signed, parts=[{"uri": signed}], notes="paid? yes", page="https://host/b?id=7")
    assert "SECRET" not in found.text
    kept = json.loads(found.text)
    assert ("paid? yes", "https://host/b?id=7") == (kept["notes"], kept["page"])
    assert kept["mediaUri"].startswith("https://host/a?***")
