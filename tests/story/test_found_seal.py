"""A commit that nobody of ours made gets no seal of ours, and so no signature."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import IntegrityError
from include.lake.commit import DayContents, read_head
from include.transfer.day import commit_day
from tests.story.desk import ORG
from tests.story.erased_day import ErasedDay
from tests.story.night import DAY, remove


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
