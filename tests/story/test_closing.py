"""The day's judgement in the lake: provisional, held, accepted, closed, and never twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from include.audit.standing import Baseline
from include.canonical import canonical_json, read_document
from include.lake.commit import DayContents, first_commit, read_head
from include.lake.layout import commit_key
from include.lake.plan import DayPlan
from include.local_day import LocalDay
from include.outcome import Outcome
from include.settings import ArchiveSettings
from include.transfer.closing import ClosingRules, _trailing, audit_rules, nightly_rules
from include.transfer.day import commit_day, reconcile_day
from include.transfer.metadata import NATIVE_EXPORT, SINGLE
from tests.story.day_ends import Analytics, plan, settle
from tests.story.desk import ORG, conversation
from tests.story.night import DAY, ZONE, everything_in, remove

NIGHTLY = ClosingRules(Baseline(conversations_min=2))
AUDIT = replace(NIGHTLY, is_audit=True)
LAST_AUDIT = replace(AUDIT, window_over=True)


def archived_day(lake, *numbers):
    """Archive these conversations of the day and return the plan's key."""
    key = plan(lake, Analytics(list(numbers))).plan_key
    if numbers:
        settle(lake, Outcome.ARCHIVED, *numbers)
    return key


def earlier_weeks(lake, *counts, **summary):
    """Commit the same weekday of the weeks before, the nearest first."""
    for number, count in enumerate(counts, 1):
        day = LocalDay(DAY.date - timedelta(weeks=number), ZONE)
        commit = first_commit(ORG, day, DayContents()).with_items([], {"expected": count, **summary})
        lake.put_document(commit.key, commit.body())


def stage_of(lake):
    """Return the stage that the day's newest commit names."""
    return read_head(lake, ORG, DAY).summary["state"]


def test_complete_day_is_provisional_until_an_audit_finds_the_window_over(lake):
    """The night leaves it provisional; the audit of a later week writes the commit that closes it, once."""
    key = archived_day(lake, 1)
    commit_day(lake, ORG, DAY, [key], NIGHTLY)
    commit_day(lake, ORG, DAY, [key], AUDIT)
    assert ("provisional", 1) == (stage_of(lake), read_head(lake, ORG, DAY).version)
    closed, state = commit_day(lake, ORG, DAY, [key], LAST_AUDIT)
    assert ("closed", 2, True) == (stage_of(lake), closed.version, state.standing.window_over)
    before = everything_in(lake)
    for rules in (LAST_AUDIT, AUDIT, NIGHTLY):
        commit_day(lake, ORG, DAY, [key], rules)
    assert before == everything_in(lake)


def test_closing_commit_repeats_evidence_and_chains(lake):
    """It names the commit before it, the same plans, the same manifests, and only the judgement is new."""
    key = archived_day(lake, 1)
    first, _ = commit_day(lake, ORG, DAY, [key], NIGHTLY)
    second, _ = commit_day(lake, ORG, DAY, [key], LAST_AUDIT)
    assert (first.plans, first.manifests, lake.head(first.key).sha256) == (
        second.plans, second.manifests, second.previous_sha256,
    )  # fmt: skip
    assert {"state": "closed", "window_over": True} == {
        name: value for name, value in second.summary.items() if first.summary.get(name) != value
    }


def test_open_day_is_not_closed_by_time(lake):
    """With something pending the window may be over as long as it likes; the night that heals the day closes it."""
    key = plan(lake, Analytics([1])).plan_key
    settle(lake, Outcome.PENDING, 1)
    commit_day(lake, ORG, DAY, [key], LAST_AUDIT)
    assert "open" == stage_of(lake)
    settle(lake, Outcome.ARCHIVED, 1)
    commit_day(lake, ORG, DAY, [key], NIGHTLY)
    assert "closed" == stage_of(lake)


def test_new_evidence_opens_a_closed_day(lake):
    """Closed says that nobody looks any more by itself, not that a late recording is unwelcome."""
    key = archived_day(lake, 1)
    commit_day(lake, ORG, DAY, [key], LAST_AUDIT)
    later = plan(lake, Analytics([1, 2])).plan_key
    commit_day(lake, ORG, DAY, [later], NIGHTLY)
    assert "open" == stage_of(lake)


def test_suspiciously_empty_day_is_held_with_a_sentence(lake):
    """A day far below its own weekday is complete, yet neither provisional nor closed, and says why."""
    earlier_weeks(lake, 300, 310, 290)
    key = archived_day(lake)
    state, words = reconcile_day(lake, ORG, DAY, [key], NIGHTLY)
    reconcile_day(lake, ORG, DAY, [key], LAST_AUDIT)
    assert (True, "held") == (state.is_complete, stage_of(lake))
    assert f"{DAY} is held, not closed: analytics names 0 conversations, and 300 on median" in words


@pytest.mark.parametrize("way", [SINGLE, NATIVE_EXPORT])
def test_weeks_that_nobody_measured_are_not_compared_with(lake, way):
    """One call fetched alone, or what an export happened to bring, says nothing of how many calls a week has."""
    earlier_weeks(lake, 300, 310, 290)
    unmeasured = [DayPlan(ORG, LocalDay(DAY.date - timedelta(weeks=4), ZONE), (conversation(1),), named_by=way)]
    commit_plans(lake, unmeasured[0].day, 1, *unmeasured)
    assert [300, 310, 290] == _trailing(lake, ORG, DAY, 4)
    asked = replace(unmeasured[0], named_by="", planned_for=SINGLE)
    commit_plans(lake, asked.day, 2, *unmeasured, asked)
    assert [300, 310, 290, 2] == _trailing(lake, ORG, DAY, 4)


def test_weeks_that_nobody_measured_hide_no_empty_day(lake):
    """Three weeks of one call each beside a week of 300 would make one call the custom."""
    earlier_weeks(lake, 300, 310, 290)
    for weeks in (4, 5, 6):
        day = LocalDay(DAY.date - timedelta(weeks=weeks), ZONE)
        commit_plans(lake, day, 1, DayPlan(ORG, day, (conversation(1),), named_by=SINGLE))
    rules = replace(NIGHTLY, baseline=replace(NIGHTLY.baseline, weeks=6))
    commit_day(lake, ORG, DAY, [archived_day(lake)], rules)
    assert "300 on median of the same weekday in the 3 weeks" in read_head(lake, ORG, DAY).summary["held"]


def commit_plans(lake, day, count, *plans):
    """Commit a day that expects so many conversations by these plans."""
    for plan_ in plans:
        lake.put_document(plan_.key, plan_.body())
    contents, head = DayContents(plans=tuple(plan_.key for plan_ in plans)), read_head(lake, ORG, day)
    commit = head.following(contents) if head else first_commit(ORG, day, contents)
    commit = commit.with_items([], {"expected": count})
    lake.put_document(commit.key, commit.body())


def test_held_day_is_released_by_a_person(lake):
    """What somebody accepts is in the commit, and stays accepted."""
    earlier_weeks(lake, 300, 310, 290)
    key = archived_day(lake)
    commit_day(lake, ORG, DAY, [key], NIGHTLY)
    accepted, _ = commit_day(lake, ORG, DAY, [key], replace(AUDIT, accept_empty=True))
    assert (True, "provisional") == (accepted.summary["accepted_empty"], accepted.summary["state"])
    assert "closed" == commit_day(lake, ORG, DAY, [key], LAST_AUDIT)[0].summary["state"]


def test_held_day_is_released_by_later_evidence(lake):
    """When analytics names the calls after all, the doubt is gone without anybody's word."""
    earlier_weeks(lake, 30, 31, 29)
    commit_day(lake, ORG, DAY, [archived_day(lake)], NIGHTLY)
    assert "held" == stage_of(lake)
    commit_day(lake, ORG, DAY, [archived_day(lake, *range(1, 9))], NIGHTLY)
    assert "provisional" == stage_of(lake)


def test_accepting_says_nothing_about_a_day_without_a_doubt(lake):
    """An audit of several days that accepts one leaves no word on the others."""
    key = archived_day(lake, 1)
    commit_day(lake, ORG, DAY, [key], NIGHTLY)
    commit_day(lake, ORG, DAY, [key], replace(AUDIT, accept_empty=True))
    assert 1 == read_head(lake, ORG, DAY).version


def test_held_weeks_do_not_become_the_custom(lake):
    """Weeks that were doubted themselves are not compared with."""
    earlier_weeks(lake, 0, 0, 0, 0, state="held")
    for number in (5, 6, 7):
        day = LocalDay(DAY.date - timedelta(weeks=number), ZONE)
        commit = first_commit(ORG, day, DayContents()).with_items([], {"expected": 300})
        lake.put_document(commit.key, commit.body())
    commit_day(lake, ORG, DAY, [archived_day(lake)], ClosingRules(Baseline(weeks=7)))
    assert "held" == stage_of(lake)


def test_broken_source_is_not_believed_in_its_fourth_week(lake):
    """Weeks that were doubted, complete or not, make room for those before them; accepted ones teach."""
    for week in range(1, 8):
        day = LocalDay(DAY.date - timedelta(weeks=week), ZONE)
        summary = {"expected": 300} if week > 3 else {"expected": 0, "held": "few", "state": "open"}
        commit = first_commit(ORG, day, DayContents()).with_items([], summary)
        lake.put_document(commit.key, commit.body())
    commit_day(lake, ORG, DAY, [archived_day(lake)], ClosingRules())
    assert "held" == stage_of(lake)


def test_weeks_that_cannot_be_read_release_no_day(lake):
    """What held a day is not forgotten because what it was compared with was damaged since."""
    earlier_weeks(lake, 300, 310, 290)
    key = archived_day(lake)
    commit_day(lake, ORG, DAY, [key], NIGHTLY)
    lake.put_latest(commit_key(str(LocalDay(DAY.date - timedelta(weeks=2), ZONE)), 1), b"{}", "application/json")
    commit_day(lake, ORG, DAY, [key], LAST_AUDIT)
    assert "held" == stage_of(lake)


def test_day_that_lost_a_recording_is_not_closed(lake):
    """The manifests call it archived, the bucket has it no more: the audit that finds that out closes nothing."""
    key = archived_day(lake, 1)
    commit_day(lake, ORG, DAY, [key], NIGHTLY)
    lost = next(iter(lake.list_keys("media/")))
    remove(lake, lost)
    commit_day(lake, ORG, DAY, [key], LAST_AUDIT)
    assert "provisional" == stage_of(lake)
    lake.put_document(lost, b"{}\n")
    commit_day(lake, ORG, DAY, [key], LAST_AUDIT)
    assert "closed" == stage_of(lake)


@pytest.mark.parametrize("summary", [None, [], {"expected": "many"}])
def test_damaged_week_does_not_keep_a_day_from_being_committed(lake, summary):
    """An altered commit of another day is that day's trouble, however it was altered."""
    earlier_weeks(lake, 300, 310, 290)
    damaged = commit_key(str(LocalDay(DAY.date - timedelta(weeks=2), ZONE)), 1)
    body = {} if summary is None else {**read_document(lake.read(damaged)), "summary": summary}
    lake.put_latest(damaged, canonical_json(body), "application/json")
    commit_day(lake, ORG, DAY, [archived_day(lake)], NIGHTLY)
    assert "provisional" == stage_of(lake)


@pytest.mark.parametrize(("days", "is_over"), [(1, False), (29, False), (30, True), (400, True)])
def test_window_is_counted_in_local_days(lake, days, is_over):
    """The window is over when the organisation's calendar says so."""
    settings = ArchiveSettings(lake=lake.location, timezone=ZONE)
    local_night = datetime.combine(DAY.date + timedelta(days=days), time(0, 30), ZONE)
    rules = audit_rules(settings, DAY, local_night.astimezone(UTC), accept_empty=False, not_looked_up=0)
    assert (True, is_over) == (rules.is_audit, rules.window_over)


def test_day_that_was_not_looked_at_as_a_whole_is_held_and_says_so(lake):
    """The window is over, some conversations were beyond the bound: held by name, until an audit has seen them all."""
    key = archived_day(lake, 1)
    commit_day(lake, ORG, DAY, [key], NIGHTLY)
    commit_day(lake, ORG, DAY, [key], replace(AUDIT, not_looked_up=3))
    assert ("provisional", 1) == (stage_of(lake), read_head(lake, ORG, DAY).version)
    state, words = reconcile_day(lake, ORG, DAY, [key], replace(LAST_AUDIT, not_looked_up=3))
    assert (True, "held", False) == (state.is_complete, stage_of(lake), state.standing.window_over)
    assert f"{DAY} is held, not closed: not_looked_up: 3 conversations were not looked at again" in words
    before = everything_in(lake)
    for rules in (replace(LAST_AUDIT, not_looked_up=3), NIGHTLY, AUDIT):
        reconcile_day(lake, ORG, DAY, [key], rules)
    assert before == everything_in(lake)
    commit_day(lake, ORG, DAY, [key], LAST_AUDIT)
    head = read_head(lake, ORG, DAY)
    assert ("closed", False) == (stage_of(lake), "not_looked_up" in head.summary)
    commit_day(lake, ORG, DAY, [key], replace(LAST_AUDIT, not_looked_up=3))
    assert head.version == read_head(lake, ORG, DAY).version


def test_audit_without_a_second_look_closes_nothing(lake):
    """A run with only_failed has not looked, however old the day is."""
    settings = ArchiveSettings(lake=lake.location, timezone=ZONE)
    late = datetime.combine(DAY.date + timedelta(days=60), time(7), ZONE)
    rules = audit_rules(settings, DAY, late, accept_empty=False, not_looked_up=None)
    assert (True, False, 0) == (rules.is_audit, rules.window_over, rules.not_looked_up)
    assert 5 == audit_rules(settings, DAY, late, accept_empty=False, not_looked_up=5).not_looked_up


def test_day_that_was_not_looked_at_still_teaches_what_is_usual(lake):
    """Its count is not in doubt, only its latecomers."""
    earlier_weeks(lake, 300, 310, 290, state="held", not_looked_up=7)
    commit_day(lake, ORG, DAY, [archived_day(lake)], NIGHTLY)
    assert "held" == stage_of(lake)


def test_night_closes_nothing(lake):
    """The nightly rules hold days, by the settings' numbers."""
    settings = ArchiveSettings(lake=lake.location, timezone=ZONE, baseline_weeks_min=2, baseline_share_min=0.5)
    assert ClosingRules(Baseline(weeks_min=2, share_min=0.5)) == nightly_rules(settings)
