"""A tombstone proves an erasure only together with the chain; what was lost is not hidden by one."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from include.audit.finding import FindingKind
from include.audit.signature import JournalSigning
from include.canonical import canonical_json, read_document, sha256_hex
from include.errors import IntegrityError
from include.lake import layout
from include.lake.commit import read_head
from include.lake.tombstone import ErasedObject, Rewritten, Tombstone, without_facts
from include.secret import Secret
from include.transfer.catalog import catalog_day
from include.transfer.day import commit_day
from include.transfer.day_state import present_state
from include.transfer.erase import erase_conversation
from include.transfer.verify import Scope, verify_lake
from tests.story.desk import ORG, conversation
from tests.story.erased_day import ErasedDay, order
from tests.story.night import DAY, remove
from tests.story.tampering import Tampering

DATE = str(DAY)
KEY = JournalSigning(Secret("a secret of thirty-two bytes and more")).key()


def found(lake, key=None):
    """Return kind and key of everything that a look at the whole lake finds."""
    return {(item.kind, item.key) for item in verify_lake(lake, Scope(whole=True, key=key)).findings}


def lose(lake, number=1):
    """Remove everything of a conversation's recordings, and return the keys."""
    keys = set(lake.list_keys(layout.conversation_prefix(ORG, DATE, conversation(number))))
    for key in keys:
        remove(lake, key)
    return keys


def planted(lake, number=1, *objects, rewritten=(), certify=True):
    """Put a tombstone and, as whoever hides a loss would, a certificate that says what a true one says."""
    words = ("x", "y", "z", "2026-03-05T00:00:00+00:00")
    stone = Tombstone(ORG, DATE, conversation(number), *words, tuple(objects), tuple(rewritten))
    lake.put_document(stone.key, stone.body())
    if certify:
        commit = layout.commit_key(DATE, 2)
        said = {"org": ORG, "date": DATE, "conversation_id": conversation(number), "tombstone": stone.key}
        said |= {"schema": "recording-archive/erasure/1", "commit": commit, "versions": len(objects)}
        lake.put_document(layout.erasure_key(stone.key), canonical_json(said))
    return stone


@pytest.mark.parametrize("other", [False, True], ids=["names nothing", "another conversation names it"])
def test_loss_is_not_hidden_by_a_tombstone(table, other):
    """In the chain or not, a tombstone that does not name what is gone leaves it missing."""
    lake = table.lake
    ErasedDay(table).archive()
    gone = lose(lake)
    stone = planted(lake)
    if other:
        erase_conversation(lake, order(2))
        planted(lake, 2, *(ErasedObject(key, "null", 1, "") for key in sorted(gone)))
    assert {(FindingKind.MISSING, key) for key in gone} <= found(lake)
    if not other:
        assert (FindingKind.UNPROVED, stone.key) in found(lake)
    commit_day(lake, ORG, DAY, ())
    assert {(FindingKind.MISSING, key) for key in gone} <= found(lake)


def test_tombstone_without_a_certificate_is_named(table):
    """The commit alone does not say that the erasure came to its end."""
    ErasedDay(table).archive()
    stone = planted(table.lake, certify=False)
    commit_day(table.lake, ORG, DAY, ())
    assert (FindingKind.UNPROVED, stone.key) in found(table.lake)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"tombstone": "tombstones/another"}, FindingKind.ALTERED),
        ({"versions": 0}, FindingKind.ALTERED),
        ({"commit": layout.commit_key(DATE, 1)}, FindingKind.CONTRADICTION),
    ],
)
def test_certificate_must_fit(table, change, kind):
    """It speaks of this tombstone, and of a commit that names it."""
    lake = table.lake
    ErasedDay(table).archive()
    erase_conversation(lake, order())
    assert set() == found(lake)
    key = next(iter(lake.list_keys(layout.erasure_prefix(DATE))))
    Tampering(lake).put(key, canonical_json(read_document(lake.read(key)) | change))
    assert {(kind, key)} == found(lake)


def test_key_alone_does_not_make_a_loss_look_like_an_erasure(table):
    """Who puts a tombstone and a certificate that say nothing has a day that stays open, not one that is complete."""
    lake = table.lake
    ErasedDay(table).archive()
    lose(lake)
    remove(lake, ErasedDay(table).plan.key)
    head = read_head(lake, ORG, DAY)
    assert not present_state(lake, head).is_complete
    stone = layout.tombstone_key(DATE, conversation(1), sha256_hex(b"{}\n"))
    lake.put_document(stone, b"{}\n")
    lake.put_document(layout.erasure_key(stone), b"{}\n")
    assert "pending" == str(present_state(lake, head).outcomes[conversation(1)])
    with pytest.raises(IntegrityError):
        commit_day(lake, ORG, DAY, ())


@pytest.mark.parametrize("certificate", [b"{}\n", b"\xff"], ids=["empty", "junk"])
def test_certificate_that_says_nothing_leaves_the_day_open(table, certificate):
    """The tombstone is in the chain and names what is gone; what says that the erasure came to its end does not."""
    lake = table.lake
    ErasedDay(table).archive()
    stone = planted(lake, 1, *(ErasedObject(key, "null", 1, "") for key in sorted(lose(lake))), certify=False)
    remove(lake, ErasedDay(table).plan.key)
    commit_day(lake, ORG, DAY, ())
    lake.put_document(layout.erasure_key(stone.key), certificate)
    assert not present_state(lake, read_head(lake, ORG, DAY)).is_complete


def test_forged_erasure_is_found_by_the_key(table):
    """Tombstone, certificate and chain fit each other and hide a loss; what they lack is a signature."""
    lake = table.lake
    ErasedDay(table).archive()
    commit_day(lake, ORG, DAY, (), key=KEY)
    plan = ErasedDay(table).plan.key
    objects = [ErasedObject(key, "null", 1, "") for key in sorted({*lose(lake), plan})]
    stone = planted(lake, 1, *objects, rewritten=[Rewritten(plan, without_first(table))])
    remove(lake, plan)
    commit_day(lake, ORG, DAY, (), key=KEY)
    for key in (KEY, None):
        assert {(FindingKind.UNPROVED, layout.erasure_key(stone.key))} == found(lake, key)
    assert not present_state(lake, read_head(lake, ORG, DAY)).is_complete


def without_first(table):
    """Put the shard plan without what it knows of the first conversation, as an erasure does, and return its key."""
    plan = without_facts(ErasedDay(table).plan, conversation(1))
    table.lake.put_document(plan.key, plan.body())
    return plan.key


def test_certificate_is_signed_as_its_commit_is(table):
    """No false alarm on a true erasure with a key; another signature, or one that was taken off, is found."""
    lake = table.lake
    ErasedDay(table).archive()
    erase_conversation(lake, order(), KEY)
    assert set() == found(lake, KEY)
    place = next(iter(lake.list_keys(layout.erasure_prefix(DATE))))
    document = read_document(lake.read(place))
    other = {name: value for name, value in document.items() if name not in {"key_id", "signature"}}
    for changed in (document | {"signature": "AAAA"}, document | {"bytes": 0}, other):
        Tampering(lake).put(place, canonical_json(changed))
        assert {(FindingKind.UNPROVED, place)} == found(lake, KEY)


def test_tombstones_in_a_circle_come_to_an_end(table):
    """A plan that stands in its own place is looked for there."""
    day = ErasedDay(table)
    day.archive()
    key = day.plan.key
    remove(table.lake, key)
    planted(table.lake, rewritten=[Rewritten(key, key)])
    assert (FindingKind.MISSING, key) in found(table.lake)


def late_plan(table):
    """Put a plan that was made while the conversation was erased."""
    plan = replace(ErasedDay(table).plan, base_version=1)
    table.lake.put_document(plan.key, plan.body())
    return plan.key


def late_bytes(table):
    """Put bytes that were refused while the conversation was erased."""
    identity = layout.MediaIdentity(ORG, DATE, conversation(1), conversation(7), 0)
    key = layout.quarantine_key(DATE, "structure_whole", identity, sha256_hex(b"xx"), "wav")
    table.lake.put_if_absent(key, io.BytesIO(b"xx"), bytes_=2, sha256=sha256_hex(b"xx"), media_type="audio/wav")
    return key


@pytest.mark.parametrize("late", [late_plan, late_bytes])
def test_what_a_late_task_leaves_keeps_the_day_open(table, late):
    """A plan or refused bytes that come after the erasure are found, and erasing once more takes them away."""
    lake = table.lake
    ErasedDay(table).archive()
    erase_conversation(lake, order())
    key = late(table)
    assert {(FindingKind.RESURRECTED, key)} == found(lake)
    assert not present_state(lake, read_head(lake, ORG, DAY)).is_complete
    erase_conversation(lake, order())
    assert set() == found(lake)
    assert present_state(lake, read_head(lake, ORG, DAY)).is_complete


def test_catalog_that_was_built_meanwhile_is_found(table):
    """A partition that was written after the erasure, of what was read before it, has the rows of who was erased."""
    lake, hands = table.lake, Tampering(table.lake)
    ErasedDay(table).archive()
    catalog_day(lake, ORG, DAY)
    views = (layout.catalog_key(DATE), layout.catalog_manifest_key(DATE))
    before = {key: lake.read(key) for key in views}
    erase_conversation(lake, order())
    assert set() == found(lake)
    for key, body in before.items():
        hands.put(key, body)
    assert {(FindingKind.RESURRECTED, views[0])} == found(lake)
    erase_conversation(lake, order())
    assert set() == found(lake)


@pytest.mark.parametrize("body", [b"junk", b"[]", b"{}"])
@pytest.mark.parametrize("kind", ["manifest", "plan", "tombstone"])
def test_document_that_is_none_costs_its_own_day(table, kind, body):
    """Whatever stands there under a true digest is refused in the archive's own words, which other days survive."""
    ErasedDay(table).archive()
    digest = sha256_hex(body)
    key = {
        "manifest": layout.manifest_key(DATE, "a" * 64, digest),
        "plan": layout.day_plan_key(DATE, digest),
        "tombstone": layout.tombstone_key(DATE, conversation(1), digest),
    }[kind]
    table.lake.put_document(key, body)
    with pytest.raises(IntegrityError) as caught:
        commit_day(table.lake, ORG, DAY, ())
    assert key == caught.value.facts["key"]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("commits/date=2026-13-45/v=00000001.json", FindingKind.STRANGER),
        ("commits/date=0001-01-01/v=00000001.json", FindingKind.GAP),
    ],
)
def test_impossible_days_do_not_stop_a_verification(table, key, expected):
    """A day that no calendar has is a stranger, and one of another century a single gap."""
    ErasedDay(table).archive()
    table.lake.put_document(key, b"{}\n")
    kinds = [kind for kind, _ in found(table.lake)]
    assert 1 == kinds.count(expected)
