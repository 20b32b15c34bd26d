"""An erasure that is cut short, or that something comes back after: it is seen, and erasing again finishes it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include.errors import LakeUnavailable
from include.lake.commit import read_head
from include.lake.key_reading import MediaKey
from include.lake.layout import derived_key, erasure_key
from include.lake.tombstone import read_shard_plan, tombstones_of
from include.transfer.day_state import present_state
from include.transfer.erase import erase_conversation
from include.transfer.submit import submit_shard
from tests.story.desk import ORG, audio, conversation
from tests.story.erased_day import EXPECTED, keys_with, order, outcomes, traces_of
from tests.story.night import DAY, Memory, media_keys, remove


def test_unfinished_erasure_is_not_called_done(opened):
    """Without its certificate an erasure has not come to its end: the same order finishes it, and says so."""
    with opened() as day:
        (tombstone,) = erase_conversation(day.lake, order()).tombstones
        for version in day.lake.versions.list(erasure_key(tombstone.key)):
            day.lake.versions.delete(version)
        assert "DRY RUN" in erase_conversation(day.lake, order(), dry_run=True).lines("s3://x")[0]
        assert "CERTIFICATE OF ERASURE" == erase_conversation(day.lake, order()).lines("s3://x")[0]


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
