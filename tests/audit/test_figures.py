"""A day in numbers: shares that never flatter, percentiles that occurred, and a document that reads back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.audit.figures import DayFigures, Latency, percent
from include.audit.reconcile import fold
from include.canonical import canonical_json, read_document
from include.outcome import ItemRecord, Outcome

ITEMS = [
    ItemRecord("a", "1", 0, Outcome.ARCHIVED, bytes=700),
    ItemRecord("a", "2", 0, Outcome.NOT_SELECTED, "media_not_selected", "batch"),
    ItemRecord("b", "3", 0, Outcome.QUARANTINED, "structure_whole", "content"),
    ItemRecord("c", "4", 0, Outcome.PENDING, "source_unavailable", "download"),
    ItemRecord("d", "", 0, Outcome.NO_RECORDING, "none_known", "recordingmetadata"),
    ItemRecord("e", "5", 0, Outcome.PENDING, "uploading", "recordingmetadata"),
    ItemRecord("f", "6", 0, Outcome.NOT_SELECTED, "media_not_selected", "content"),
]
DAY = DayFigures.of("2026-03-02", fold("abcdef", [[ITEMS]]), Latency.of([60, 120, 180]))


def test_classes_reasons_and_bytes_are_counted():
    """Conversations by class, items by reason, bytes of what is archived."""
    assert {"archived": 1, "quarantined": 1, "pending": 2, "no_recording": 1, "not_selected": 1} == DAY.conversations
    assert {
        "media_not_selected": 2,
        "structure_whole": 1,
        "source_unavailable": 1,
        "none_known": 1,
        "uploading": 1,
    } == DAY.exclusions
    assert (6, 3, 700, "50.00%") == (DAY.expected, DAY.open, DAY.bytes, DAY.completeness_percent)


def test_only_begun_downloads_fail():
    """What Genesys never offered is no failed download; what arrived damaged or not at all is."""
    assert {"totalDownloads": 3, "successRate": "33.33%", "failureCount": 2} == DAY.downloads


def test_document_reads_back():
    """What is written to the lake is what the chart of a later day is drawn from."""
    assert DAY == DayFigures.from_json(read_document(canonical_json(DAY.to_json())))


def test_empty_day_is_complete():
    """Nothing expected, nothing missing; and no download was a success."""
    day = DayFigures.of("2026-03-02", fold([], []), None)
    assert ("100.00%", "0%", None) == (day.completeness_percent, day.downloads["successRate"], day.latency)
    assert day == DayFigures.from_json(day.to_json())


@pytest.mark.parametrize("spoiled", [{}, {"latency": {}}, {"conversations": {"lost": 1}}, {"expected": "many"}])
def test_other_documents_are_refused(spoiled):
    """A report of somebody else's does not become a day of the chart."""
    document = {**DAY.to_json(), **spoiled} if spoiled else {}
    with pytest.raises((KeyError, TypeError, ValueError)):
        DayFigures.from_json(document)


@given(st.integers(1, 10**9), st.integers(0, 10**9))
def test_share_is_whole_only_of_the_whole(whole, missing):
    """One missing of any number is not 100 %."""
    part = max(0, whole - missing)
    assert ("100.00%" == percent(part, whole, of_nothing="")) == (part == whole)


@given(st.lists(st.integers(0, 10**6), min_size=1))
def test_percentiles_occurred_and_are_in_order(seconds):
    """The median and the 95th are values of the list; half and 95 % of it are not above them."""
    latency = Latency.of(seconds)
    assert {latency.median_seconds, latency.p95_seconds, latency.max_seconds} <= set(seconds)
    assert latency.median_seconds <= latency.p95_seconds <= latency.max_seconds
    assert 2 * sum(value <= latency.median_seconds for value in seconds) >= len(seconds)
    assert 100 * sum(value <= latency.p95_seconds for value in seconds) >= 95 * len(seconds)
