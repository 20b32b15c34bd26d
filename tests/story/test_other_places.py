"""A conversation that lies in more than one place: who erases or holds it reaches each of them, and says so."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from include.errors import ConfigurationError, ObjectLocked
from include.lake import layout
from include.lake.layout import MediaIdentity, quarantine_key
from include.lake.manifest import Manifest
from include.lake.plan import DayPlan, ShardPlan
from include.lake.store import LakeStore
from include.local_day import ONE_DAY, LocalDay
from include.outcome import ItemRecord, Outcome
from include.settings import LakeLocation
from include.transfer.day import commit_day
from include.transfer.erase import erase_conversation
from include.transfer.erase_everywhere import erase_everywhere
from include.transfer.hold import HoldOrder, hold_everywhere
from include.transfer.verify import Scope, verify_lake
from tests.story.desk import ORG, audio, conversation, recording_of, sha256
from tests.story.erased_day import every_version, facts_of, keys_with, order, traces_of
from tests.story.night import DAY, ZONE

NO_DAY = LocalDay.of(layout.UNKNOWN_CALL_DATE, ZONE)
NEXT = LocalDay(DAY.date + ONE_DAY, ZONE)
WORDS = HoldOrder(ORG, DAY, conversation(1), "litigation", "counsel")


def put_there(lake, day, conversation_id, recording_id, body, *, facts=None, org=ORG):
    """Commit a day that has this one recording, as a run would, but without a document beside the sound."""
    plan = DayPlan(org, day, (conversation_id,))
    shard = ShardPlan(org, str(day), ZONE.key, ((conversation_id,),), {conversation_id: facts or {}})
    identity = MediaIdentity(org, str(day), conversation_id, recording_id, 0)
    key = layout.media_key(identity, sha256(body), "wav")
    beside = layout.metadata_key(identity, sha256(body))
    for document in (plan, shard):
        lake.put_document(document.key, document.body())
    lake.put_document(key, body)
    lake.put_document(beside, b"{}\n")
    item = ItemRecord(
        conversation_id, recording_id, 0, Outcome.ARCHIVED, key=key, sha256=sha256(body), bytes=len(body),
        media_type="audio/wav", metadata_key=beside, metadata_sha256=sha256(b"{}\n"),
    )  # fmt: skip
    Manifest(org, str(day), (conversation_id,), (item,), 0, shard.key).write(lake)
    commit_day(lake, org, day, [plan.key])


def hole(lake, recording_id):
    """Commit a day on which the source had deleted the only recording of the conversation."""
    plan = DayPlan(ORG, DAY, (conversation(1),))
    lake.put_document(plan.key, plan.body())
    gone = ItemRecord(conversation(1), recording_id, 0, Outcome.DELETED_AT_SOURCE, "deleted", "metadata", "DELETED")
    Manifest(ORG, str(DAY), (conversation(1),), (gone,)).write(lake)
    commit_day(lake, ORG, DAY, [plan.key])


@pytest.fixture
def locking(lake_client, locking_bucket):
    """Return an empty lake in a bucket with versions and locks."""
    return LakeStore(lake_client, LakeLocation(locking_bucket, f"places/{uuid4().hex}"))


def test_erasing_reaches_media_of_a_recording_that_its_day_lacks(lake):
    """The source had deleted it before the night came, so its own day has nothing but its name."""
    hole(lake, recording_of(1))
    put_there(lake, NO_DAY, recording_of(1), recording_of(1), audio(1))
    erased = erase_everywhere(lake, order())
    assert [] == keys_with(lake, audio(1))
    assert [(DAY, conversation(1)), (NO_DAY, recording_of(1))] == [
        (each.order.day, each.order.conversation_id) for each in erased
    ]


def test_erasing_reaches_media_of_a_recording_that_its_day_refused(opened):
    """Its bytes are in quarantine there, and under no call they are whole."""
    with opened() as day:
        identity = MediaIdentity(ORG, str(DAY), conversation(1), recording_of(7), 0)
        key = quarantine_key(str(DAY), "structure_broken", identity, sha256(b"not whole"), "bin")
        day.lake.put_document(key, b"not whole")
        put_there(day.lake, NO_DAY, recording_of(7), recording_of(7), audio(7))
        erase_everywhere(day.lake, order())
        assert [] == keys_with(day.lake, *traces_of(1), audio(7), b"not whole")


def test_erasing_reaches_refused_media_under_no_call(lake):
    """What its media id alone brought was damaged, and lies in quarantine under a day that no call has."""
    hole(lake, recording_of(1))
    identity = MediaIdentity(ORG, str(NO_DAY), recording_of(1), recording_of(1), 0)
    lake.put_document(quarantine_key(str(NO_DAY), "structure_broken", identity, sha256(audio(1)), "wav"), audio(1))
    commit_day(lake, ORG, NO_DAY, [])
    erase_everywhere(lake, order())
    assert [] == keys_with(lake, audio(1))


def test_erasing_reaches_the_other_day(opened):
    """Its start has moved over midnight between two looks: both days archived it, and both forget it."""
    with opened() as day:
        put_there(day.lake, NEXT, conversation(1), recording_of(1), audio(1), facts=facts_of(1))
        erased = erase_everywhere(day.lake, order())
        assert [] == keys_with(day.lake, *traces_of(1))
        assert [DAY, NEXT] == [each.order.day for each in erased]
        assert () == verify_lake(day.lake, Scope(whole=True, deep=True)).findings
        before = every_version(day.lake)
        assert [True, True] == [each.already for each in erase_everywhere(day.lake, order())]
        assert before == every_version(day.lake)


def test_a_lock_in_one_place_keeps_all_of_them(locking):
    """Nothing is half erased: the other day's hold is asked for before anything goes."""
    put_there(locking, DAY, conversation(1), recording_of(1), audio(1))
    put_there(locking, NEXT, conversation(1), recording_of(1), audio(1))
    other = replace(WORDS, day=NEXT)
    assert {DAY, NEXT} == {each.order.day for each in hold_everywhere(locking, other)}
    hold_everywhere(locking, replace(other, on=False))
    locking.versions.hold(max(locking.versions.list(f"media/org={ORG}/date={NEXT}/")), on=True)
    before = every_version(locking)
    with pytest.raises(ObjectLocked, match="Nothing was erased"):
        erase_everywhere(locking, order())
    assert before == every_version(locking)


def test_holding_reaches_what_only_lies_under_no_call(locking):
    """Its own day holds nothing of it, and the copy is held all the same; of what is nowhere it says so."""
    hole(locking, recording_of(1))
    with pytest.raises(ConfigurationError, match="holds nothing of"):
        hold_everywhere(locking, WORDS)
    put_there(locking, NO_DAY, recording_of(1), recording_of(1), audio(1))
    (held,) = hold_everywhere(locking, WORDS)
    assert (NO_DAY, 2) == (held.order.day, held.changed)
    with pytest.raises(ObjectLocked, match="under a legal hold"):
        erase_conversation(locking, order().__class__(ORG, NO_DAY, recording_of(1), "asked", "Art. 17 GDPR", "dpo"))
