"""The metrics of a real night, as a StatsD receiver sees them arrive from workers and triggerer."""

from __future__ import annotations

from datetime import date

import pytest

from include.audit.metrics import METRICS, Kind
from tests.journeys.organisations import MONDAY

pytestmark = pytest.mark.journey
STATSD_TYPE = {Kind.COUNTER: "c", Kind.GAUGE: "g", Kind.TIMER: "ms"}


@pytest.fixture(scope="module")
def lines(monday, statsd):
    """What came until the first day was done; whatever else ran in the same stack is in it too."""
    assert "success" == monday.state
    return statsd.of_the_archive()


def test_every_line_is_a_declared_metric(lines):
    """Nothing is sent that the page does not explain, and each as the kind that it says."""
    kinds = {metric.name: STATSD_TYPE[metric.kind] for metric in METRICS}
    assert [] == [(name, kind) for name, _, kind in lines if kinds.get(name.split(".")[0]) != kind]


def test_day_and_downloads_arrive_with_the_counts_of_the_report(lines, journey):
    """The gauges are those of the report; each recording of the day was downloaded once."""
    report = journey.bucket.report(MONDAY)
    gauges = {(name, value) for name, value, kind in lines if kind == "g"}
    expected = {(f"day_conversations.{name}", float(count)) for name, count in report["conversations"].items()}
    assert {("day_expected", float(report["expected"])), ("day_bytes", float(report["bytes"])), *expected} <= gauges
    parts = len(journey.organisations["ordinary"].truth(date.fromisoformat(MONDAY)).archived_parts())
    assert parts <= sum(value for name, value, _ in lines if name == "downloads")
    assert sum(value for name, value, _ in lines if name == "download_bytes") >= report["bytes"]


def test_triggerer_reports_its_polls(lines):
    """Waiting holds no worker, and what it asks is counted all the same."""
    assert {"api_calls", "api_wait", "jobs_wait"} <= {name for name, _, _ in lines}
    assert 1.0 in [value for name, value, _ in lines if name == "api_calls"]


def test_numbers_of_the_guide_are_those_of_the_run(monday):
    """They stand in the log and in XCom, of the last try: one after a clear has nothing left to download."""
    report = monday.xcoms()["reconcile_day", -1, "downloads"]
    assert {"totalDownloads", "successRate", "averageLatencyMs", "failureCount"} == report.keys()
    assert "Downloads of this run" in monday.log("reconcile_day")
