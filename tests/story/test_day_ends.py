"""The day's two ends: what is planned, and what is committed whatever happens at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from include.audit.reconcile import DayState
from include.canonical import sha256_hex
from include.errors import IntegrityError, LakeUnavailable
from include.lake.commit import DayContents, first_commit, read_head
from include.lake.layout import commit_key, commit_prefix
from include.lake.store import LakeStore
from include.outcome import Outcome
from include.transfer.day import COMMIT_ATTEMPTS, commit_day, reconcile_day
from include.transfer.day_state import state_of
from tests.story.day_ends import Analytics, asked, plan, settle
from tests.story.desk import ORG, conversation
from tests.story.night import DAY, everything_in

if TYPE_CHECKING:
    from include.lake.store import Put


def test_shard_that_never_ran_is_pending(lake: LakeStore) -> None:
    """A planned conversation that no manifest speaks of is pending: silence is never success."""
    planned = plan(lake, Analytics([1, 2]))
    settle(lake, Outcome.ARCHIVED, 1)
    commit, state = commit_day(lake, ORG, DAY, [planned.plan_key])
    assert ("pending", "not_processed") == (
        state.items[conversation(2)][0].outcome,
        state.items[conversation(2)][0].reason,
    )
    assert not state.is_complete
    assert commit.summary == state.summary()


def test_committing_twice_is_one_commit(lake: LakeStore) -> None:
    """Where nothing is new the head is returned, and nothing is written."""
    planned = plan(lake, Analytics([1]))
    settle(lake, Outcome.ARCHIVED, 1)
    first = commit_day(lake, ORG, DAY, [planned.plan_key])
    before = everything_in(lake)
    assert first == commit_day(lake, ORG, DAY, [planned.plan_key])
    assert before == everything_in(lake)


def test_a_new_manifest_is_a_new_version(lake: LakeStore) -> None:
    """A later outcome is committed on top, chained to the version before by its hash."""
    planned = plan(lake, Analytics([1]))
    settle(lake, Outcome.PENDING, 1)
    first, _ = commit_day(lake, ORG, DAY, [planned.plan_key])
    settle(lake, Outcome.ARCHIVED, 1)
    second, state = commit_day(lake, ORG, DAY, [planned.plan_key])
    assert (1, 2) == (first.version, second.version)
    assert lake.head(first.key).sha256 == second.previous_sha256
    assert state.is_complete


def test_an_empty_day_is_committed(lake: LakeStore) -> None:
    """A day on which nobody called has a plan, a commit and a report that says so."""
    planned = plan(lake, Analytics([]))
    state, sentence = reconcile_day(lake, ORG, DAY, [planned.plan_key])
    assert (0, ()) == (planned.expected, planned.shards)
    assert state.is_complete
    assert f"{DAY} is complete: analytics names no conversation of that day." == sentence
    assert 1 == read_head(lake, ORG, DAY).version


def test_two_commits_at_once(lake: LakeStore) -> None:
    """Runs that commit at the same moment all end well, and the head has what each of them brought."""
    plans = [plan(lake, Analytics([n])).plan_key for n in range(4)]
    for n in range(4):
        settle(lake, Outcome.ARCHIVED, n)
    gate = Barrier(4)

    def commit(key: str):
        gate.wait(5)
        return commit_day(lake, ORG, DAY, [key])[0]

    with ThreadPoolExecutor(4) as pool:
        commits = list(pool.map(commit, plans))
    head = read_head(lake, ORG, DAY)
    assert sorted(plans) == list(head.plans)
    assert 4 == len(head.manifests)
    assert max(item.version for item in commits) == head.version == len(list(lake.list_keys(commit_prefix(str(DAY)))))
    assert state_of(lake, head).is_complete


class Overtaken(LakeStore):
    """A lake in which another run always commits first."""

    commits = 0

    def put_document(self, key: str, body: bytes) -> Put:
        """Put; but where it is a commit, let the other run take its number."""
        if key.startswith(commit_prefix(str(DAY))):
            self.commits += 1
            head = read_head(self, ORG, DAY)
            rival = first_commit(ORG, DAY, DayContents()).with_items([], DayState({}).summary())
            if head is not None:
                rival = replace(head, version=head.version + 1, previous_sha256=sha256_hex(head.body()))
            super().put_document(rival.key, rival.body())
        return super().put_document(key, body)


def test_a_rival_that_always_wins(lake: LakeStore, lake_client) -> None:
    """When others take every number that is tried, the task ends with an error that is tried again."""
    settle(lake, Outcome.ARCHIVED, 1)
    overtaken = Overtaken(lake_client, lake.location)
    with pytest.raises(LakeUnavailable, match="keep committing"):
        commit_day(overtaken, ORG, DAY, [])
    assert COMMIT_ATTEMPTS == overtaken.commits


def test_altered_plan_is_noticed(lake: LakeStore) -> None:
    """A plan whose bytes are not those its key names stops the commit."""
    planned = plan(lake, Analytics([1]))
    lake.put_latest(planned.plan_key, b'{"expected": []}', "application/json")
    with pytest.raises(IntegrityError, match="altered"):
        commit_day(lake, ORG, DAY, [planned.plan_key])


def class_of(lake: LakeStore, number: int) -> str:
    """Return the class of a conversation in the newest commit."""
    return str(state_of(lake, read_head(lake, ORG, DAY)).outcomes[conversation(number)])


def test_the_same_words_again_are_new_evidence(lake: LakeStore) -> None:
    """Quarantined, then an error, then quarantined as on the first night: the day is open, not complete."""
    key = plan(lake, Analytics([1])).plan_key
    for base, outcome in enumerate((Outcome.QUARANTINED, Outcome.SOURCE_ERROR, Outcome.QUARANTINED)):
        settle(lake, outcome, 1, base_version=base)
        assert base + 1 == commit_day(lake, ORG, DAY, [key])[0].version
        assert str(outcome) == class_of(lake, 1)


def test_an_old_task_cleared_late_does_not_overrule_a_newer_run(lake: LakeStore) -> None:
    """What was planned on an older commit is older evidence, whenever its manifest arrives."""
    key = plan(lake, Analytics([1])).plan_key
    settle(lake, Outcome.PENDING, 1)
    commit_day(lake, ORG, DAY, [key])
    settle(lake, Outcome.DELETED_AT_SOURCE, 1, base_version=1)
    commit_day(lake, ORG, DAY, [key])
    settle(lake, Outcome.SOURCE_ERROR, 1, base_version=0)
    assert 3 == commit_day(lake, ORG, DAY, [key])[0].version
    assert "deleted_at_source" == class_of(lake, 1)


def test_two_words_of_one_age_leave_the_question_open(lake: LakeStore) -> None:
    """A run that died before its commit and the one after it disagree: the conversation is asked for again."""
    key = plan(lake, Analytics([1])).plan_key
    settle(lake, Outcome.NO_RECORDING, 1)
    settle(lake, Outcome.PENDING, 1)
    commit_day(lake, ORG, DAY, [key])
    assert "pending" == class_of(lake, 1)
    assert [conversation(1)] == asked(lake, plan(lake, Analytics([1])))


@pytest.mark.parametrize("end", [".wav", ".metadata.json"], ids=["audio", "metadata"])
def test_a_part_that_somebody_deleted_is_missed_and_asked_for(lake: LakeStore, lake_client, end: str) -> None:
    """Without its audio or its metadata a recording is pending in the report and in the next plan."""
    key = plan(lake, Analytics([1])).plan_key
    settle(lake, Outcome.ARCHIVED, 1)
    assert reconcile_day(lake, ORG, DAY, [key])[0].is_complete
    gone = next(item for item in lake.list_keys("media/") if item.endswith(end))
    lake_client.delete_object(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/{gone}")
    state, words = reconcile_day(lake, ORG, DAY, [key])
    assert {("pending", "missing_in_lake")} == {(str(i.outcome), i.reason) for i in state.items[conversation(1)]}
    assert "1 pending" in words
    assert [conversation(1)] == asked(lake, plan(lake, Analytics([1])))


def test_a_commit_below_the_head_that_was_replaced_is_noticed(lake: LakeStore, lake_client) -> None:
    """Each commit names the one before it by hash, and that hash is compared."""
    key = plan(lake, Analytics([1])).plan_key
    commit_day(lake, ORG, DAY, [key])
    settle(lake, Outcome.ARCHIVED, 1)
    commit_day(lake, ORG, DAY, [key])
    first = f"{lake.location.prefix}/{commit_key(str(DAY), 1)}"
    lake_client.put_object(Bucket=lake.location.bucket, Key=first, Body=b'{"forged":true}')
    with pytest.raises(IntegrityError, match="altered"):
        read_head(lake, ORG, DAY)


def test_the_plan_of_a_run_that_died_still_counts(lake: LakeStore) -> None:
    """What a run expected before it died stays expected, also when analytics has forgotten it since."""
    plan(lake, Analytics([1, 2]))
    later = plan(lake, Analytics([2])).plan_key
    _, state = commit_day(lake, ORG, DAY, [later])
    assert [conversation(1), conversation(2)] == list(state.expected)
