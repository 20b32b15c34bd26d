"""The day's two ends: what is planned, and what is committed whatever happens at the same time."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from include.audit.reconcile import DayState
from include.canonical import sha256_hex
from include.errors import IntegrityError, LakeUnavailable
from include.genesys.analytics import ConversationsFound
from include.genesys.models import Conversation
from include.lake.commit import DayContents, first_commit, read_head
from include.lake.layout import MediaIdentity, commit_key, commit_prefix, media_key, metadata_key
from include.lake.manifest import Manifest
from include.lake.plan import ShardPlan, read_expected
from include.lake.store import LakeStore
from include.outcome import ItemRecord, Outcome
from include.settings import ArchiveSettings
from include.transfer.day import COMMIT_ATTEMPTS, commit_day, reconcile_day
from include.transfer.day_plan import plan_day
from include.transfer.day_state import state_of
from tests.story.desk import ORG, conversation, recording_of
from tests.story.night import DAY, ZONE, everything_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from include.lake.store import Put
    from include.transfer.day_plan import DayPlanned


@dataclass
class Analytics:
    """What analytics says of the day: conversations by number."""

    numbers: list[int]
    resolved: list[int] = field(default_factory=list)

    def find_conversations(self, start, end) -> ConversationsFound:
        """Return the conversations, a minute each."""
        found = tuple(told(number) for number in self.numbers)
        assert (DAY.start, DAY.end) == (start, end)
        return ConversationsFound(found, duplicates=2, pages=1, rejected=("f" * 64,), split=0, passes=1, outside=0)

    def resolve_names(self, conversations: Sequence[Conversation]) -> tuple[Conversation, ...]:
        """Leave the names as they are, and remember how many were asked for."""
        self.resolved.append(len(conversations))
        return tuple(conversations)


def told(number: int) -> Conversation:
    """Return what analytics says of one conversation."""
    bare = (f"+{number}", None, None, None)
    return Conversation(
        conversation(number), DAY.start, DAY.start + timedelta(minutes=1), "inbound", *bare, recorded=True
    )


def plan(lake: LakeStore, source: Analytics, **options: object) -> DayPlanned:
    """Plan the day."""
    options.setdefault("shards_max", 250)
    return plan_day(source, lake, ArchiveSettings(lake=lake.location, timezone=ZONE), ORG, DAY, **options)


def shelved(lake: LakeStore, item: ItemRecord) -> ItemRecord:
    """Put audio and metadata for an archived item and return it with their keys; any other item as it is."""
    if item.outcome is not Outcome.ARCHIVED:
        return item
    digest = hashlib.sha256(item.conversation_id.encode()).hexdigest()
    identity = MediaIdentity(ORG, str(DAY), item.conversation_id, item.recording_id, item.part)
    keys = {"key": media_key(identity, digest, "wav"), "metadata_key": metadata_key(identity, digest)}
    for key in keys.values():
        lake.put_document(key, b"{}\n")
    return replace(item, sha256=digest, **keys)


def settle(lake: LakeStore, outcome: Outcome, *numbers: int, base_version: int = 0) -> Manifest:
    """Write a manifest in which these conversations have this outcome; what it calls archived is put there too."""
    items = tuple(
        shelved(lake, ItemRecord(conversation(n), recording_of(n), 0, outcome, "why", "who")) for n in numbers
    )
    ids = tuple(sorted(conversation(n) for n in numbers))
    manifest = Manifest(ORG, str(DAY), ids, items, base_version)
    manifest.write(lake)
    return manifest


def shards(lake: LakeStore, planned: DayPlanned) -> list[ShardPlan]:
    """Read the planned shards."""
    return [ShardPlan.read(lake, shard.plan_key) for shard in planned.shards]


def asked(lake: LakeStore, planned: DayPlanned) -> list[str]:
    """Return every conversation that the plan asks for."""
    return [item for shard in shards(lake, planned) for batch in shard.batches for item in batch]


def test_dry_run_writes_nothing(lake: LakeStore) -> None:
    """With ``dry_run`` the counts are those of the real plan, and the lake stays empty."""
    dry = plan(lake, Analytics([1, 2, 3]), dry_run=True)
    assert {} == everything_in(lake)
    assert dry == plan(lake, Analytics([1, 2, 3]))
    assert {"plans"} == {key.partition("/")[0] for key in everything_in(lake)}


def test_plan_counts(lake: LakeStore) -> None:
    """A plan says what is expected, for how long, how large that will be, and what the query was like."""
    planned = plan(lake, Analytics([1, 2, 3]))
    assert (3, 3, 180) == (planned.expected, planned.outstanding, planned.seconds)
    assert (180 * 4096, 2, 1) == (planned.estimated_bytes, planned.duplicates, planned.rejected)


def test_planning_twice_writes_nothing_new(lake: LakeStore) -> None:
    """The same facts give the same keys."""
    assert plan(lake, Analytics([2, 1])) == plan(lake, Analytics([1, 2]))
    assert 2 == len(everything_in(lake))


@pytest.mark.parametrize(
    ("count", "shards_max", "expected"), [(0, 5, 0), (99, 5, 1), (101, 5, 2), (750, 3, 3), (750, 1, 1), (801, 3, 3)]
)
def test_shards_and_batches(lake: LakeStore, count: int, shards_max: int, expected: int) -> None:
    """Never more shards than allowed; batches are sorted, of at most 100, and partition the conversations."""
    planned = plan(lake, Analytics(list(range(count))), shards_max=shards_max)
    assert expected == len(planned.shards)
    batches = [batch for shard in shards(lake, planned) for batch in shard.batches]
    assert all(0 < len(batch) <= 100 and sorted(batch) == list(batch) for batch in batches)
    assert sorted(conversation(n) for n in range(count)) == [item for batch in batches for item in batch]
    assert (
        count
        == sum(len(shard.facts) for shard in shards(lake, planned))
        == sum(s.conversations for s in planned.shards)
    )


def test_settled_conversations_are_not_asked_for(lake: LakeStore) -> None:
    """After a commit only what is open, what failed at the source, and what is new is asked for."""
    first = plan(lake, Analytics([1, 2, 3, 4, 5]))
    settle(lake, Outcome.ARCHIVED, 1)
    settle(lake, Outcome.PENDING, 2)
    settle(lake, Outcome.SOURCE_ERROR, 3)
    settle(lake, Outcome.DELETED_AT_SOURCE, 4)
    commit_day(lake, ORG, DAY, [first.plan_key])
    second = plan(lake, Analytics([1, 2, 3, 4, 5, 6]))
    assert [conversation(n) for n in (2, 3, 5, 6)] == asked(lake, second)
    assert (6, 4) == (second.expected, second.outstanding)


def test_only_failed_leaves_the_new_for_the_night(lake: LakeStore) -> None:
    """With ``only_failed`` a conversation that no commit knows is expected, but not asked for."""
    first = plan(lake, Analytics([1, 2]))
    settle(lake, Outcome.ARCHIVED, 1)
    settle(lake, Outcome.QUARANTINED, 2)
    commit_day(lake, ORG, DAY, [first.plan_key])
    failed = plan(lake, Analytics([1, 2, 3]), only_failed=True)
    assert [conversation(2)] == asked(lake, failed)
    assert (3, 1) == (failed.expected, failed.outstanding)
    assert [conversation(n) for n in (1, 2, 3)] == list(read_expected(lake, failed.plan_key, ORG, str(DAY)))


def test_expected_never_shrinks(lake: LakeStore) -> None:
    """A conversation that analytics forgets stays expected, is asked for, and keeps the facts of its first plan."""
    first = plan(lake, Analytics([1, 2]))
    commit_day(lake, ORG, DAY, [first.plan_key])
    source = Analytics([2])
    second = plan(lake, source)
    assert (2, [conversation(1), conversation(2)]) == (second.expected, asked(lake, second))
    assert "+1" == shards(lake, second)[0].facts[conversation(1)]["ani"]
    assert [1] == source.resolved
    assert 60 == second.seconds


def test_forgotten_conversation_without_facts_is_still_asked_for(lake: LakeStore) -> None:
    """Where no plan knows anything of a conversation it is asked for without facts."""
    settle(lake, Outcome.PENDING, 1)
    commit_day(lake, ORG, DAY, [])
    planned = plan(lake, Analytics([]))
    assert {conversation(1): {}} == shards(lake, planned)[0].facts


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
