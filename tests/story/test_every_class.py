"""Every class at once: what the archive says of each conversation against what the source planted."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from include.outcome import Outcome
from include.transfer.day import commit_day, reconcile_day
from include.transfer.second_look import SecondLook
from tests.story.night import DAY, audio_in, audio_of, classes_in, classes_of, night

if TYPE_CHECKING:
    from pathlib import Path

    from include.audit.reconcile import DayState
    from include.lake.store import LakeStore
    from tests.story.night import Night

CLASSES = [str(outcome) for outcome in Outcome if outcome is not Outcome.ERASED]


def archived(it: Night, **options: object) -> tuple[DayState, int]:
    """Run a night in which jobs may be stuck, and return its state and how many conversations were asked for."""
    planned = it.plan(**options)
    for number in range(len(planned.shards)):
        shard = it.shard(planned, number)
        over = it.wait_in_halves(it.submit(shard))
        it.archive(shard, over.shard, frozenset(over.unfinished))
    commit_day(it.lake, it.box.org_id, DAY, [planned.plan_key])
    state, _ = reconcile_day(it.lake, it.box.org_id, DAY, [planned.plan_key])
    return state, planned.outstanding


def confusion(it: Night, state: DayState) -> Counter[tuple[str, str]]:
    """Count the conversations by planted class and by the archive's; one that either side lacks counts as absent."""
    planted, found = classes_of(it.box), classes_in(state)
    return Counter((planted.get(key, "absent"), found.get(key, "absent")) for key in planted.keys() | found.keys())


def printed(matrix: Counter[tuple[str, str]]) -> str:
    """Return the matrix as a table: planted classes down, found ones across."""
    names = [*CLASSES, "absent"]
    width = max(map(len, names))
    rows = [" " * width + "".join(f"{name[:11]:>13}" for name in names)]
    rows += [f"{one:>{width}}" + "".join(f"{matrix[one, other]:>13}" for other in names) for one in names]
    return "\n".join(rows)


def assert_diagonal(it: Night, state: DayState) -> Counter[tuple[str, str]]:
    """Check that every conversation is in its planted class, and that the lake holds exactly the planted bytes."""
    matrix = confusion(it, state)
    assert {} == {pair: count for pair, count in matrix.items() if len(set(pair)) > 1}, printed(matrix)
    assert audio_of(it.box) == audio_in(it.lake)
    return matrix


def test_every_conversation_is_in_its_planted_class(lake: LakeStore, tmp_path: Path) -> None:
    """250 conversations over all nine classes: the matrix is diagonal, and an audit finds nothing new."""
    with night(lake, tmp_path, scenario="every-class", conversations=250, seed=4) as it:
        state, _ = archived(it)
        matrix = assert_diagonal(it, state)
        assert {(name, name) for name in CLASSES} == set(matrix)
        again = it.plan(look=SecondLook(it.source, 10_000, archived_too=True), dry_run=True)
        open_work = sum(matrix[name, name] for name in ("pending", "quarantined", "source_error"))
        assert (open_work, 0, 0) == (again.outstanding, again.changed, again.not_looked_up)


@pytest.mark.evidence
@pytest.mark.timeout(3600)
def test_ten_thousand_conversations(lake: LakeStore, tmp_path: Path) -> None:
    """The same with ten thousand, beside two thousand that nobody expects: chats, open calls; prints the matrix."""
    with night(lake, tmp_path, scenario="every-class", conversations=11_900, seed=11) as it:
        began = time.monotonic()
        state, _ = archived(it)
        matrix = assert_diagonal(it, state)
        seconds = time.monotonic() - began
        assert matrix.total() >= 10_000
        again = it.plan(look=SecondLook(it.source, 20_000, archived_too=True), dry_run=True)
        assert 0 == again.changed
    print(f"\n{len(state.items)} conversations in {seconds:.0f} s; planted classes down, the archive's across")  # noqa: T201 - evidence is read
    print(printed(matrix))  # noqa: T201
    print(f"{again.looked_up} looked at again, {again.changed} changed")  # noqa: T201
