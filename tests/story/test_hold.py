"""What keeps a conversation from being erased: locks, retention and legal holds, on a server that enforces them."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from include.errors import ConfigurationError, ObjectLocked
from include.lake.commit import read_head
from include.lake.protection import Protection
from include.lake.retention import VARIABLE, RetentionRules
from include.lake.store import LakeStore, Writing
from include.settings import LakeLocation
from include.transfer.erase import erase_conversation
from include.transfer.hold import HoldOrder
from tests.story.desk import ORG, conversation, desk
from tests.story.erased_day import EXPECTED, ErasedDay, every_version, hold, keys_with, order, outcomes, traces_of
from tests.story.night import DAY

LOCKED_DAYS = {"retention_days": 1}


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


def test_rules_decide_per_queue_what_can_be_erased(lake_client, locking_bucket, tmp_path):
    """Audio and metadata of one queue are locked as its rule says, its neighbours as the lake's own protection says."""
    entries = [
        {"name": "cards", "queues": ["Queue-1"], "mode": "none"},
        {"name": "trading", "divisions": ["d-2"], "mode": "COMPLIANCE", "days": 1},
    ]
    retention = RetentionRules.from_environment({VARIABLE: json.dumps(entries)})
    writing = Writing(Protection("GOVERNANCE", 1), retention=retention)
    lake = LakeStore(lake_client, LakeLocation(locking_bucket, f"rules/{uuid4().hex}"), writing)
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
