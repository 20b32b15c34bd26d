"""Which days an audit looks at: those it was asked for, or some days back, and none from before the archive."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from include.canonical import canonical_json, read_document
from include.errors import ConfigurationError
from include.lake.layout import UNKNOWN_CALL_DATE, commit_key
from include.local_day import ONE_DAY, LocalDay
from include.settings import ArchiveSettings
from include.transfer.audited import audited_days, look_of
from include.transfer.closing import ClosingRules
from include.transfer.day import commit_day
from tests.story.desk import ORG
from tests.story.night import DAY, ZONE
from tests.story.one_recording import single_plans
from tests.story.shelf import ScriptedSource

NOW = datetime(2026, 4, 2, 5, 0, tzinfo=UTC)
MARCH_13 = datetime(2026, 3, 13, 6, 0, tzinfo=UTC)
LOOKED_IN_VAIN = ClosingRules(is_audit=True, window_over=True, not_looked_up=3)


def days(lake, *, dates=("", ""), night="", offsets="[1, 3, 7, 30]", now=NOW, accept_empty=False):
    """Return the audited days as text."""
    settings = ArchiveSettings(lake=lake.location, timezone=ZONE)
    wanted = {"dates": dates, "night": night, "offsets": offsets, "accept_empty": accept_empty}
    return [str(day) for day in audited_days(lake, settings, ORG, now=now, **wanted)]


def test_offsets_reach_back_to_the_first_day_of_the_archive(lake):
    """Days before the first commit were never meant to be archived; later ones without a commit are gaps."""
    assert [] == days(lake)
    commit_day(lake, ORG, DAY, [])
    assert ["2026-03-03", "2026-03-26", "2026-03-30", "2026-04-01"] == days(lake)
    assert ["2026-03-02", "2026-04-01"] == days(lake, offsets="[31, 32, 1, 1]")


@pytest.mark.parametrize("stranger", ["commits/!", "commits/date=0000-00-00/v=00000001.json"])
def test_stranger_before_the_first_commit_does_not_empty_the_lake(lake, stranger):
    """One object that somebody put there must not make an audit skip everything, and be green."""
    commit_day(lake, ORG, DAY, [])
    lake.put_document(stranger, b"{}")
    assert ["2026-03-03", "2026-03-26", "2026-03-30", "2026-04-01"] == days(lake)


def test_media_of_an_unknown_call_is_no_first_day(lake):
    """Somebody fetched a recording by its id alone: that archives nothing from before the archive."""
    commit_day(lake, ORG, LocalDay.of(UNKNOWN_CALL_DATE, ZONE), [])
    assert [] == days(lake)
    commit_day(lake, ORG, DAY, [])
    assert ["2026-03-03", "2026-03-26", "2026-03-30", "2026-04-01"] == days(lake)
    assert ["2026-03-02", "2026-04-01"] == days(lake, offsets="[31, 32, 1, 1]")


def test_day_of_single_recordings_is_no_first_day(lake):
    """Somebody needed one recording of years ago: that archives nothing from before the archive either.

    Nor does a lake in which nothing else is make an audit begin the nights by itself.
    """
    for number, plan in enumerate(single_plans("2015-06-01"), start=1):
        lake.put_document(plan.key, plan.body())
        commit_day(lake, ORG, plan.day, [plan.key])
        assert [] == days(lake), number
    commit_day(lake, ORG, DAY, [])
    assert ["2026-03-03", "2026-03-26", "2026-03-30", "2026-04-01"] == days(lake)
    assert ["2026-03-02", "2026-04-01"] == days(lake, offsets="[31, 32, 1, 1]")


def test_day_of_which_plans_cannot_be_read_counts(lake):
    """A plan that somebody altered must not take days out of the audits."""
    plan = single_plans(str(DAY))[0]
    commit_day(lake, ORG, DAY, [])
    lake.put_document(plan.key, b"{}")
    assert ["2026-03-03", "2026-03-26", "2026-03-30", "2026-04-01"] == days(lake)


def test_cleared_run_looks_at_the_days_it_was_meant_for(lake):
    """The night of the schedule counts, not the clock of whoever clears the task weeks later."""
    commit_day(lake, ORG, DAY, [])
    for number in range(1, 8):
        commit_day(lake, ORG, LocalDay(DAY.date + number * ONE_DAY, ZONE), [])
    assert ["2026-03-03", "2026-03-07", "2026-03-09"] == days(lake, night="2026-03-09")


def test_days_of_an_outage_are_made_up_for(lake):
    """Airflow was away for ten nights: each scheduled morning takes some of them, the oldest first, beside its own."""
    commit_day(lake, ORG, DAY, [])
    assert 10 == len(days(lake, night="2026-03-12"))
    assert ["2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-07", "2026-03-08", "2026-03-09"] == days(
        lake, night="2026-03-12"
    )[:7]
    assert ["2026-03-06", "2026-03-10", "2026-03-12"] == days(lake, offsets="[1, 3, 7, 30]", now=MARCH_13)
    for number in range(1, 11):
        commit_day(lake, ORG, LocalDay(DAY.date + number * ONE_DAY, ZONE), [])
    assert ["2026-03-06", "2026-03-10", "2026-03-12"] == days(lake, night="2026-03-12")


def test_day_whose_window_ended_while_nobody_looked_is_looked_at(lake):
    """It would be provisional for ever; one that was closed, or looked at in vain, is not looked at again."""
    for number in range(37):
        commit_day(lake, ORG, LocalDay(DAY.date + number * ONE_DAY, ZONE), [])
    for number, rules in ((3, ClosingRules(is_audit=True, window_over=True)), (4, LOOKED_IN_VAIN)):
        commit_day(lake, ORG, LocalDay(DAY.date + number * ONE_DAY, ZONE), [], rules)
    night = str(DAY.date + 36 * ONE_DAY)
    missed = [str(DAY.date + number * ONE_DAY) for number in (0, 1, 2, 5, 6)]
    assert missed == days(lake, night=night)[:5]
    assert 5 + 4 == len(days(lake, night=night))


@pytest.mark.parametrize("summary", [[], {"not_looked_up": "some"}])
def test_altered_commit_stops_no_audit_of_other_days(lake, summary):
    """It would be red every morning for a week; the day's own runs name what was altered."""
    commit_day(lake, ORG, DAY, [])
    altered = commit_key(str(DAY), 1)
    lake.put_latest(
        altered, canonical_json({**read_document(lake.read(altered)), "summary": summary}), "application/json"
    )
    assert "2026-03-02" not in days(lake, night="2026-04-03", offsets="[1]")


def test_today_is_the_organisation_s(lake):
    """Half past eleven in the evening of UTC is tomorrow in Berlin."""
    commit_day(lake, ORG, DAY, [])
    late = datetime(2026, 4, 2, 23, 30, tzinfo=UTC)
    assert ["2026-04-02"] == days(lake, now=late, offsets="[1]")


def test_dates_by_hand_come_before_offsets(lake):
    """Days that somebody names are looked at whether or not the lake has them."""
    assert ["2026-02-27", "2026-02-28", "2026-03-01"] == days(lake, dates=("2026-02-27", "2026-03-01"))
    with pytest.raises(ConfigurationError, match="not over yet"):
        days(lake, dates=("2026-04-02", ""))


@pytest.mark.parametrize("offsets", ["", "[]", "[0]", "[-1]", "[1.5]", "[true]", '["1"]', "{}", "7", "[4000]", "[1"])
def test_offsets_that_are_none(lake, offsets):
    """The sentence names the field and shows how it is written."""
    with pytest.raises(ConfigurationError, match=r"offsets must be a list of days before today like \[1, 3, 7, 30\]"):
        days(lake, offsets=offsets)


def test_few_calls_are_accepted_of_named_days_only(lake):
    """A word about days that the offsets happen to reach is refused, and the sentence names the field to fill."""
    commit_day(lake, ORG, DAY, [])
    with pytest.raises(ConfigurationError, match="accept_empty needs start_date"):
        days(lake, accept_empty=True)
    assert ["2026-03-02"] == days(lake, dates=("2026-03-02", ""), accept_empty=True)


def test_how_closely(lake):
    """Only what failed: nothing settled is looked at; otherwise exclusions, and the rest on request."""
    settings = ArchiveSettings(lake=lake.location, audit_lookups_max=5)
    source = ScriptedSource()
    assert look_of(source, settings, only_failed=True, ask_each=True) is None
    looks = [look_of(source, settings, only_failed=False, ask_each=each) for each in (True, False)]
    assert [(5, True), (5, False)] == [(look.lookups_max, look.archived_too) for look in looks]
