"""The row of events: nothing is lost, nothing overtakes within a recording, nobody waits for a poisoned one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from include.audit.delivery import BackOff, Delivery, Reply, Trouble, Waiting

START = datetime(2026, 3, 3, tzinfo=UTC)
RULES = BackOff()


@settings(max_examples=150, deadline=None)
@given(
    subjects=st.lists(st.sampled_from("abcd"), max_size=12),
    answers=st.lists(st.sampled_from(["", "", "http_503", "http_422", "unreachable"]), max_size=60),
    at_most=st.integers(1, 4),
    reloads=st.booleans(),
)
def test_everything_arrives_in_order_whatever_the_receiver_says(subjects, answers, at_most, reloads):
    """Any answers, then a healthy receiver: each event once, each recording's in order, through any saved state."""
    row, sent, now, said = Delivery(), [], START, iter(answers)
    for _ in range(500):
        positions = row.due(subjects, now, at_most)
        if not positions and row.is_finished(len(subjects)):
            break
        reason = next(said, "")
        if not positions:
            now += timedelta(hours=1)
        elif reason:
            row.fail(positions, Reply(reason), now, RULES)
        else:
            row.settle(positions)
            sent += positions
        if reloads:
            again = {position: Waiting.from_json(item.to_json()) for position, item in row.waiting.items()}
            row = Delivery(row.next, again, row.dead)
    assert list(range(len(subjects))) == sorted(sent)
    assert all(sent.index(one) < sent.index(two) for one, two in _pairs(subjects))


def _pairs(subjects):
    return [(a, b) for b in range(len(subjects)) for a in range(b) if subjects[a] == subjects[b]]


def test_back_off_doubles_up_to_an_hour_and_ends_after_a_week():
    """Each attempt waits twice as long as the one before; what failed for the time given is dead."""
    row, now, waits = Delivery(), START, []
    while not row.dead:
        assert [0] == row.due(["a"], now, 1)
        row.fail([0], Reply("http_500"), now, RULES)
        if row.waiting:
            waits.append((row.waiting[0].not_before - now).total_seconds())
            assert [] == row.due(["a"], now, 1)
            now = row.waiting[0].not_before
    assert [1, 2, 4, 8, 16] == waits[:5]
    assert 3600 == max(waits)
    assert timedelta(days=7) <= now - START <= timedelta(days=7, hours=1)
    assert row.is_finished(1)


def test_one_that_is_refused_goes_alone():
    """A batch that was refused is taken apart: the poisoned event cannot take the others with it for ever."""
    row = Delivery()
    row.fail(row.due(["a", "b", "c"], START, 3), Reply("http_422"), START, RULES)
    later = START + timedelta(hours=1)
    assert [0] == row.due(["a", "b", "c"], later, 3)
    row.fail([1, 2], Reply(Trouble.UNREACHABLE), START, RULES)
    row.settle([0])
    assert [1, 2] == row.due(["a", "b", "c"], later, 3)
