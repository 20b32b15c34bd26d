"""What is counted while the archive works: names that are bounded, sums that add up, failures by reason."""

from __future__ import annotations

import logging

import pytest

from include.audit.delivery import Backlog
from include.audit.download_tally import NO_DOWNLOADS, Downloads, DownloadTally
from include.audit.figures import DayFigures, Latency
from include.audit.metrics import (
    EXPORT_DELETIONS,
    EXPORT_MESSAGES,
    EXPORT_OBJECTS,
    EXPORT_WAITING,
    METRICS,
    SILENT,
    Kind,
    measure_calls,
    measure_day,
    measure_days,
    measure_outbox,
    measure_recordings,
    measure_words,
)
from include.genesys.call_counts import CallCounts
from include.outcome import Outcome


class Book:
    """Writes down every measurement."""

    def __init__(self):
        self.entries = []

    def count(self, name, value):
        """Note it."""
        self.entries.append((Kind.COUNTER, name, value))

    def gauge(self, name, value):
        """Note it."""
        self.entries.append((Kind.GAUGE, name, value))

    def duration(self, name, seconds):
        """Note it."""
        self.entries.append((Kind.TIMER, name, seconds))

    def values(self):
        """Return the last value by name."""
        return {name.removeprefix("recording_archive."): value for _, name, value in self.entries}


@pytest.fixture
def book():
    """Return an empty one."""
    return Book()


def measured_everything(book):
    """Measure one of each."""
    tally = DownloadTally(book)
    with tally.download("r-1") as download:
        download.arrived(5, refused_for="structure_whole")
    measure_calls(book, CallCounts({"GET /x": 4}, 1, 2, 3, 0.5))
    measure_recordings(book, dict.fromkeys(map(str, Outcome), 1))
    measure_day(book, DayFigures("2026-03-02", 1, latency=Latency.of([5])), 0)
    measure_days(book, [DayFigures("2026-03-02", 1, state="held")])
    measure_outbox(book, Backlog(1, 2.0, 3))
    book.duration("recording_archive.jobs_wait", 1)
    book.gauge(EXPORT_WAITING.of(), 1)
    for metric in (EXPORT_OBJECTS, EXPORT_MESSAGES, EXPORT_DELETIONS):
        measure_words(book, metric, {Outcome.ARCHIVED: 1})


def test_every_name_is_declared_with_its_kind_and_every_declared_name_is_sent(book):
    """What the page explains is what arrives, and nothing else."""
    measured_everything(book)
    sent = {(kind, name.split(".")[1], name.count(".") == 2) for kind, name, _ in book.entries}
    assert {(metric.kind, metric.name, bool(metric.label)) for metric in METRICS} == sent


def test_downloads_are_counted_with_bytes_time_and_the_reason_of_failure(book):
    """A download that arrives, one whose bytes are refused, one that breaks off."""
    moments = iter([0.0, 1.5, 2.0, 2.5, 3.0, 4.0])
    tally = DownloadTally(book, name_of=lambda error: type(error).__name__, clock=lambda: next(moments))
    with tally.download("r-1") as download:
        download.arrived(700)
    with tally.download("r-1") as download:
        download.arrived(30, refused_for="structure_whole")
    with pytest.raises(TimeoutError), tally.download("r-1"):
        raise TimeoutError
    result = tally.result()
    assert Downloads(3, {"TimeoutError": 1, "structure_whole": 1}, milliseconds=3000, bytes=730) == result
    assert {
        "totalDownloads": 3,
        "successRate": "33.33%",
        "averageLatencyMs": "1000",
        "failureCount": 2,
    } == result.guide_report()
    assert 1 == book.values()["download_failures.structure_whole"]
    assert [1.5, 0.5, 1.0] == [value for kind, _, value in book.entries if kind is Kind.TIMER]


def test_each_download_is_logged_with_its_latency_and_error(caplog):
    """What the media download guide records of each: which media, how it ended, how long it took, and why it failed."""
    moments = iter([0.0, 1.5, 2.0, 2.25, 3.0, 4.0])
    tally = DownloadTally(name_of=lambda error: type(error).__name__, clock=lambda: next(moments))
    with caplog.at_level(logging.INFO, logger="include.audit.download_tally"):
        with tally.download("r-1") as download:
            download.arrived(700)
        with tally.download("r-2") as download:
            download.arrived(30, refused_for="structure_whole")
        with pytest.raises(TimeoutError), tally.download(""):
            raise TimeoutError
    assert [
        "recording_id=r-1 download=success latency_ms=1500 bytes=700",
        "recording_id=r-2 download=failure latency_ms=250 bytes=30 error=structure_whole",
        "recording_id=- download=failure latency_ms=1000 bytes=0 error=TimeoutError",
    ] == [record.getMessage() for record in caplog.records]


def test_tasks_of_a_run_are_added_up():
    """Several shards are one report; a shard that fetched nothing adds nothing."""
    one = Downloads(2, {"url_expired": 1}, 100, 10).to_json()
    two = Downloads(3, {"url_expired": 1, "not_empty": 1}, 200, 20).to_json()
    assert Downloads(5, {"not_empty": 1, "url_expired": 2}, 300, 30) == Downloads.sum_of(
        [one, NO_DOWNLOADS.to_json(), two]
    )


def test_run_without_downloads_divides_by_nothing():
    """The guide's own words for it."""
    assert {
        "totalDownloads": 0,
        "successRate": "0%",
        "averageLatencyMs": "0",
        "failureCount": 0,
    } == NO_DOWNLOADS.guide_report()


def test_queue_has_an_age_only_while_something_is_open(book):
    """It is the time since the day's end, and no less than nothing."""
    measure_day(book, DayFigures("2026-03-02", 2, {"archived": 1, "pending": 1}), 3600.0)
    assert (3600.0, 1, 0, 50.0) == tuple(
        book.values()[name]
        for name in (
            "day_queue_age_seconds", "day_conversations.pending", "day_conversations.restricted",
            "day_completeness_percent",
        )
    )  # fmt: skip
    measure_day(book, DayFigures("2026-03-02", 1, {"archived": 1}), 3600.0)
    assert (0, 0) == (book.values()["day_queue_age_seconds"], book.values()["day_conversations.pending"])


def test_days_are_counted_by_what_they_wait_for(book):
    """Open ones wait for work, held ones for a person; none of either is a zero, not silence."""
    states = ("open", "held", "closed", "held", "provisional", "")
    measure_days(book, [DayFigures("2026-03-02", 1, state=state) for state in states])
    assert (1, 2) == (book.values()["days_open"], book.values()["days_held"])
    measure_days(book, [])
    assert (0, 0) == (book.values()["days_open"], book.values()["days_held"])


def test_word_of_the_source_becomes_no_name(book):
    """Only classes of ours can stand behind the dot."""
    with pytest.raises(ValueError, match="not a valid Outcome"):
        measure_recordings(book, {"../../etc": 1})


def test_silence_takes_everything():
    """Without a receiver nothing changes."""
    measured_everything(SILENT)
