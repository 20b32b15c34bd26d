"""The day itself: repeatable, plausible, and cheap at any size."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta

import pytest

from include.sandbox.config import SandboxConfig
from include.sandbox.conversations import day_bounds
from include.sandbox.scenario import SCENARIOS, Outcome
from include.sandbox.tenant import Tenant
from include.sandbox.truth import day_truth
from include.sandbox.wire import conversation_json
from tests.sandbox.conftest import DAY

SETTLED = {
    Outcome.ARCHIVED,
    Outcome.NO_RECORDING,
    Outcome.DELETED,
    Outcome.ARCHIVED_AT_SOURCE,
    Outcome.RESTRICTED,
    Outcome.NOT_SELECTED,
}


def tenant(**options):
    """Build a tenant of the day in Berlin."""
    return Tenant(SandboxConfig(**{"dates": (DAY,), "timezone": "Europe/Berlin", **options}))


def test_same_seed_gives_the_same_day_and_bytes():
    """Two tenants of one seed agree on every id, digest and size; another seed shares no id."""
    first, second = (day_truth(tenant(conversations=60), DAY) for _ in range(2))
    other = day_truth(tenant(conversations=60, seed=8), DAY)
    assert first == second
    ids = {conversation.conversation_id for conversation in first.conversations}
    assert not ids & {conversation.conversation_id for conversation in other.conversations}


def test_another_process_gives_the_same_bytes():
    """Digests do not depend on the process: hashes are not salted, encoders not random."""
    script = (
        "from tests.sandbox.test_tenant import *; t = day_truth(tenant(conversations=30), DAY);"
        "print(*[p.sha256 for c in t.conversations for p in c.parts])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - our interpreter
    truth = day_truth(tenant(conversations=30), DAY)
    expected = [str(part.sha256) for conversation in truth.conversations for part in conversation.parts]
    assert expected == done.stdout.split()


def test_order_of_questions_does_not_matter():
    """A day is the same whether its neighbours were made before it or not."""
    asked_first, asked_last = tenant(conversations=30), tenant(conversations=30)
    for day in (DAY - timedelta(days=1), DAY + timedelta(days=1)):
        asked_last.day(day)
    assert asked_first.day(DAY) == asked_last.day(DAY)


def test_no_two_recordings_share_their_bytes():
    """Every part that is served has bytes of its own, damaged ones aside that are empty."""
    truth = day_truth(tenant(conversations=400, scenario="rough"), DAY)
    digests = [part.sha256 for item in truth.conversations for part in item.parts if part.sha256 and part.size]
    assert len(digests) == len(set(digests)) > 300


@pytest.mark.parametrize("scenario", ["ordinary", "clean", "midnight"])
def test_settled_scenarios_leave_nothing_open(scenario):
    """A run over an ordinary, clean or midnight day can end complete: nothing pending, damaged or in error."""
    truth = day_truth(tenant(scenario=scenario), DAY)
    assert {part.outcome for item in truth.conversations for part in item.parts} <= {str(each) for each in SETTLED}
    assert truth.archived_parts()


def test_rough_has_one_of_everything():
    """A rough day holds every outcome there is."""
    truth = day_truth(tenant(scenario="rough"), DAY)
    assert {str(outcome) for outcome in Outcome} == {*truth.counts, *truth.part_counts}


def test_empty_day_is_empty():
    """Nobody called, on the day or beside it."""
    quiet = tenant(scenario="empty")
    assert [[], [], []] == [quiet.day(day) for day in quiet.dates]


def test_number_of_conversations_is_per_local_date():
    """A range of dates holds the asked number on each of them; the neighbours hold a few."""
    days = tuple(DAY + timedelta(days=step) for step in range(3))
    many = tenant(dates=days, conversations=50)
    assert [50, 50, 50] == [len(many.day(day)) for day in days]
    assert 0 < len(many.day(DAY - timedelta(days=1))) < 10


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (DAY, 24)],
    ids=["spring forward", "fall back", "plain"],
)
def test_conversations_start_within_their_local_day(day, hours):
    """Days of 23 and 25 hours are filled from first to last instant, and not beyond."""
    config = SandboxConfig(dates=(day,), timezone="Europe/Berlin", scenario="midnight", conversations=60)
    opening, closing = day_bounds(config, day)
    starts = [conversation.start for conversation in Tenant(config).day(day)]
    assert timedelta(hours=hours) == closing - opening
    assert opening == min(starts)
    assert closing - timedelta(milliseconds=1) == max(starts)


def test_some_calls_end_after_midnight():
    """An ordinary day has calls that start in it and end in the next, and calls that have not ended."""
    made = tenant()
    closing = day_bounds(made.config, DAY)[1]
    assert [item for item in made.day(DAY) if item.end and item.end > closing]
    assert [item for item in made.day(DAY) if item.end is None]


def test_wire_shape_follows_the_published_sample():
    """Recording sits on the customer's session, agents carry a userId but no name, and point at that session."""
    found = next(item for item in tenant().day(DAY) if item.profile == "transfer")
    participants = conversation_json(found)["participants"]
    customer = next(each for each in participants if each["purpose"] in {"customer", "external"})
    agents = [each for each in participants if each["purpose"] == "agent"]
    assert customer["sessions"][0]["recording"] is True
    assert len(agents) == 2
    assert all("participantName" not in agent and agent["userId"] for agent in agents)
    assert {customer["sessions"][0]["sessionId"]} == {agent["sessions"][0]["peerId"] for agent in agents}
    assert len({agent["sessions"][0]["segments"][0]["queueId"] for agent in agents}) == 2


def test_ten_thousand_conversations_take_seconds():
    """Ten thousand conversations are made in under five seconds of processor time, without any audio."""
    began = time.thread_time()
    assert len(tenant(conversations=10_000).day(DAY)) == 10_000
    assert time.thread_time() - began < 5


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_every_scenario_fits_a_handful_of_conversations(name):
    """A scenario with three conversations is possible, too."""
    small = tenant(scenario=name, conversations=3)
    assert len(small.day(DAY)) == (0 if name == "empty" else 3)


def test_times_are_aware():
    """Every start is an aware UTC time."""
    assert {UTC} == {item.start.tzinfo for item in tenant(conversations=5).day(DAY)}
    assert datetime.now(UTC).tzinfo


def test_config_refuses_what_it_does_not_know():
    """Unknown scenarios and contracts and impossible numbers are refused when the sandbox is set up."""
    for wrong in ({"scenario": "nope"}, {"contract": "nope"}, {"conversations": -1}, {"audio_seconds": (9, 3)}):
        with pytest.raises(ValueError, match=r"scenario|contract|conversations|audio_seconds"):
            SandboxConfig(**wrong)
