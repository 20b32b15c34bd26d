"""A conversation that was erased on one day and whose start has moved to another: it comes back by no way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from include.audit.finding import FindingKind
from include.audit.reconcile import ERASED_ON_REQUEST, ERASURE_UNFINISHED
from include.errors import ConfigurationError
from include.lake import layout
from include.lake.commit import read_head
from include.lake.erasures import erasures_of
from include.lake.manifest import Manifest
from include.lake.plan import DayPlan, ShardPlan
from include.lake.tombstone import Tombstone
from include.local_day import ONE_DAY, LocalDay
from include.outcome import ItemRecord, Outcome
from include.transfer.catalog import catalog_day
from include.transfer.catalog_rebuild import rebuild_day
from include.transfer.day import commit_day, reconcile_day
from include.transfer.day_outbox import open_outbox
from include.transfer.day_state import archived_parts, present_state, state_of
from include.transfer.erase import ErasureOrder
from include.transfer.erase_everywhere import erase_everywhere
from include.transfer.single import archive_single, media_downloader
from include.transfer.submit import submit_shard
from include.transfer.verify import Scope, verify_lake
from tests.story.desk import ORG, audio, conversation, recording_of
from tests.story.erased_day import every_version, facts_of, keys_with, order, traces_of
from tests.story.export_desk import NOW, config_of, export_desk
from tests.story.night import DAY, ZONE, Memory, clean, everything_in, media_keys
from tests.story.one_recording import one_of, plan, wish_for
from tests.story.test_other_places import put_there

BEFORE = LocalDay(DAY.date - 5 * ONE_DAY, ZONE)
WHOLE = Scope(whole=True, deep=True)


def erased_before(lake, org, conversation_id):
    """Archive it on another day, five before, and erase it there; return the key of its tombstone."""
    put_there(lake, BEFORE, conversation_id, recording_of(1), audio(1), facts=facts_of(1), org=org)
    words = ("asked for by the caller", "GDPR Art. 17(1)(b)", "dpo")
    (done,) = erase_everywhere(lake, ErasureOrder(org, BEFORE, conversation_id, *words))
    return done.tombstones[0].key


def findings(lake):
    """Verify everything, and leave out that the days between were not committed."""
    found = verify_lake(lake, WHOLE).findings
    return [item for item in found if item.kind is not FindingKind.GAP]


@pytest.fixture
def moved(lake, tmp_path):
    """Return a night whose day has a conversation that was erased on another, and the key of its tombstone."""
    with clean(lake, tmp_path, conversations=4) as tonight:
        one, _ = one_of(tonight)
        yield tonight, one, erased_before(lake, tonight.box.org_id, one)


def submitted(tonight):
    """Plan and submit as the tasks do; return the plans of the night's shards with what was submitted."""
    planned = tonight.plan()
    shards = [tonight.shard(planned, number) for number in range(len(planned.shards))]
    gone = erasures_of(tonight.lake, str(DAY)).anywhere
    sent = [
        submit_shard(tonight.source, shard, Memory(), output_format=None, now=datetime.now(UTC), erased=gone)
        for shard in shards
    ]
    return planned, list(zip(shards, sent, strict=True))


def test_night_names_it_and_fetches_nothing(moved):
    """Neither asked for nor planned with facts; its other day calls it erased, is complete, and proves it."""
    tonight, one, stone = moved
    planned, pairs = submitted(tonight)
    assert one not in {item for _, sent in pairs for job in sent.jobs for item in job.conversation_ids}
    assert [{}] == [shard.facts[one] for shard, _ in pairs if one in shard.conversation_ids]
    for shard, sent in pairs:
        tonight.wait(sent)
        tonight.archive(shard, sent)
    commit, _ = commit_day(tonight.lake, tonight.box.org_id, DAY, [planned.plan_key])
    state, _ = reconcile_day(tonight.lake, tonight.box.org_id, DAY, [planned.plan_key])
    assert not any(one in key for key in media_keys(tonight.lake))
    said = state_of(tonight.lake, commit).items[one]
    assert [(Outcome.ERASED, ERASED_ON_REQUEST, stone)] == [(item.outcome, item.reason, item.fact) for item in said]
    assert state.is_complete
    assert {"archived": 3, "erased": 1} == commit.summary["conversations"]
    assert [] == findings(tonight.lake)


def test_second_night_writes_nothing(moved):
    """Neither does a second erasure, which reaches no day that only names it."""
    tonight, one, _ = moved
    tonight.run()
    before = everything_in(tonight.lake)
    planned, state = tonight.run()
    assert (0, True) == (planned.outstanding, state.is_complete)
    words = ("once more", "GDPR Art. 17(1)(b)", "dpo")
    (again,) = erase_everywhere(tonight.lake, ErasureOrder(tonight.box.org_id, BEFORE, one, *words))
    assert again.already
    assert before == everything_in(tonight.lake)


def test_what_a_person_has_to_finish_is_not_asked_for(moved):
    """No manifest would change it, and each night would write another."""
    tonight, one, _ = moved
    tonight.run()
    identity = layout.MediaIdentity(tonight.box.org_id, str(DAY), one, recording_of(1), 0)
    tonight.lake.put_document(layout.media_key(identity, "0" * 64, "wav"), b"sound")
    planned = tonight.plan()
    assert (4, 0, ()) == (planned.expected, planned.outstanding, planned.shards)


def test_erasure_between_plan_and_download(lake, tmp_path):
    """The job delivers it, and it is left out: the task looks again for who was erased, on whichever day."""
    with clean(lake, tmp_path, conversations=4) as tonight:
        one, _ = one_of(tonight)
        planned = tonight.plan()
        shard, sent = tonight.ready(planned)
        erased_before(lake, tonight.box.org_id, one)
        tonight.archive(shard, sent)
        assert not any(one in key for key in media_keys(lake))


def test_single_is_refused(moved):
    """By whichever day a person asks, before the plan and before the download."""
    tonight, _, stone = moved
    with pytest.raises(ConfigurationError, match=f"was erased on request and is not fetched again: .*{stone}"):
        plan(tonight, wish_for(tonight, one_of(tonight)))
    assert [] == [key for key in everything_in(tonight.lake) if f"date={DAY}" in key]


def test_single_that_was_planned_before_is_refused(lake, tmp_path):
    """The erasure came in between, on another day."""
    with clean(lake, tmp_path, conversations=4) as tonight:
        place = one_of(tonight)
        planned = plan(tonight, wish_for(tonight, place))
        erased_before(lake, tonight.box.org_id, place[0])
        shard = ShardPlan.read(lake, planned.shard_key)
        with (
            media_downloader(tonight.source, tonight.settings) as downloader,
            pytest.raises(ConfigurationError, match="was erased on request"),
        ):
            archive_single(tonight.source, lake, downloader, tonight.settings, shard, planned)
        assert [] == tonight.downloads()


def test_export_names_it_and_brings_nothing(lake, lake_client, tmp_path):
    """Its objects are settled, its day calls it erased, and a second ingest has no news."""
    with export_desk(lake, lake_client, tmp_path, config_of(conversations=4)) as desk:
        desk.write("first")
        one = min(item.key.split("conversation_id=")[1][:36] for item in desk.ports.export.objects(""))
        stone = erased_before(lake, desk.ports.org, one)
        assert 1 == desk.ingest()["erased"]
        assert not any(one in key for key in media_keys(lake))
        (said,) = desk.state().items[one]
        assert (Outcome.ERASED, ERASED_ON_REQUEST, stone) == (said.outcome, said.reason, said.fact)
        assert [] == findings(lake)
        before = desk.objects()
        assert {} == desk.ingest(NOW)
        assert before == desk.objects()


def came_back(lake):
    """Bring it back as an older version of the archive did, and return its other day's head."""
    erased_before(lake, ORG, conversation(1))
    put_there(lake, DAY, conversation(1), recording_of(1), audio(1), facts=facts_of(1))
    return read_head(lake, ORG, DAY)


def test_what_came_back_is_seen(lake):
    """Its day is open again, the auditor is told, and no row, copy or message is made of it."""
    head = came_back(lake)
    (said,) = present_state(lake, head).items[conversation(1)]
    assert (Outcome.PENDING, ERASURE_UNFINISHED) == (said.outcome, said.reason)
    assert [] == archived_parts(lake, ORG, DAY)
    assert {FindingKind.RESURRECTED} == {item.kind for item in findings(lake)}
    assert 3 == len(findings(lake))
    assert 0 == catalog_day(lake, ORG, DAY).manifest.rows == rebuild_day(lake, DAY).manifest.rows
    box = open_outbox(lake, ORG, DAY)
    assert [0] == box.withdrawn([0])


def test_what_came_back_is_erased_by_the_same_order(lake):
    """The first day's order finds the other day too; afterwards nothing is left and everything is proved."""
    came_back(lake)
    done = erase_everywhere(lake, replace(order(), day=BEFORE))
    assert [BEFORE, DAY] == [each.order.day for each in done]
    assert [] == keys_with(lake, *traces_of(1))
    assert [] == findings(lake)
    assert present_state(lake, read_head(lake, ORG, DAY)).is_complete
    before = every_version(lake)
    erase_everywhere(lake, replace(order(), day=BEFORE))
    assert before == every_version(lake)


def test_day_beside_that_only_expects_it_is_no_place_of_it(lake):
    """Its manifest calls it erased; a tombstone there too would be of nothing."""
    stone = erased_before(lake, ORG, conversation(1))
    beside = LocalDay(BEFORE.date + ONE_DAY, ZONE)
    expecting = DayPlan(ORG, beside, (conversation(1),))
    lake.put_document(expecting.key, expecting.body())
    named(lake, stone, conversation_id=conversation(1), day=beside)
    (again,) = erase_everywhere(lake, replace(order(), day=BEFORE))
    assert (BEFORE, True) == (again.order.day, again.already)


def test_bytes_that_no_plan_expects_are_seen(lake):
    """A worker that died put them there before anything expected them."""
    erased_before(lake, ORG, conversation(1))
    put_there(lake, DAY, conversation(2), recording_of(2), audio(2))
    identity = layout.MediaIdentity(ORG, str(DAY), conversation(1), recording_of(1), 0)
    lake.put_document(layout.media_key(identity, "0" * 64, "wav"), b"sound")
    state = present_state(lake, read_head(lake, ORG, DAY))
    assert [ERASURE_UNFINISHED] == [item.reason for item in state.items[conversation(1)]]


def named(lake, tombstone, *, conversation_id, day=DAY):
    """Commit a day whose manifest calls the conversation erased, with this tombstone."""
    item = ItemRecord(conversation_id, "", 0, Outcome.ERASED, ERASED_ON_REQUEST, "tombstone", tombstone)
    Manifest(ORG, str(day), (conversation_id,), (item,)).write(lake)
    return commit_day(lake, ORG, day, ())[0]


@pytest.mark.parametrize("planted", [True, False], ids=["tombstone without an erasure", "no tombstone"])
def test_word_without_an_erasure_proves_nothing(lake, planted):
    """Who can write a manifest, or one object below tombstones, makes no loss look like an erasure."""
    words = ("x", "y", "z", "2026-03-05T00:00:00+00:00")
    stone = Tombstone(ORG, str(BEFORE), conversation(1), *words, ())
    if planted:
        lake.put_document(stone.key, stone.body())
    head = named(lake, stone.key, conversation_id=conversation(1))
    assert not present_state(lake, head).is_complete
    kind = FindingKind.UNPROVED if planted else FindingKind.MISSING
    assert (kind, stone.key) in {(item.kind, item.key) for item in verify_lake(lake, Scope((str(DAY),))).findings}


def test_day_is_open_until_the_erasure_is_finished(lake):
    """Cut short on its own day, it is open on both; the same order finishes it, and both are complete."""
    put_there(lake, BEFORE, conversation(1), recording_of(1), audio(1))
    stone = Tombstone(ORG, str(BEFORE), conversation(1), "x", "y", "z", "2026-03-05T00:00:00+00:00", ())
    lake.put_document(stone.key, stone.body())
    head = named(lake, stone.key, conversation_id=conversation(1))
    assert not present_state(lake, head).is_complete
    (done,) = erase_everywhere(lake, replace(order(), day=BEFORE))
    assert BEFORE == done.order.day
    assert present_state(lake, head).is_complete
    assert [] == findings(lake)


def test_word_with_another_ones_tombstone_is_a_contradiction(lake):
    """A tombstone speaks for its own conversation."""
    stone = erased_before(lake, ORG, conversation(1))
    head = named(lake, stone, conversation_id=conversation(2))
    assert not present_state(lake, head).is_complete
    (found,) = verify_lake(lake, Scope((str(DAY),))).findings
    assert (FindingKind.CONTRADICTION, stone) == (found.kind, found.key)
