"""Erasing one conversation on a real server with versions and locks: all of it goes, and the day stays whole."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import pytest

from include.errors import ConfigurationError
from include.lake.commit import read_head
from include.lake.layout import MediaIdentity, derived_key, erasure_key, media_key, quarantine_key
from include.lake.tombstone import tombstones_of
from include.lake.whereabouts import dates_of, place_of
from include.transfer.day_state import state_of
from include.transfer.erase import erase_conversation
from tests.story.desk import ORG, audio, conversation, recording_of
from tests.story.erased_day import EXPECTED, every_version, keys_with, order, outcomes, traces_of
from tests.story.night import DAY, ZONE, everything_in, media_keys


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


def test_dry_run_touches_nothing(opened):
    """It says what would go, and the bucket stays as it is."""
    with opened() as day:
        before = every_version(day.lake)
        would = erase_conversation(day.lake, order(), dry_run=True)
        assert before == every_version(day.lake)
        assert 3 == len(would.objects)
        assert "DRY RUN" in would.lines("s3://x")[0]


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


def test_what_is_still_being_uploaded_goes(opened):
    """Of the recording, of a copy and of refused bytes: no listing of objects shows them."""
    with opened() as day:
        identity = MediaIdentity(ORG, str(DAY), conversation(1), recording_of(1), 0)
        other = replace(identity, conversation_id=conversation(2))
        keys = [
            media_key(identity, "0" * 64, "wav"),
            derived_key(identity, "0" * 64, "wav", "0" * 64, "wav"),
            quarantine_key(str(DAY), "size_mismatch", identity, "0" * 64, "wav"),
        ]
        kept = quarantine_key(str(DAY), "size_mismatch", other, "0" * 64, "wav")
        where = day.lake.location
        for key in (*keys, kept):
            day.lake._client.create_multipart_upload(Bucket=where.bucket, Key=f"{where.prefix}/{key}")
        assert {*keys, kept} == {upload.key for upload in day.lake.open_uploads()}
        erase_conversation(day.lake, order())
        assert [kept] == [upload.key for upload in day.lake.open_uploads()]
