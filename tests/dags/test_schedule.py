"""The nightly schedule: every local day exactly once, as the day before, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import structlog
from airflow.timetables.base import TimeRestriction
from airflow.timetables.trigger import CronPartitionTimetable

ONE_DAY = timedelta(days=1)
CLOCK_CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("America/Sao_Paulo", date(2018, 11, 4)),  # midnight itself is skipped
    ("America/Sao_Paulo", date(2019, 2, 17)),
    ("Asia/Kolkata", date(2026, 3, 29)),
    ("Asia/Beirut", date(2026, 3, 29)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Pacific/Auckland", date(2026, 9, 27)),
    ("UTC", date(2026, 1, 1)),
]


@pytest.fixture(autouse=True)
def _quiet():
    """The timetable logs each step of its arithmetic."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


@pytest.fixture
def timetable_in(daily):
    """Build the daily DAG's timetable for another time zone."""
    schedule = daily.timetable

    def build(zone):
        return CronPartitionTimetable(
            schedule.expression, timezone=zone, run_offset=schedule.run_offset, key_format=schedule.key_format
        )

    return build


def runs_around(timetable, day, count=9):
    """Return the runs that the scheduler would make from four days before to four days after a day."""
    start = datetime.combine(day - 4 * ONE_DAY, datetime.min.time(), UTC) + timedelta(hours=12)
    restriction = TimeRestriction(earliest=start, latest=None, catchup=True)
    runs = []
    for _ in range(count):
        runs.append(timetable.next_dagrun_info_v2(last_dagrun_info=runs[-1] if runs else None, restriction=restriction))
    return runs


@pytest.mark.parametrize(("zone", "day"), CLOCK_CHANGES, ids=[f"{zone}-{day}" for zone, day in CLOCK_CHANGES])
def test_each_night_asks_for_the_day_before(timetable_in, zone, day):
    """The key is the local date before the run's, also on the night the clocks change."""
    runs = runs_around(timetable_in(zone), day)
    nights = [run.run_after.astimezone(ZoneInfo(zone)).date() for run in runs]
    assert [str(night - ONE_DAY) for night in nights] == [run.partition_key for run in runs]


@pytest.mark.parametrize(("zone", "day"), CLOCK_CHANGES, ids=[f"{zone}-{day}" for zone, day in CLOCK_CHANGES])
def test_no_day_is_left_out_or_asked_for_twice(timetable_in, zone, day):
    """The keys of consecutive nights are consecutive dates."""
    keys = [date.fromisoformat(run.partition_key) for run in runs_around(timetable_in(zone), day)]
    assert [keys[0] + number * ONE_DAY for number in range(len(keys))] == keys


def test_backfill_makes_one_run_a_day(timetable_in):
    """A backfill over the days the clocks change has each of them as a key."""
    infos = timetable_in("Europe/Berlin").iter_partition_dagrun_infos(
        earliest=datetime(2026, 3, 28, tzinfo=UTC), latest=datetime(2026, 3, 31, tzinfo=UTC)
    )
    assert ["2026-03-28", "2026-03-29", "2026-03-30"] == [info.partition_key for info in infos]


def test_hour_exists_in_every_time_zone(daily):
    """The hour of the schedule is skipped by no zone's clock change in these ten years."""
    minute, hour, *_ = daily.timetable.expression.split()
    skipping = set()
    for zone in map(ZoneInfo, ("Europe/Berlin", "America/New_York", "Asia/Beirut", "Africa/Cairo", "Europe/Sofia")):
        for number in range(3653):
            local = datetime.combine(date(2020, 1, 1) + number * ONE_DAY, datetime.min.time(), zone)
            local = local.replace(hour=int(hour), minute=int(minute))
            if local.astimezone(UTC).astimezone(zone).hour != local.hour:
                skipping.add(zone.key)
    assert set() == skipping
