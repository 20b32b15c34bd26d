"""Calendar days of the organisation: their bounds tile time in every zone, and only closed days are asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import ConfigurationError
from include.local_day import LocalDay, date_named, requested_days

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 1, 10, 0, 30, tzinfo=BERLIN)
TICK = timedelta(microseconds=1)
FIRST, LAST = date(2018, 1, 1), date(2027, 12, 31)
MIDNIGHTS = [datetime.combine(FIRST + timedelta(days=number), time.min, UTC) for number in range(3653)]


def asked(start=None, end=None, *, now=NOW, zone=BERLIN, days_max=31):
    """Return the days asked for, as text."""
    return [str(day) for day in requested_days(start, end, now=now, zone=zone, days_max=days_max)]


def changing_days(zone):
    """Return the dates, and the dates around them, on which the zone's clocks change in these ten years."""
    # A zone reads the fields of whatever it is given: one list of midnights serves six hundred zones in a second.
    offsets = [zone.utcoffset(midnight) for midnight in MIDNIGHTS]
    changes = (number for number, pair in enumerate(pairwise(offsets), 1) if pair[0] != pair[1])
    return {FIRST + timedelta(days=number + shift) for number in changes for shift in (-2, -1, 0, 1)}


def test_days_tile_time_in_every_zone():
    """No instant belongs to two days or to none, and each day's first and last instant carry its date."""
    wrong, changes = [], 0
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        days = changing_days(zone)
        changes += bool(days)
        for moment in sorted(days | {FIRST, LAST}):
            day, following = LocalDay(moment, zone), LocalDay(moment + timedelta(days=1), zone)
            last = (day.end - TICK).astimezone(zone).date()
            if day.end != following.start or (day.start.astimezone(zone).date(), last) != (moment, moment):
                wrong.append((name, str(moment)))
    assert [] == wrong
    assert LAST + timedelta(days=1) == MIDNIGHTS[-1].date()
    assert changes > 200  # the rules of the zones were there to be tested


def test_day_that_a_zone_left_out_is_empty():
    """Samoa crossed the date line: its 30 December 2011 begins where it ends, and no instant is lost to it."""
    before, left_out, after = (
        LocalDay(date(2011, 12, 29) + timedelta(days=n), ZoneInfo("Pacific/Apia")) for n in range(3)
    )
    assert before.end == left_out.start == left_out.end == after.start


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Europe/Berlin", "2026-06-01", 24),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Africa/Cairo", "2026-04-24", 23),  # skips midnight itself
        ("Asia/Beirut", "2026-03-29", 23),
        ("America/Havana", "2026-11-01", 25),  # has its first hour twice
        ("Africa/Cairo", "2026-10-29", 25),  # has its last hour twice
        ("Asia/Kathmandu", "2026-01-01", 24),
        ("Pacific/Apia", "2011-12-30", 0),  # the day that Samoa left out
        ("UTC", "2026-01-01", 24),
    ],
)
def test_length_of_a_day(zone, day, hours):
    """23, 24 or 25 hours, by the clocks of the organisation."""
    assert hours == LocalDay.of(day, ZoneInfo(zone)).hours


def test_skipped_midnight_begins_the_day_at_the_change():
    """Cairo goes from 23:59:59 to 01:00: the day begins when the old offset ends."""
    day = LocalDay.of("2026-04-24", ZoneInfo("Africa/Cairo"))
    assert datetime(2026, 4, 23, 22, tzinfo=UTC) == day.start
    assert "2026-04-24T01:00:00+03:00" == day.start.astimezone(day.zone).isoformat()


def test_bounds_are_in_utc():
    """Genesys is asked in UTC."""
    day = LocalDay.of("2026-01-05", BERLIN)
    assert (datetime(2026, 1, 4, 23, tzinfo=UTC), datetime(2026, 1, 5, 23, tzinfo=UTC)) == (day.start, day.end)
    assert (UTC, UTC) == (day.start.tzinfo, day.end.tzinfo)


@given(st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
def test_every_instant_is_in_the_day_of_its_local_date(instant):
    """The rule that assigns a conversation: its start, on the organisation's clock."""
    day = LocalDay(instant.astimezone(BERLIN).date(), BERLIN)
    assert day.start <= instant < day.end


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, ["2026-01-09"]),
        ("", "", ["2026-01-09"]),
        ("2026-01-05", None, ["2026-01-05"]),
        (None, "2026-01-05", ["2026-01-05"]),
        ("2026-01-05", "2026-01-05", ["2026-01-05"]),
        ("2025-12-31", "2026-01-02", ["2025-12-31", "2026-01-01", "2026-01-02"]),
        ("2026-01-09", "2026-01-09", ["2026-01-09"]),
        (date(2026, 1, 5), None, ["2026-01-05"]),
    ],
)
def test_closed_days_are_taken(start, end, expected):
    """Both ends included; yesterday where nothing is said; one end alone is one day."""
    assert expected == asked(start, end)


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        ("2026-01-06", "2026-01-05", "start_date 2026-01-06 is after end_date 2026-01-05."),
        ("0026-01-05", None, "start_date 0026-01-05 lies before 1970-01-01: is its year right?"),
        ("0001-01-01", None, "start_date 0001-01-01 lies before 1970-01-01: is its year right?"),
        (
            "2026-01-05",
            "2026-01-10",
            "end_date 2026-01-10 is today, which is not over yet: the last day that can be archived is 2026-01-09.",
        ),
        (
            "2026-01-10",
            None,
            "start_date 2026-01-10 is today, which is not over yet: the last day that can be archived is 2026-01-09.",
        ),
        (
            "2026-01-05",
            "2026-01-11",
            "end_date 2026-01-11 lies in the future: the last day that can be archived is 2026-01-09.",
        ),
        (
            "2026-02-01",
            "",
            "start_date 2026-02-01 lies in the future: the last day that can be archived is 2026-01-09.",
        ),
        (
            "2025-12-01",
            "2026-01-05",
            "2025-12-01 to 2026-01-05 are 36 days; one run takes at most 31. Use an Airflow backfill for more.",
        ),
        ("yesterday", None, "start_date must be a date like 2026-01-31, not 'yesterday'."),
        ("2026-01-05", "tomorrow", "end_date must be a date like 2026-01-31, not 'tomorrow'."),
        ("20260105", None, "start_date must be a date like 2026-01-31, not '20260105'."),
        ("2026-W02-1", None, "start_date must be a date like 2026-01-31, not '2026-W02-1'."),
        ("2026-1-5", None, "start_date must be a date like 2026-01-31, not '2026-1-5'."),
        ("2026-02-30", None, "start_date must be a date like 2026-01-31, not '2026-02-30'."),
        ("2026-01-05T00:00:00", None, "start_date must be a date like 2026-01-31, not '2026-01-05T00:00:00'."),
        (" 2026-01-05", None, "start_date must be a date like 2026-01-31, not ' 2026-01-05'."),
        ("\u0662026-01-05", None, "start_date must be a date like 2026-01-31, not '\u0662026-01-05'."),
        (5, None, "start_date must be a date like 2026-01-31, not 5."),
    ],
)
def test_what_cannot_be_archived_is_refused_with_its_reason(start, end, sentence):
    """The person who filled in the form reads which field to change, and to what."""
    with pytest.raises(ConfigurationError) as caught:
        asked(start, end)
    assert sentence == str(caught.value)


def test_day_that_a_zone_left_out_is_asked_for_by_nobody():
    """Its neighbours are taken in their order; alone it is refused with the reason."""
    apia, later = ZoneInfo("Pacific/Apia"), datetime(2012, 1, 10, tzinfo=UTC)
    assert ["2011-12-29", "2011-12-31"] == asked("2011-12-29", "2011-12-31", now=later, zone=apia)
    with pytest.raises(ConfigurationError) as caught:
        asked("2011-12-30", now=later, zone=apia)
    assert "2011-12-30 was left out of the calendar in Pacific/Apia: there is nothing of it." == str(caught.value)


def test_most_days_that_one_run_takes_are_taken():
    """The limit itself is allowed."""
    assert 31 == len(asked("2025-12-10", "2026-01-09"))


def test_today_is_the_organisations():
    """Half past midnight in Berlin is still yesterday in New York, and already the day over in Tokyo."""
    assert ["2026-01-08"] == asked(zone=ZoneInfo("America/New_York"))
    assert ["2026-01-09"] == asked(zone=ZoneInfo("Asia/Tokyo"))


@given(st.dates(date(2000, 1, 1), date(2030, 1, 1)))
def test_date_is_read_as_it_is_written(value):
    """A day prints as it is typed."""
    assert value == date_named(str(value), "x")
    assert str(value) == str(LocalDay.of(str(value), BERLIN))


@given(st.text(max_size=12))
def test_any_other_text_is_refused_or_a_date(text):
    """Nothing but ConfigurationError ever comes of a wrong word in the form."""
    try:
        assert text == date_named(text, "x").isoformat()
    except ConfigurationError as error:
        assert "x must be a date" in str(error)  # noqa: PT017 - either end is right
