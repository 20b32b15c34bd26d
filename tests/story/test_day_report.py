"""A day's reports in a real bucket: written once, from what is there, with the days before in the picture."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from include.audit.figures import DayFigures, Latency
from include.canonical import canonical_json
from include.lake.commit import read_head
from include.lake.layout import report_key
from include.lake.store import JSON_TYPE
from include.outcome import Outcome
from include.transfer.custody import seconds_to_archive
from include.transfer.day import commit_day, reconcile_day
from include.transfer.day_report import (
    CHART,
    FIGURES,
    MEDIA_TYPES,
    PAGE,
    REPORT,
    day_figures,
    earlier_figures,
    write_reports,
)
from include.transfer.day_state import present_state
from tests.story.day_ends import Analytics, plan, settle
from tests.story.desk import ORG
from tests.story.night import DAY, night

BEFORE = str(DAY.date - timedelta(days=1))


def listing(lake):
    """Return every object below reports/ with the moment of its last write."""
    pages = lake._client.list_objects_v2(Bucket=lake.location.bucket, Prefix=f"{lake.location.prefix}/reports/")
    return [(entry["Key"], entry["LastModified"]) for entry in pages["Contents"]]


def figures_of(lake, day):
    """Return a day's figures as the lake holds them."""
    return json.loads(lake.read(report_key(day, FIGURES)))


def test_reports_are_written_once_and_a_second_look_writes_nothing(lake, tmp_path):
    """Four files of their kinds; the second reconciliation leaves every one of them as it is."""
    with night(lake, tmp_path, conversations=12) as one:
        planned, state = one.run()
        before = listing(lake)
        assert {report_key(str(DAY), name) for name in MEDIA_TYPES} == {*lake.list_keys("reports/")}
        reconcile_day(lake, one.box.org_id, DAY, [planned.plan_key])
        assert before == listing(lake)
        figures = figures_of(lake, str(DAY))
        summary = state.summary()
        assert (summary["expected"], summary["conversations"], summary["bytes"]) == (
            figures["expected"], figures["conversations"], figures["bytes"],
        )  # fmt: skip
        # A call that ended after the archive's clock is left out, never guessed.
        told = [
            seconds_to_archive(lake.read(key)) for key in lake.list_keys("media/") if key.endswith(".metadata.json")
        ]
        assert Latency.of(seconds for seconds in told if seconds is not None) == DayFigures.from_json(figures).latency
        commit = read_head(lake, one.box.org_id, DAY)
        lake.put_latest(report_key(BEFORE, FIGURES), canonical_json(DayFigures(BEFORE, 5).to_json()), JSON_TYPE)
        picture = lake.read(report_key(str(DAY), CHART))
        write_reports(lake, commit, present_state(lake, commit))
        assert picture != lake.read(report_key(str(DAY), CHART))


def test_rows_that_name_no_conversation_are_said(lake):
    """Who reads that a day is complete reads beside it that analytics said more than anybody can ask for."""
    planned = plan(lake, Analytics([1]))
    settle(lake, Outcome.ARCHIVED, 1)
    commit_day(lake, ORG, DAY, [planned.plan_key])
    reconcile_day(lake, ORG, DAY, [planned.plan_key])
    report, page = (lake.read(report_key(str(DAY), name)) for name in (REPORT, PAGE))
    assert (1, 1) == (json.loads(report)["unreadable"], day_figures(lake, str(DAY)).unreadable)
    assert b"Rows of analytics that name no conversation: 1." in page
    assert ["f" * 64] == json.loads(lake.read(planned.plan_key))["unreadable"]


def test_spoiled_and_strange_figures_are_left_out(lake):
    """A view that somebody damaged, or that speaks of another day, is no day of the picture."""
    days = [str(DAY.date - timedelta(days=back)) for back in (1, 2, 3, 29, 30)]
    bodies = [canonical_json(DayFigures(day, 5).to_json()) for day in days]
    bodies[1] = b"{}"
    bodies[2] = bodies[0]
    for day, body in zip(days, bodies, strict=True):
        lake.put_latest(report_key(day, FIGURES), body, JSON_TYPE)
    assert [days[3], days[0]] == [found.date for found in earlier_figures(lake, str(DAY))]


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b"[]",
        b"{}",
        b'{"conversation":{"end":null},"source":{"acquired_at":"2026-03-03T00:00:00+00:00"}}',
        b'{"conversation":{"end":"2026-03-03T00:00:01Z"},"source":{"acquired_at":"2026-03-03T00:00:00+00:00"}}',
        b'{"conversation":{"end":"2026-03-02T00:00:01"},"source":{"acquired_at":"2026-03-03T00:00:00+00:00"}}',
    ],
    ids=["absent", "empty", "list", "no facts", "still open", "before its end", "no zone"],
)
def test_latency_that_is_not_known_is_not_guessed(body):
    """Without both moments, or against the clock, a recording does not count."""
    assert seconds_to_archive(body) is None
