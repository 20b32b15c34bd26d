"""A commit that nobody of ours made gets no seal of ours, and so no signature."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from include.audit.finding import FindingKind
from include.audit.journal import write_segment
from include.audit.judgement import Judgement
from include.audit.signature import JournalSigning
from include.audit.standing import Standing
from include.canonical import sha256_hex
from include.errors import IntegrityError
from include.lake import layout
from include.lake.commit import DayContents, JournalSegment, first_commit, read_head
from include.local_day import LocalDay
from include.outcome import Outcome
from include.secret import Secret
from include.transfer.closing import ClosingRules
from include.transfer.day import commit_day
from include.transfer.day_check import check_day
from include.transfer.day_journal import own_lines, own_run, seal_commit
from tests.story.day_ends import settle
from tests.story.desk import ORG
from tests.story.erased_day import ErasedDay
from tests.story.night import DAY, everything_in, remove

DATE = str(DAY)
KEY = JournalSigning(Secret("a secret of thirty-two bytes and more")).key()
OTHER = JournalSigning(Secret("another secret of more than thirty-two bytes")).key()
ACCEPTED = Standing("few", accepted_empty=True)
OVER = Standing(window_over=True)


def forged(head, **changes):
    """Return a next commit as somebody would write it who may put one object."""
    following = replace(head.following(DayContents()), items=head.items, merkle_root=head.merkle_root)
    return replace(following, **({"summary": dict(head.summary)} | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"summary": {"expected": 2, "complete": True, "state": "closed", "window_over": True}},
        {"merkle_root": "0" * 64},
        {"journal": ()},
    ],
    ids=["counts", "root", "journal"],
)
def test_commit_that_its_evidence_does_not_bear_out_is_not_sealed(table, changes):
    """What it says is computed anew before the archive stands by it."""
    ErasedDay(table).archive()
    fake = forged(read_head(table.lake, ORG, DAY), **changes)
    table.lake.put_document(fake.key, fake.body())
    seals = list(table.lake.list_keys("seals/"))
    with pytest.raises(IntegrityError, match="was not sealed"):
        commit_day(table.lake, ORG, DAY, ())
    assert seals == list(table.lake.list_keys("seals/"))


def test_seal_that_a_crash_prevented_is_written(table):
    """A commit that its evidence bears out is sealed by the next run."""
    ErasedDay(table).archive()
    seals = list(table.lake.list_keys("seals/"))
    for key in seals:
        remove(table.lake, key)
    commit_day(table.lake, ORG, DAY, ())
    assert seals == list(table.lake.list_keys("seals/"))


def closed(standing):
    """Return how a forger makes a commit say so beside its counts, which are right."""
    return lambda head: {**head.summary, **standing.to_json(), "state": "closed"}


def with_forged_line(lake, head, standing, key):
    """Put a segment that tells of the judgement, as its own would, and return the commit that anchors it."""
    fake = forged(head, summary=closed(standing)(head))
    judgement = Judgement(ORG, DATE, fake.version, head.sha256, standing, "somebody")
    segment = write_segment("commit", head.sha256, [judgement.event(key)])
    name = layout.journal_key(DATE, own_run(fake.version), sha256_hex(segment.body))
    lake.put_document(name, segment.body)
    return fake.with_journal([JournalSegment(name, segment.entries, segment.root, fake.version)])


@pytest.fixture
def signed_day(lake):
    """A day of two conversations, committed with a key."""
    settle(lake, Outcome.ARCHIVED, 1, 2)
    commit_day(lake, ORG, DAY, (), key=KEY)
    return lake


@pytest.mark.parametrize("standing", [ACCEPTED, OVER, Standing("made up")], ids=["accepted", "over", "held"])
@pytest.mark.parametrize("signed_with", ["no line", None, OTHER], ids=["no line", "no key", "another key"])
def test_judgement_that_is_not_ours_is_neither_signed_nor_built_on(signed_day, standing, signed_with):
    """Counts, root and parts are right, only the word about the day is not: refused by name, with news or without."""
    head = read_head(signed_day, ORG, DAY)
    if signed_with == "no line":
        fake = forged(head, summary=closed(standing)(head))
    else:
        fake = with_forged_line(signed_day, head, standing, signed_with)
    signed_day.put_document(fake.key, fake.body())
    before = everything_in(signed_day)
    for rules in (ClosingRules(), ClosingRules(is_audit=True, window_over=True)):
        with pytest.raises(IntegrityError, match=r"v=00000002\.json was not sealed: its judgement"):
            commit_day(signed_day, ORG, DAY, (), rules, key=KEY)
    assert before == everything_in(signed_day)
    settle(signed_day, Outcome.NO_RECORDING, 3, base_version=1)
    with pytest.raises(IntegrityError, match="was not sealed: its judgement"):
        commit_day(signed_day, ORG, DAY, (), key=KEY)
    assert (FindingKind.UNPROVED, fake.key) in {
        (item.kind, item.key) for item in check_day(signed_day, ORG, DATE, KEY).findings
    }


def test_judgement_that_nobody_told_is_refused_without_a_key_too(lake):
    """The journal must have it, and verification names the commit, sealed or not."""
    settle(lake, Outcome.ARCHIVED, 1)
    commit_day(lake, ORG, DAY, ())
    head = read_head(lake, ORG, DAY)
    fake = forged(head, summary=closed(OVER)(head))
    lake.put_document(fake.key, fake.body())
    with pytest.raises(IntegrityError, match="was not sealed: its judgement"):
        commit_day(lake, ORG, DAY, ())
    seal_commit(lake, fake, None)
    assert {(FindingKind.UNPROVED, fake.key)} == {(item.kind, item.key) for item in check_day(lake, ORG, DATE).findings}


def test_judgement_of_a_run_that_died_is_signed_by_the_next(signed_day):
    """Its line in the journal has our signature, so the seal that a crash prevented is written; nothing is found."""
    closing, _ = commit_day(signed_day, ORG, DAY, (), ClosingRules(is_audit=True, window_over=True), KEY)
    whole = everything_in(signed_day)
    remove(signed_day, layout.seal_key(DATE, closing.version, KEY.key_id))
    commit_day(signed_day, ORG, DAY, (), key=KEY)
    assert whole == everything_in(signed_day)
    assert () == check_day(signed_day, ORG, DATE, KEY).findings


def test_signing_can_be_switched_on_and_the_key_changed(lake):
    """A day that was judged before there was this key is signed as it stands; no false alarm."""
    settle(lake, Outcome.ARCHIVED, 1)
    commit_day(lake, ORG, DAY, (), ClosingRules(is_audit=True, window_over=True))
    for key in (KEY, OTHER):
        commit_day(lake, ORG, DAY, (), key=key)
        assert () == check_day(lake, ORG, DATE, key).findings


def test_journal_says_whose_word_released_a_day(signed_day):
    """Who accepted stands in the commit's own segment, and who only repeats it says nothing."""
    for week in (1, 2, 3):
        day = LocalDay(DAY.date - timedelta(weeks=week), DAY.zone)
        commit = first_commit(ORG, day, DayContents()).with_items([], {"expected": 300})
        signed_day.put_document(commit.key, commit.body())
    rules = ClosingRules(is_audit=True, accept_empty=True, accepted_by="manual__1 of ada")
    released, _ = commit_day(signed_day, ORG, DAY, (), rules, KEY)
    (line,) = [line for line in own_lines(signed_day, released) if line["action"] == "judged"]
    assert ("manual__1 of ada", KEY.key_id) == (line["said_by"], line["key_id"])
    assert "accepted_empty" in line["note"]
    settle(signed_day, Outcome.NO_RECORDING, 3, base_version=2)
    later, _ = commit_day(signed_day, ORG, DAY, (), ClosingRules(accepted_by="someone else"), KEY)
    assert "someone else" not in str(own_lines(signed_day, later))
    assert () == check_day(signed_day, ORG, DATE, KEY).findings
