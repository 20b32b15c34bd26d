"""The full walk over a day's commits, journal and seals: no false alarm, and whatever was done is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from include.audit.events import Action, Event
from include.audit.finding import FindingKind
from include.audit.journal import NO_COMMIT, write_segment
from include.audit.signature import JournalSigning, Seal
from include.canonical import canonical_json, sha256_hex
from include.errors import IntegrityError
from include.lake import layout
from include.lake.store import LakeStore
from include.outcome import Outcome
from include.secret import Secret
from include.settings import LakeLocation
from include.transfer.day import commit_day
from include.transfer.day_check import check_day
from include.transfer.day_journal import append_segment
from tests.story.day_ends import settle
from tests.story.desk import ORG
from tests.story.night import DAY, everything_in, remove

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

    from demo.object_store import ObjectStore
    from include.lake.store import Put

DATE = str(DAY)
KEY = JournalSigning(Secret("a secret of thirty-two bytes and more")).key()
OTHER = JournalSigning(Secret("another secret of more than thirty-two bytes")).key()
LOOKED = Event(Action.VERIFIED, at="2026-03-04T02:00:00+00:00", note="quick: nothing found")


def replace_with(lake: LakeStore, key: str, body: bytes) -> None:
    """Overwrite an object behind the archive's back."""
    lake._client.put_object(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/{key}", Body=body)


def three_versions(lake: LakeStore) -> LakeStore:
    """Commit a day three times, and look at it twice in between."""
    settle(lake, Outcome.PENDING, 1, 2)
    commit_day(lake, ORG, DAY, [], key=KEY)
    append_segment(lake, ORG, DAY, "verify", [LOOKED, LOOKED])
    settle(lake, Outcome.ARCHIVED, 1, 2, base_version=1)
    commit_day(lake, ORG, DAY, [], key=KEY)
    settle(lake, Outcome.NO_RECORDING, 3, base_version=2)
    commit_day(lake, ORG, DAY, [], key=KEY)
    append_segment(lake, ORG, DAY, "verify", [LOOKED])
    return lake


@pytest.fixture(scope="module")
def kept(object_store: ObjectStore, lake_client: S3Client) -> dict[str, bytes]:
    """Return every object of such a day, made once."""
    lake = three_versions(LakeStore(lake_client, LakeLocation(object_store.bucket, f"tests/{uuid4().hex}")))
    return {key: lake.read(key) or b"" for key in lake.list_keys("")}


@pytest.fixture
def day(lake: LakeStore, kept: dict[str, bytes]) -> LakeStore:
    """Return a lake with such a day: nothing in it names the place it stands in."""
    for key, body in kept.items():
        lake.put_document(key, body)
    return lake


def own_segment(lake: LakeStore, version: int) -> str:
    """Return the key of the segment that a commit wrote."""
    return next(lake.list_keys(f"{layout.journal_prefix(DATE)}run=v{version:08d}/"))


def kinds(lake: LakeStore, key: object = KEY) -> list[tuple[str, str]]:
    """Return kind and key of every finding."""
    return [(str(item.kind), item.key) for item in check_day(lake, ORG, DATE, key).findings]


def edit(lake: LakeStore, key: str, **changes: object) -> None:
    """Rewrite a document with other values, in the archive's own spelling."""
    replace_with(lake, key, canonical_json({**json.loads(lake.read(key) or b""), **changes}))


def test_day_that_nobody_touched_is_clean(day: LakeStore) -> None:
    """No false alarm; the last look waits for the next commit."""
    checked = check_day(day, ORG, DATE, KEY)
    assert ((), 3, 5) == (checked.findings, checked.commits, checked.segments)
    assert 1 == len(checked.unanchored)
    assert () == check_day(day, ORG, DATE).findings


def test_day_without_commits_is_clean(lake: LakeStore) -> None:
    """Whether there should be one is for another to say."""
    assert ((), 0, 0) == (check_day(lake, ORG, DATE, KEY).findings, 0, 0)


def swap(lake: LakeStore, first: str, second: str) -> None:
    """Exchange two objects."""
    one, other = lake.read(first), lake.read(second)
    replace_with(lake, first, other)
    replace_with(lake, second, one)


COMMIT = {number: layout.commit_key(DATE, number) for number in (1, 2, 3)}


def seal_of(version: int) -> str:
    """Return the key of a seal."""
    return layout.seal_key(DATE, version, KEY.key_id)


def plant(lake: LakeStore, body: bytes) -> None:
    """Put a segment that nobody of us wrote, under the name of its content."""
    replace_with(lake, layout.journal_key(DATE, "planted", sha256_hex(body)), body)


def forge_head(lake: LakeStore) -> None:
    """Rewrite the head and leave a seal without a signature, all of it fitting."""
    edit(lake, COMMIT[3], summary={"expected": 0})
    remove(lake, seal_of(3))
    seal = Seal.of(COMMIT[3], lake.read(COMMIT[3]), None)
    replace_with(lake, layout.seal_key(DATE, 3, seal.key_id), seal.document())


def strip_signature(lake: LakeStore) -> None:
    """Leave a seal without a signature in the place of one with it."""
    seal = Seal.of(COMMIT[2], lake.read(COMMIT[2]) or b"", None)
    remove(lake, seal_of(2))
    replace_with(lake, layout.seal_key(DATE, 2, seal.key_id), seal.document())


TAMPERING: dict[str, tuple[Callable[[LakeStore], object], FindingKind]] = {
    "first commit altered": (lambda lake: edit(lake, COMMIT[1], summary={}), FindingKind.ALTERED),
    "middle commit altered": (lambda lake: edit(lake, COMMIT[2], summary={}), FindingKind.ALTERED),
    "head altered": (lambda lake: edit(lake, COMMIT[3], summary={}), FindingKind.ALTERED),
    "space in the head": (
        lambda lake: replace_with(lake, COMMIT[3], lake.read(COMMIT[3]) + b" "),
        FindingKind.ALTERED,
    ),
    "head is junk": (lambda lake: replace_with(lake, COMMIT[3], b"\xff"), FindingKind.ALTERED),
    "first commit gone": (lambda lake: remove(lake, COMMIT[1]), FindingKind.MISSING),
    "middle commit gone": (lambda lake: remove(lake, COMMIT[2]), FindingKind.MISSING),
    "head gone": (lambda lake: remove(lake, COMMIT[3]), FindingKind.MISSING),
    "commits swapped": (lambda lake: swap(lake, COMMIT[2], COMMIT[3]), FindingKind.ALTERED),
    "number from afar": (lambda lake: replace_with(lake, layout.commit_key(DATE, 999), b"{}"), FindingKind.MISSING),
    "stranger": (lambda lake: replace_with(lake, f"{COMMIT[3]}.bak", b"x"), FindingKind.ALTERED),
    "forgotten": (lambda lake: edit(lake, COMMIT[3], manifests=[]), FindingKind.CONTRADICTION),
    "other root": (
        lambda lake: edit(lake, COMMIT[3], items={"count": 3, "merkle_root": "0" * 64}),
        FindingKind.ALTERED,
    ),
    "other zone": (lambda lake: edit(lake, COMMIT[3], timezone="UTC"), FindingKind.ALTERED),
    "other organisation": (lambda lake: edit(lake, COMMIT[3], org="stranger"), FindingKind.CONTRADICTION),
    "segment gone": (lambda lake: remove(lake, own_segment(lake, 1)), FindingKind.MISSING),
    "segment cut": (
        lambda lake: replace_with(lake, own_segment(lake, 2), lake.read(own_segment(lake, 2)).splitlines(True)[0]),  # noqa: FBT003
        FindingKind.ALTERED,
    ),
    "segment rewritten": (
        lambda lake: replace_with(lake, own_segment(lake, 1), write_segment("commit", NO_COMMIT, [LOOKED]).body),
        FindingKind.ALTERED,
    ),
    "segments swapped": (lambda lake: swap(lake, own_segment(lake, 1), own_segment(lake, 2)), FindingKind.ALTERED),
    "segment of another day": (
        lambda lake: plant(lake, write_segment("verify", "e" * 64, [LOOKED]).body),
        FindingKind.STRANGER,
    ),
    "junk in the journal": (lambda lake: plant(lake, b"x"), FindingKind.ALTERED),
    "seal gone": (lambda lake: remove(lake, seal_of(3)), FindingKind.UNPROVED),
    "first seal gone": (lambda lake: remove(lake, seal_of(1)), FindingKind.MISSING),
    "middle seal gone": (lambda lake: remove(lake, seal_of(2)), FindingKind.MISSING),
    "signature of a middle commit gone": (strip_signature, FindingKind.MISSING),
    "seal cut": (lambda lake: replace_with(lake, seal_of(2), b""), FindingKind.ALTERED),
    "seal moved": (lambda lake: swap(lake, seal_of(1), seal_of(2)), FindingKind.ALTERED),
    "seal by another key": (
        lambda lake: edit(lake, seal_of(3), signature=Seal.of(COMMIT[3], lake.read(COMMIT[3]), OTHER).signature),
        FindingKind.ALTERED,
    ),
    "head and seal made anew without the key": (forge_head, FindingKind.UNPROVED),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_whatever_was_done_is_found(day: LakeStore, name: str) -> None:
    """The kind that belongs to it is among the findings, and each has a sentence."""
    tamper, kind = TAMPERING[name]
    tamper(day)
    checked = check_day(day, ORG, DATE, KEY)
    assert str(kind) in {str(item.kind) for item in checked.findings}, checked.findings
    assert all(item.key and item.what for item in checked.findings)


@pytest.mark.parametrize("version", [1, 2])
def test_lost_seal_is_named_and_nothing_else(day: LakeStore, version: int) -> None:
    """Whoever verifies without the key learns it too."""
    remove(day, seal_of(version))
    place = layout.seals_of(DATE, version)
    for key in (KEY, None):
        assert {place} == {name[: len(place)] for _, name in kinds(day, key)}


def test_every_byte_of_the_head_counts(day: LakeStore) -> None:
    """Bytes all over the newest commit, which no other commit names yet: the seal shows each, key or none."""
    whole = day.read(COMMIT[3])
    for at in range(0, len(whole), 512):
        replace_with(day, COMMIT[3], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert COMMIT[3] in {item.key for item in check_day(day, ORG, DATE).findings}


def test_cut_chain_is_seen_by_those_who_looked_at_it(day: LakeStore) -> None:
    """Head and seal removed together: the verification that was written on that head says that there was one."""
    remove(day, COMMIT[3])
    remove(day, seal_of(3))
    assert ["stranger"] == [kind for kind, _ in kinds(day)]
    assert "commit that is not there" in check_day(day, ORG, DATE, KEY).findings[0].what


def test_key_that_nothing_was_signed_with_finds_nothing_signed(day: LakeStore) -> None:
    """A missing signature is a finding where a key is configured."""
    assert [("unproved", COMMIT[3])] == kinds(day, OTHER)


def test_looking_makes_no_version_and_the_next_commit_anchors_it(day: LakeStore) -> None:
    """A second run of the unchanged day writes nothing; a commit with something new names the segment."""
    before = everything_in(day)
    commit_day(day, ORG, DAY, [], key=KEY)
    assert before == everything_in(day)
    (waiting,) = check_day(day, ORG, DATE, KEY).unanchored
    settle(day, Outcome.RESTRICTED, 4, base_version=3)
    commit, _ = commit_day(day, ORG, DAY, [], key=KEY)
    assert waiting in {segment.key for segment in commit.journal if segment.version == 4}
    checked = check_day(day, ORG, DATE, KEY)
    assert ((), ()) == (checked.findings, checked.unanchored)


def test_journal_can_be_anchored_at_once(day: LakeStore) -> None:
    """On demand a commit is made for the journal alone, once."""
    first, _ = commit_day(day, ORG, DAY, [], key=KEY, anchor=True)
    again, _ = commit_day(day, ORG, DAY, [], key=KEY, anchor=True)
    assert (4, 4) == (first.version, again.version)
    assert () == check_day(day, ORG, DATE, KEY).unanchored


def test_planted_segment_does_not_stop_the_archive(day: LakeStore, caplog) -> None:
    """It is left out of the commit, said, and found by the check."""
    plant(day, b"x")
    settle(day, Outcome.RESTRICTED, 4, base_version=3)
    commit, _ = commit_day(day, ORG, DAY, [], key=KEY)
    assert not any("planted" in segment.key for segment in commit.journal)
    assert "is not anchored" in caplog.text
    assert ["altered"] == [kind for kind, _ in kinds(day)]


def test_commit_tells_what_it_brought_in_and_no_time_of_its_own(day: LakeStore) -> None:
    """Each item of the new manifests, once, by the class it has there."""
    lines = [json.loads(line) for line in day.read(own_segment(day, 2)).splitlines()]
    assert ["recorded", "archived", "archived", "committed"] == [line["action"] for line in lines]
    assert {"commit"} == {line["actor"] for line in lines}
    assert COMMIT[2] == lines[-1]["key"]
    assert sha256_hex(day.read(COMMIT[1])) == lines[0]["prev_hash"]


def test_crash_between_segment_and_commit_leaves_no_trace(day: LakeStore) -> None:
    """The segment, written again, is the same object; so are commit and seal."""
    before = everything_in(day)
    for key in (COMMIT[3], seal_of(3)):
        remove(day, key)
    commit_day(day, ORG, DAY, [], key=KEY)
    changed = {key for key in before.keys() | everything_in(day) if before.get(key) != everything_in(day).get(key)}
    # The look on version 3 came after it, and is there when version 3 is made again.
    assert {COMMIT[3], seal_of(3)} >= changed


def test_crash_between_commit_and_seal_is_healed(day: LakeStore) -> None:
    """The next run of the day writes the seal, though it has nothing to commit."""
    before = everything_in(day)
    remove(day, seal_of(3))
    commit_day(day, ORG, DAY, [], key=KEY)
    assert before == everything_in(day)


def test_altered_head_stops_the_next_run(day: LakeStore) -> None:
    """The seal does not fit any more: a person must look before anything is built upon it."""
    edit(day, COMMIT[3], tool={})
    with pytest.raises(IntegrityError, match="does not fit its seal"):
        commit_day(day, ORG, DAY, [], key=KEY)


def test_event_of_an_actor_has_its_time(lake: LakeStore) -> None:
    """And there is at least one."""
    with pytest.raises(ValueError, match="needs its time"):
        append_segment(lake, ORG, DAY, "verify", [Event(Action.VERIFIED)])
    with pytest.raises(ValueError, match="without events"):
        append_segment(lake, ORG, DAY, "verify", [])


def test_segment_before_any_commit_belongs_to_the_first(lake: LakeStore) -> None:
    """Somebody acts on a day that was never run."""
    key = append_segment(lake, ORG, DAY, "hold", [LOOKED])
    assert "/run=hold-v00000000/" in key
    commit, _ = commit_day(lake, ORG, DAY, [])
    assert key in {segment.key for segment in commit.journal}
    assert () == check_day(lake, ORG, DATE).findings


class OvertakenOnce(LakeStore):
    """A lake in which another run, with news of its own, commits first just once."""

    rival_is_due = True

    def put_document(self, key: str, body: bytes) -> Put:
        """Put; but before the first commit let the other run have its number."""
        if key.startswith(layout.commit_prefix(DATE)) and self.rival_is_due:
            self.rival_is_due = False
            rival = LakeStore(self._client, self.location)
            settle(rival, Outcome.NO_RECORDING, 7)
            commit_day(rival, ORG, DAY, [])
        return super().put_document(key, body)


def test_run_that_was_overtaken_yields_and_says_so(lake: LakeStore, lake_client: S3Client, caplog) -> None:
    """Both end well; the draft's segment stays, anchored, as the trace of a commit that yielded."""
    caplog.set_level("INFO")
    settle(lake, Outcome.ARCHIVED, 1)
    # What the other run has is news to neither of them: the loser has nothing left to commit.
    commit, state = commit_day(OvertakenOnce(lake_client, lake.location), ORG, DAY, [])
    assert (1, 2) == (commit.version, len(state.items))
    assert "Yielded: another run took" in caplog.text
    checked = check_day(lake, ORG, DATE)
    assert ((), 1, 2) == (checked.findings, checked.commits, checked.segments)
    # The rival found the draft's segment in the journal and anchored it beside its own.
    assert ({1}, ()) == ({segment.version for segment in commit.journal}, checked.unanchored)
