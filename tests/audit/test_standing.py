"""How far a day is, and when its number of conversations is not believed."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.audit import standing
from include.audit.reconcile import DayState, fold
from include.audit.report import sentence
from include.audit.standing import Baseline, Stage, Standing
from include.outcome import ItemRecord, Outcome

OVER = Standing(window_over=True)
HELD = Standing("analytics names 2 conversations, and 300 on median")
DONE = fold(["a"], [[[ItemRecord("a", "r", 0, Outcome.ARCHIVED)]]]).items
OPEN = fold(["a"], []).items


@pytest.mark.parametrize(
    ("items", "judgement", "expected"),
    [
        (OPEN, Standing(), Stage.OPEN),
        (OPEN, OVER, Stage.OPEN),
        (OPEN, HELD, Stage.OPEN),
        (DONE, Standing(), Stage.PROVISIONAL),
        (DONE, OVER, Stage.CLOSED),
        (DONE, HELD, Stage.HELD),
        (DONE, Standing(HELD.held, window_over=True), Stage.HELD),
        (DONE, Standing(HELD.held, accepted_empty=True), Stage.PROVISIONAL),
        (DONE, Standing(HELD.held, accepted_empty=True, window_over=True), Stage.CLOSED),
    ],
)
def test_stage_of_a_day(items, judgement, expected):
    """Open work keeps a day open, a doubt holds it, and only then does time close it."""
    assert expected == DayState(items, judgement).stage


@given(st.builds(Standing, st.sampled_from(["", "few"]), st.booleans(), st.booleans()))
def test_summary_remembers_the_judgement(judgement):
    """What a commit's summary says is read back as it was, and an older summary as nothing."""
    summary = DayState(DONE, judgement).summary()
    assert judgement == Standing.of_summary(summary)
    assert Standing() == Standing.of_summary({"expected": 3, "complete": True})


@pytest.mark.parametrize(
    ("count", "trailing", "is_doubted"),
    [
        (0, [300, 310, 290, 305], True),
        (29, [300, 310, 290, 305], True),
        (31, [300, 310, 290, 305], False),
        (0, [300, 310], False),
        (0, [], False),
        (0, [19, 19, 19], False),
        (0, [20, 20, 20], True),
        (9, [100, 0, 100], True),
        (0, [100, 0, 0, 0], False),
    ],
    ids=[
        "nothing at all",
        "hardly anything",
        "a quiet day",
        "too little history",
        "none",
        "too few calls to tell",
        "just enough to tell",
        "one holiday among them",
        "mostly holidays",
    ],
)
def test_doubt(count, trailing, is_doubted):
    """Only a day far below its own weekday is doubted, and only where enough is known."""
    assert is_doubted == bool(Baseline().doubt(count, trailing))


def test_sentences_of_the_stages():
    """A held day says why, a closed one that it is closed, an empty one that nobody is named."""
    assert f"D is held, not closed: {HELD.held}." == sentence("D", DayState(DONE, HELD))
    assert "D is complete and closed: 1 of 1 conversations archived" in sentence("D", DayState(DONE, OVER))
    assert "D is complete and closed: analytics names no conversation" in sentence("D", DayState({}, OVER))


def test_examples():
    """The examples beside the rules hold."""
    assert 0 == doctest.testmod(standing).failed
