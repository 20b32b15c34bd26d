"""Erasing one conversation on a real server with versions and locks: all of it goes, and the day stays whole."""

from __future__ import annotations

import hashlib
import io
import json
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from pyarrow import parquet

from include.errors import ConfigurationError, LakeUnavailable, ObjectLocked
from include.lake.commit import read_head
from include.lake.layout import (
    MediaIdentity,
    MediaKey,
    catalog_key,
    derived_key,
    erasure_key,
    quarantine_key,
    report_key,
)
from include.lake.protection import Protection
from include.lake.retention import VARIABLE, RetentionRules
from include.lake.store import LakeStore, Writing
from include.lake.tombstone import read_shard_plan, tombstones_of
from include.lake.whereabouts import dates_of, place_of
from include.outcome import Outcome
from include.settings import LakeLocation
from include.transfer.catalog import catalog_day
from include.transfer.day import present_state, reconcile_day, state_of
from include.transfer.erase import erase_conversation
from include.transfer.hold import HoldOrder, hold_conversation
from include.transfer.submit import submit_shard
from tests.story.desk import ORG, audio, conversation, desk
from tests.story.erased_day import ErasedDay, every_version, keys_with, lake_in, order, traces_of
from tests.story.night import DAY, ZONE, Memory, everything_in, media_keys, remove

LOCKED_DAYS = {"retention_days": 1}


@pytest.fixture(scope="module")
def versioned_bucket(lake_client):
    """Name a bucket with versions and Object Lock."""
    name = f"erasing-{uuid4().hex}"
    lake_client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


@pytest.fixture
def opened(lake_client, versioned_bucket, tmp_path):
    """Return a way to open a day that is archived, on a bucket with versions unless another lake is given."""

    @contextmanager
    def open_day(protection: Protection | None = None, lake: LakeStore | None = None):
        chosen = lake or lake_in(lake_client, versioned_bucket, protection)
        with desk(chosen, tmp_path) as table:
            day = ErasedDay(table)
            day.archive()
            yield day

    return open_day


def outcomes(lake):
    """Return the class of each conversation, as the bucket bears it out."""
    return {key: str(value) for key, value in present_state(lake, read_head(lake, ORG, DAY)).outcomes.items()}


def hold(lake, number, *, on):
    """Hold a conversation, or release it."""
    return hold_conversation(lake, HoldOrder(ORG, DAY, conversation(number), "litigation", "counsel", on))


EXPECTED = {conversation(1): "erased", conversation(2): "archived", conversation(3): "archived"}


def test_nothing_is_left_in_any_version(opened):
    """Caller, agent and audio are found before and in no version of no object after; the others keep theirs."""
    with opened() as day:
        # An overwrite and a plain delete leave older versions behind; they must go as well.
        name = {"Bucket": day.lake.location.bucket, "Key": f"{day.lake.location.prefix}/{media_keys(day.lake)[0]}"}
        day.lake._client.put_object(**name, Body=audio(1))
        day.lake._client.delete_object(**name)
        others = (*traces_of(2), *traces_of(3))
        before = len(keys_with(day.lake, *others))
        assert 3 == len(keys_with(day.lake, *traces_of(1)))
        erasure = erase_conversation(day.lake, order())
        assert [] == keys_with(day.lake, *traces_of(1))
        assert before == len(keys_with(day.lake, *others))
        assert 5 == len(erasure.deleted)
        assert EXPECTED == outcomes(day.lake)


def test_bucket_without_versions(opened, lake):
    """The same on a bucket that has neither versions nor locks."""
    with opened(lake=lake) as day:
        erase_conversation(day.lake, order())
        assert [] == keys_with(day.lake, *traces_of(1))
        assert EXPECTED == outcomes(day.lake)


def test_tombstone_keeps_hashes_and_words(opened):
    """Who, when, why, and what it was: but nothing that identifies a person."""
    with opened() as day:
        media = next(key for key in media_keys(day.lake) if conversation(1) in key)
        erase_conversation(day.lake, order())
        (tombstone,) = tombstones_of(day.lake, ORG, str(DAY), conversation(1))
        assert ("asked for by the caller", "GDPR Art. 17(1)(b)", "dpo") == (
            tombstone.reason,
            tombstone.legal_basis,
            tombstone.by,
        )
        assert hashlib.sha256(audio(1)).hexdigest() in {item.sha256 for item in tombstone.objects if item.key == media}
        assert all(item.sha256 and item.version_id for item in tombstone.objects)


def test_commit_anchors_the_tombstone(opened):
    """The day goes on: a next commit names the tombstone, and what it says of the day needs no listing."""
    with opened() as day:
        before = read_head(day.lake, ORG, DAY)
        erasure = erase_conversation(day.lake, order())
        head = read_head(day.lake, ORG, DAY)
        assert (before.version + 1, erasure.commit_key) == (head.version, head.key)
        assert tuple(item.key for item in erasure.tombstones) == head.tombstones
        assert EXPECTED == {key: str(value) for key, value in state_of(day.lake, head).outcomes.items()}
        assert {"archived": 2, "erased": 1} == head.summary["conversations"]
        assert state_of(day.lake, head).is_complete


def test_second_erasure_writes_nothing(opened):
    """The same order again finds nothing to do and leaves the bucket as it is, to the version."""
    with opened() as day:
        erase_conversation(day.lake, order())
        before = every_version(day.lake)
        again = erase_conversation(day.lake, order(reason="once more"))
        assert before == every_version(day.lake)
        assert (0, 3) == (len(again.deleted), len(again.objects))


@pytest.mark.parametrize("dry_run", [False, True])
def test_second_erasure_says_when_the_first_was(opened, dry_run):
    """Who asks again learns that it is done, and not the reason of the first, under which nothing happens now."""
    with opened() as day:
        first = erase_conversation(day.lake, order())
        again = erase_conversation(day.lake, order(reason="once more"), dry_run=dry_run)
        (tombstone,) = first.tombstones
        said = f"{order().conversation_id} of {DAY}: already erased on {tombstone.at}, nothing to do"
        assert [said, f"certificate   {erasure_key(tombstone.key)}"] == again.lines("s3://x")


def test_unfinished_erasure_is_not_called_done(opened):
    """Without its certificate an erasure has not come to its end: the same order finishes it, and says so."""
    with opened() as day:
        (tombstone,) = erase_conversation(day.lake, order()).tombstones
        for version in day.lake.versions.list(erasure_key(tombstone.key)):
            day.lake.versions.delete(version)
        assert "DRY RUN" in erase_conversation(day.lake, order(), dry_run=True).lines("s3://x")[0]
        assert "CERTIFICATE OF ERASURE" == erase_conversation(day.lake, order()).lines("s3://x")[0]


@pytest.mark.parametrize("dry_run", [False, True])
def test_certificate_names_what_is_made_anew(opened, dry_run):
    """The shard plan with its successor, the catalog's partition and the day's reports."""
    with opened() as day:
        catalog_day(day.lake, order().org, DAY)
        reconcile_day(day.lake, order().org, DAY, ())
        done = erase_conversation(day.lake, order(), dry_run=dry_run)
        (plan,) = done.tombstones[0].rewritten
        said = done.lines("s3://x")
        assert f"rewritten     {plan.key}, without its facts: {plan.replaced_by}" in said
        for key in (catalog_key(str(DAY)), report_key(str(DAY), "report.md"), report_key(str(DAY), "report.json")):
            assert f"made anew     {key}" in said


def test_dry_run_touches_nothing(opened):
    """It says what would go, and the bucket stays as it is."""
    with opened() as day:
        before = every_version(day.lake)
        would = erase_conversation(day.lake, order(), dry_run=True)
        assert before == every_version(day.lake)
        assert 3 == len(would.objects)
        assert "DRY RUN" in would.lines("s3://x")[0]


@pytest.mark.parametrize(
    ("protection", "said"),
    [
        (Protection("COMPLIANCE", **LOCKED_DAYS), "locked in COMPLIANCE mode until 20"),
        (Protection("GOVERNANCE", **LOCKED_DAYS), "locked in GOVERNANCE mode until 20"),
        (Protection(legal_hold=True), "under a legal hold"),
    ],
    ids=["compliance", "governance", "hold"],
)
def test_what_is_kept_is_refused_before_anything_is_deleted(opened, protection, said):
    """The sentence names an object and until when; nothing is deleted and nothing is written."""
    with opened(protection) as day:
        before = every_version(day.lake)
        with pytest.raises(ObjectLocked, match=f"Nothing was erased. s3://.*conversation=.*{said}"):
            erase_conversation(day.lake, order())
        assert before == every_version(day.lake)


def test_one_held_version_keeps_all(opened):
    """All objects are asked before the first is touched, wherever the held one stands in the order."""
    with opened() as day:
        last = max(day.lake.versions.list("media/"))
        target = int(last.key.split("conversation=")[1][35], 16)
        day.lake.versions.hold(last, on=True)
        before = every_version(day.lake)
        with pytest.raises(ObjectLocked) as refused:
            erase_conversation(day.lake, order(target), bypass_governance=True)
        assert [last.key] == refused.value.facts["kept"]
        assert before == every_version(day.lake)


def test_governance_is_bypassed_only_on_demand(opened):
    """A role that may says so, and then it is gone."""
    with opened(Protection("GOVERNANCE", **LOCKED_DAYS)) as day:
        erase_conversation(day.lake, order(), bypass_governance=True)
        assert [] == keys_with(day.lake, *traces_of(1))
        assert EXPECTED == outcomes(day.lake)


def test_hold_is_set_kept_and_lifted(opened):
    """A held conversation is not erased, its neighbours are; the hold lifted, it is."""
    with opened() as day:
        held = hold(day.lake, 1, on=True)
        assert (2, 2) == (len(held.versions), held.changed)
        assert 0 == hold(day.lake, 1, on=True).changed
        with pytest.raises(ObjectLocked, match="RELEASE=1"):
            erase_conversation(day.lake, order(), bypass_governance=True)
        erase_conversation(day.lake, order(2))
        assert 2 == hold(day.lake, 1, on=False).changed
        erase_conversation(day.lake, order())
        assert [] == keys_with(day.lake, *traces_of(1), *traces_of(2))


def test_journal_tells_of_hold_and_erasure(opened):
    """Who held what and why, who lifted it, who erased it: in segments that the newest commit anchors."""
    with opened() as day:
        hold(day.lake, 1, on=True)
        before = every_version(day.lake)
        hold(day.lake, 1, on=True)
        assert before == every_version(day.lake)
        hold(day.lake, 1, on=False)
        erase_conversation(day.lake, order())
        anchored = {segment.key for segment in read_head(day.lake, ORG, DAY).journal}
        assert anchored == set(day.lake.list_keys("audit/"))
        lines = [json.loads(line) for key in anchored for line in day.lake.read(key).splitlines()]
        told = {(line["action"], line["reason"], line["said_by"]) for line in lines if line.get("said_by")}
        assert {
            ("held", "litigation", "counsel"),
            ("released", "litigation", "counsel"),
            ("erased", "asked for by the caller", "dpo"),
        } <= told


@pytest.mark.parametrize(
    ("changed", "said"), [({"reason": ""}, "REASON"), ({"by": " "}, "BY"), ({"conversation_id": "x"}, "CONVERSATION")]
)
def test_hold_without_words_is_refused(changed, said):
    """A hold that nobody can explain in three years is worth little."""
    words = {"conversation_id": conversation(1), "reason": "litigation", "by": "counsel"} | changed
    with pytest.raises(ConfigurationError, match=said):
        HoldOrder(ORG, DAY, **words)


def test_bucket_without_object_lock_holds_nothing(opened, lake):
    """A hold that cannot be is refused by name, not taken for set."""
    with opened(lake=lake) as day, pytest.raises(ConfigurationError, match="has no Object Lock"):
        hold(day.lake, 1, on=True)


def test_hold_of_nothing_is_refused(opened):
    """A mistyped id must not look like a hold."""
    with opened() as day, pytest.raises(ConfigurationError, match="holds nothing of conversation"):
        hold(day.lake, 77, on=True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reason": " "}, "REASON must say"),
        ({"legal_basis": ""}, "LEGAL_BASIS must say"),
        ({"by": "x" * 1001}, "BY must say"),
    ],
)
def test_order_without_words_is_refused(changed, said):
    """What is kept for good instead of the call must say something."""
    with pytest.raises(ConfigurationError, match=said):
        order(**changed)


def test_conversation_that_nobody_knows_is_refused(opened):
    """A tombstone for something that never was would be a false exclusion."""
    with opened() as day:
        with pytest.raises(ConfigurationError, match="knows no conversation"):
            erase_conversation(day.lake, order(77))
        assert [] == list(day.lake.list_keys("tombstones/"))


def test_quarantined_bytes_go_too(opened):
    """Refused bytes of the conversation are bytes of the conversation; what is nobody's is named for a person."""
    with opened() as day:
        date = str(DAY)
        own = quarantine_key(date, "structure_whole", MediaIdentity(ORG, date, conversation(1), "", 0), "a" * 64, "wav")
        strange = quarantine_key(date, "unmapped", MediaIdentity(ORG, date, "", "", 0), "b" * 64, "wav")
        for key, body in ((own, b"own"), (strange, b"strange")):
            digest = hashlib.sha256(body).hexdigest()
            day.lake.put_if_absent(key, io.BytesIO(body), bytes_=len(body), sha256=digest, media_type="audio/wav")
        erasure = erase_conversation(day.lake, order())
        assert (None, b"strange") == (day.lake.read(own), day.lake.read(strange))
        assert (strange,) == erasure.unassigned
        assert any("NOT ASSIGNED" in line and strange in line for line in erasure.lines("s3://x"))


def test_old_tasks_cannot_bring_it_back(opened):
    """A task of before the erasure that is cleared finds its plan again, and neither asks for it nor archives it."""
    with opened() as day:
        old = day.plan
        erase_conversation(day.lake, order())
        assert day.lake.read(old.key) is None
        plan = read_shard_plan(day.lake, old.key)
        assert (old.shard, {}) == (plan.shard, plan.facts[conversation(1)])
        asked = []

        class Source:
            def submit_batches(self, batch, _output_format):
                asked.extend(batch)
                return type("Submitted", (), {"jobs": (), "poisoned": ()})

        now = DAY.end + timedelta(hours=4)
        submit_shard(Source(), plan, Memory(), output_format=None, now=now, erased={conversation(1)})
        assert sorted([conversation(2), conversation(3)]) == asked
        # Another recording is gone, so that the task has something to do.
        remove(day.lake, next(key for key in media_keys(day.lake) if conversation(2) in key))
        day.archive(plan)
        assert [] == keys_with(day.lake, *traces_of(1))
        assert EXPECTED == outcomes(day.lake)


def test_what_comes_back_keeps_the_day_open(opened):
    """A task that was at work at that moment may put something again: the day is open, and erasing again closes it."""
    with opened() as day:
        media = next(key for key in media_keys(day.lake) if conversation(1) in key)
        erase_conversation(day.lake, order())
        name = {"Bucket": day.lake.location.bucket, "Key": f"{day.lake.location.prefix}/{media}"}
        day.lake._client.put_object(**name, Body=audio(1))
        state = present_state(day.lake, read_head(day.lake, ORG, DAY))
        assert ["erasure_unfinished"] == [item.reason for item in state.items[conversation(1)]]
        assert not state.is_complete
        erase_conversation(day.lake, order())
        assert EXPECTED == outcomes(day.lake)
        assert 2 == len(tombstones_of(day.lake, ORG, str(DAY), conversation(1)))


def test_copy_that_comes_back_keeps_the_day_open(opened):
    """Copies are made by a task of their own, from an original that it may have read before the erasure."""
    with opened() as day:
        original = MediaKey.parse(next(key for key in media_keys(day.lake) if conversation(1) in key))
        erase_conversation(day.lake, order())
        key = derived_key(original.identity, original.sha256, "wav-mono", "ab" * 32, "wav")
        name = {"Bucket": day.lake.location.bucket, "Key": f"{day.lake.location.prefix}/{key}"}
        day.lake._client.put_object(**name, Body=audio(1))
        state = present_state(day.lake, read_head(day.lake, ORG, DAY))
        assert ["erasure_unfinished"] == [item.reason for item in state.items[conversation(1)]]
        erase_conversation(day.lake, order())
        assert (EXPECTED, None) == (outcomes(day.lake), day.lake.head(key))


class CutError(BaseException):
    """The process is gone."""


def cut_after(lake, calls):
    """Let the lake's client die at that call."""
    left = iter(range(calls))

    def die(**_):
        if next(left, None) is None:
            raise CutError

    lake._client.meta.events.register("before-call.s3", die, unique_id="cut")
    return lambda: lake._client.meta.events.unregister("before-call.s3", unique_id="cut")


def calls_of(lake, number):
    """Erase a conversation and return how many requests it took."""
    seen = []
    lake._client.meta.events.register("before-call.s3", lambda **_: seen.append(1), unique_id="count")
    erase_conversation(lake, order(number))
    lake._client.meta.events.unregister("before-call.s3", unique_id="count")
    return len(seen)


def cut_at(opened, share):
    """Cut an erasure at a share of its requests, and return what an unfinished and a finished one leave."""
    with opened() as day:
        total = calls_of(day.lake, 3)
        release = cut_after(day.lake, int(total * share))
        try:
            with pytest.raises(CutError):
                erase_conversation(day.lake, order())
        finally:
            release()
        tombstone = any(conversation(1) in key for key in day.lake.list_keys("tombstones/"))
        certified = any(conversation(1) in key for key in day.lake.list_keys("erasures/"))
        between = outcomes(day.lake)[conversation(1)]
        erase_conversation(day.lake, order())
        assert [] == keys_with(day.lake, *traces_of(1))
        assert EXPECTED | {conversation(3): "erased"} == outcomes(day.lake)
        assert 1 == len(tombstones_of(day.lake, ORG, str(DAY), conversation(1)))
        return tombstone, certified, between


@pytest.mark.parametrize("share", [0.4, 0.6, 0.7, 0.98])
def test_cut_short_it_is_seen_and_finished(opened, share):
    """Wherever it is cut: before the tombstone nothing has happened, after it the day is open, and again finishes."""
    tombstone, certified, between = cut_at(opened, share)
    assert {(False, False): "archived", (True, False): "pending", (True, True): "erased"}[
        tombstone, certified
    ] == between


@pytest.mark.evidence
@pytest.mark.parametrize("percent", range(0, 100, 2))
def test_cut_short_anywhere(opened, percent):
    """The same at fifty places."""
    tombstone, certified, between = cut_at(opened, percent / 100)
    expected = {(False, False): "archived", (True, False): "pending", (True, True): "erased"}
    assert expected[tombstone, certified] == between


def test_day_is_found_by_the_id(opened):
    """A person who has only the id is told the day, also once it is erased."""
    with opened() as day:
        assert (ORG, DAY) == place_of(day.lake, conversation(1), "", ZONE)
        erase_conversation(day.lake, order())
        assert (str(DAY),) == dates_of(day.lake, conversation(1))
        with pytest.raises(ConfigurationError, match="give DATE"):
            place_of(day.lake, conversation(77), "", ZONE)
        with pytest.raises(ConfigurationError, match="no commit of 2026-04-04"):
            place_of(day.lake, conversation(1), "2026-04-04", ZONE)


def test_catalog_loses_its_rows_in_every_version(opened):
    """The partition is built anew without the conversation, and what it was before is gone."""
    with opened() as day:
        catalog_day(day.lake, ORG, DAY)
        assert {conversation(1), conversation(2), conversation(3)} == catalogued(day.lake)
        erase_conversation(day.lake, order())
        assert {conversation(2), conversation(3)} == catalogued(day.lake)
        assert 1 == len(list(day.lake.versions.list("catalog/recordings/")))


def catalogued(lake):
    """Return the conversations in the day's partition."""
    table = parquet.read_table(io.BytesIO(lake.read(catalog_key(str(DAY)))))
    return set(table["conversation_id"].to_pylist())


def quoting(lake):
    """Return the keys that say of the conversation what it was before."""
    bodies = every_version(lake).items()
    needles = (conversation(1).encode(), b"missing_in_lake")
    return sorted(item.key for item, body in bodies if all(needle in body for needle in needles))


def test_reports_say_it_and_their_past_is_gone(opened):
    """The report names the class; no older version of it speaks of what the conversation was."""
    with opened() as day:
        media = next(key for key in media_keys(day.lake) if conversation(1) in key)
        remove(day.lake, media)
        assert not reconcile_day(day.lake, ORG, DAY, ())[0].is_complete
        assert 2 == len(quoting(day.lake))
        erase_conversation(day.lake, order())
        assert [] == quoting(day.lake)
        report = json.loads(day.lake.read(f"reports/date={DAY}/report.json"))
        assert {"archived": 2, "erased": 1} == report["conversations"]
        (named,) = [item for item in report["exclusions"] if item["outcome"] == str(Outcome.ERASED)]
        assert (conversation(1), "erased_on_request", "tombstone") == (
            named["conversation_id"],
            named["reason"],
            named["said_by"],
        )


def test_task_at_work_is_told(opened):
    """Something that is there again right after the deletion is not certified."""
    with opened() as day:
        media = next(key for key in media_keys(day.lake) if conversation(1) in key)
        name = {"Bucket": day.lake.location.bucket, "Key": f"{day.lake.location.prefix}/{media}"}
        client = day.lake._client
        back = []

        def put_again(**_):
            if not back:
                back.append(True)
                client.put_object(**name, Body=audio(1))

        client.meta.events.register("before-call.s3.ListMultipartUploads", put_again, unique_id="again")
        try:
            with pytest.raises(LakeUnavailable, match="still or again"):
                erase_conversation(day.lake, order())
        finally:
            client.meta.events.unregister("before-call.s3.ListMultipartUploads", unique_id="again")
        assert [] == list(day.lake.list_keys("erasures/"))


def test_other_days_and_conversations_are_untouched(opened):
    """Every object that is not the conversation's, a plan of it or a report keeps its bytes."""
    with opened() as day:
        before = everything_in(day.lake)
        erase_conversation(day.lake, order())
        after = everything_in(day.lake)
        gone = {key for key in before if key not in after}
        assert all(conversation(1) in key or key.startswith("plans/") for key in gone)
        changed = {key for key in before.keys() & after.keys() if before[key] != after[key]}
        assert all(key.startswith("reports/") for key in changed)


def test_rules_decide_per_queue_what_can_be_erased(lake_client, versioned_bucket, tmp_path):
    """Audio and metadata of one queue are locked as its rule says, its neighbours as the lake's own protection says."""
    entries = [
        {"name": "cards", "queues": ["Queue-1"], "mode": "none"},
        {"name": "trading", "divisions": ["d-2"], "mode": "COMPLIANCE", "days": 1},
    ]
    retention = RetentionRules.from_environment({VARIABLE: json.dumps(entries)})
    writing = Writing(Protection("GOVERNANCE", 1), retention=retention)
    lake = LakeStore(lake_client, LakeLocation(versioned_bucket, f"rules/{uuid4().hex}"), writing)
    with desk(lake, tmp_path) as table:
        ErasedDay(table).archive()
        modes = {
            number: {
                lake.versions.guards(version).mode
                for version in lake.versions.list("media/")
                if conversation(number) in version.key
            }
            for number in (1, 2, 3)
        }
        assert {1: {""}, 2: {"COMPLIANCE"}, 3: {"GOVERNANCE"}} == modes
        erase_conversation(lake, order(1))
        assert [] == keys_with(lake, *traces_of(1))
        with pytest.raises(ObjectLocked, match="COMPLIANCE"):
            erase_conversation(lake, order(2), bypass_governance=True)
