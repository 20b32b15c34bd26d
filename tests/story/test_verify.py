"""Verify finds whatever is done to the lake behind the archive's back, by name, and nothing where nothing was done."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from include.audit.finding import FindingKind
from include.lake.layout import UNKNOWN_CALL_DATE, catalog_key
from include.lake.plan import DayPlan, day_plans_of
from include.lake.store import LakeStore
from include.local_day import ONE_DAY, LocalDay
from include.settings import LakeLocation
from include.transfer.catalog import catalog_day
from include.transfer.day import commit_day
from include.transfer.erase import erase_conversation
from include.transfer.metadata import SINGLE
from include.transfer.verify import Scope, verify_lake
from include.transfer.verify_whole import unasked
from tests.story.desk import ORG, conversation
from tests.story.erased_day import ErasedDay, order
from tests.story.night import DAY, Night, media_keys, night, remove
from tests.story.one_recording import single_plans
from tests.story.tampering import Tampering

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK, DEEP, WHOLE = Scope((str(DAY),)), Scope((str(DAY),), deep=True), Scope(whole=True, deep=True)
KINDS = [
    "audio", "metadata", "manifest", "day plan", "shard plan", "quarantine",
    "first commit", "head commit", "journal", "seal",
]  # fmt: skip
# What else is found beside these is their consequence: a wrong commit misses what it names and fits no seal.
WITH_CONSEQUENCES = {"first commit", "head commit", "journal", "seal"}


@dataclass
class Vault:
    """A rough day of several shards after two runs, in a bucket that keeps versions."""

    night: Night
    lake: LakeStore
    hands: Tampering

    def keys(self, kind: str) -> list[str]:
        """Return the keys of one kind of object that the head commit leads to."""
        lake = self.lake
        return {
            "audio": lambda: media_keys(lake),
            "metadata": lambda: [key for key in lake.list_keys("media/") if key.endswith(".metadata.json")],
            "manifest": lambda: list(lake.list_keys("manifests/")),
            "day plan": lambda: [key for key in lake.list_keys("plans/") if "/day-" in key],
            "shard plan": lambda: [key for key in lake.list_keys("plans/") if "/shard-" in key],
            "first commit": lambda: list(lake.list_keys("commits/"))[:1],
            "head commit": lambda: list(lake.list_keys("commits/"))[-1:],
            "journal": lambda: list(lake.list_keys("audit/")),
            "seal": lambda: list(lake.list_keys("seals/")),
            "quarantine": lambda: [key for key in lake.list_keys("quarantine/") if lake.head(key).bytes],
        }[kind]()

    def found(self, scope: Scope = QUICK) -> dict[str, set[FindingKind]]:
        """Return what a verification finds: kinds by key."""
        named: dict[str, set[FindingKind]] = {}
        for finding in verify_lake(self.lake, scope).findings:
            named.setdefault(finding.key, set()).add(finding.kind)
        return named


def opened_vault(lake, folder, contract) -> Iterator[Vault]:
    """Run a rough day twice, in shards of 20 conversations."""
    with night(lake, folder, conversations=60, scenario="rough", contract=contract) as tonight:
        tonight.settings = replace(tonight.settings, batch_items=20)
        tonight.run()
        tonight.run()
        yield Vault(tonight, lake, Tampering(lake))


@pytest.fixture(scope="module")
def vault(versioned_bucket, lake_client, tmp_path_factory) -> Iterator[Vault]:
    """Open a vault for the module: every change of a test is taken back."""
    lake = LakeStore(lake_client, LakeLocation(versioned_bucket, f"tests/{uuid4().hex}"))
    yield from opened_vault(lake, tmp_path_factory.mktemp("vault"), "platform")


@pytest.fixture(scope="module")
def plain(object_store, lake_client, tmp_path_factory) -> Iterator[Vault]:
    """Open a vault of the other contract, in a bucket without versions."""
    lake = LakeStore(lake_client, LakeLocation(object_store.bucket, f"tests/{uuid4().hex}"))
    yield from opened_vault(lake, tmp_path_factory.mktemp("plain"), "guide")


def test_clean_lake_raises_no_alarm(vault):
    """Quick, deep and whole: a rough day with pending and quarantined items after two runs is what it was."""
    assert all(vault.keys(kind) for kind in KINDS)
    assert [(), (), ()] == [verify_lake(vault.lake, scope).findings for scope in (QUICK, DEEP, WHOLE)]


def test_clean_lake_of_the_other_contract_raises_no_alarm(plain):
    """Nor does one without versions."""
    assert all(plain.keys(kind) for kind in KINDS)
    assert [(), (), ()] == [verify_lake(plain.lake, scope).findings for scope in (QUICK, DEEP, WHOLE)]


def test_it_says_how_much_and_how_fast(vault):
    """Every object of the day is counted, and a deep one has read each byte of the media."""
    lines: list[str] = []
    done = verify_lake(vault.lake, DEEP, lines.append)
    assert len(list(vault.lake.list_keys(""))) == done.objects
    assert sum(len(vault.lake.read(key)) for key in vault.lake.list_keys("")) == done.bytes
    assert f"{DAY}, deep: {done.objects} objects of 1 day in " in done.sentence()
    assert "MB/s): everything is what it was." in done.sentence()


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bit_is_found(vault, kind):
    """One bit of any kind of object, wherever the object is named from."""
    key = vault.keys(kind)[0]
    with vault.hands.flipped(key):
        found = vault.found()
    assert FindingKind.EXTRA_VERSION in found[key]
    assert FindingKind.ALTERED in found[key]
    assert {key} == set(found) or kind in WITH_CONSEQUENCES


@pytest.mark.parametrize("kind", KINDS)
def test_hidden_object_is_found(vault, kind):
    """A delete marker hides an object from every reader, and not from an auditor."""
    key = vault.keys(kind)[0]
    with vault.hands.hidden(key):
        found = vault.found()
    assert {FindingKind.HIDDEN} == found[key]


@pytest.mark.parametrize("kind", KINDS)
def test_version_put_over_another_is_found(vault, kind):
    """The very same bytes again: nothing is altered, and yet somebody wrote where nobody may."""
    key = vault.keys(kind)[0]
    with vault.hands.over({key: vault.lake.read(key)}):
        found = vault.found()
    assert {FindingKind.EXTRA_VERSION} == found[key] - {FindingKind.REPLACED}
    assert (kind in {"audio", "quarantine"}) == (FindingKind.REPLACED in found[key])
    assert {key} == set(found)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "commit" not in kind and kind != "day plan"])
def test_swapped_objects_are_found(vault, kind):
    """Two whole and genuine objects, each in the other's place: both are named."""
    one, other = vault.keys(kind)[:2]
    with vault.hands.swapped(one, other):
        found = vault.found()
    assert {one, other} == set(found) or kind in WITH_CONSEQUENCES
    assert {one, other} <= set(found)


def test_swapped_commits_are_found(vault):
    """A commit says its own number."""
    one, other = vault.keys("first commit")[0], vault.keys("head commit")[0]
    with vault.hands.swapped(one, other):
        found = vault.found()
    assert {one, other} <= set(found)


def test_deleted_seal_leaves_its_commit_unproved(plain):
    """Nothing names a seal; the newest commit, which no later one names, says that it has none."""
    with plain.hands.deleted(plain.keys("seal")[-1]):
        found = plain.found()
    assert {plain.keys("head commit")[0]: {FindingKind.UNPROVED}} == found


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "seal"])
def test_deleted_object_is_missed(plain, kind):
    """Whatever is gone for good is missed by name: the newest commit because the report names it."""
    key = plain.keys(kind)[-1]
    with plain.hands.deleted(key):
        found = plain.found()
    assert FindingKind.MISSING in found[key]


def test_day_whose_commits_are_all_gone_is_found(plain):
    """Nothing leads to the day any more, but its report does."""
    with ExitStack() as stack:
        for key in list(plain.lake.list_keys("commits/")):
            stack.enter_context(plain.hands.deleted(key))
        found = plain.found()
    assert {FindingKind.MISSING} == found[key]


def test_overwritten_object_is_found_without_versions(plain):
    """Where the bucket keeps no versions the bytes alone tell."""
    key = plain.keys("audio")[0]
    body = plain.lake.read(key)
    plain.hands.put(key, body[:-1] + b"!")
    found = plain.found()
    plain.hands.put(key, body)
    assert {key: {FindingKind.ALTERED}} == found
    assert {} == plain.found()


def test_days_of_another_organisation_are_found(vault):
    """Whoever knows whose lake it is may say so."""
    assert vault.lake is not None
    stranger = replace(QUICK, org="0b8f33b1-2d0b-4ca1-a5c8-1d8b9e9b7c55")
    assert {FindingKind.CONTRADICTION} <= {kind for kinds in vault.found(stranger).values() for kind in kinds}


def test_day_that_was_never_archived_is_no_clean_day(vault):
    """Asked for a day of which there is nothing, the answer is not that all is well."""
    done = verify_lake(vault.lake, Scope(("2026-03-05",)))
    assert [(FindingKind.GAP, "commits/date=2026-03-05/")] == [(item.kind, item.key) for item in done.findings]


def test_empty_lake_is_no_clean_lake(versioned_lake):
    """The wrong prefix must not be green."""
    assert [FindingKind.GAP] == [item.kind for item in verify_lake(versioned_lake, Scope()).findings]


def test_leftovers_of_a_crash_are_no_finding(lake, tmp_path):
    """What a run left that died before its commit is no day yet; a second run over it makes it one."""
    with night(lake, tmp_path, conversations=12) as tonight:
        shard, submitted = tonight.ready(tonight.plan())
        tonight.archive(shard, submitted)
        remove(lake, next(iter(lake.list_keys("manifests/"))))
        assert [FindingKind.GAP] == [item.kind for item in verify_lake(lake, replace(QUICK, whole=True)).findings]
        tonight.run()
        assert () == verify_lake(lake, replace(DEEP, whole=True)).findings


def test_catalog_is_what_its_manifest_says(plain):
    """A partition that was altered, or one more file in the table, is found; the catalog itself is no false alarm."""
    catalog_day(plain.lake, plain.night.box.org_id, DAY)
    assert () == verify_lake(plain.lake, replace(DEEP, whole=True)).findings
    key, stranger = catalog_key(str(DAY)), catalog_key(str(DAY)).replace("00000", "00001")
    body = plain.lake.read(key)
    plain.hands.put(key, body[:-1] + b"!")
    with plain.hands.added(stranger):
        found = plain.found()
    plain.hands.put(key, body)
    assert {key: {FindingKind.ALTERED}, stranger: {FindingKind.STRANGER}} == found
    assert {} == plain.found()


def test_erased_conversation_is_settled(table):
    """What was erased is missed by nobody; where it stands again, that is a finding."""
    day = ErasedDay(table)
    day.archive()
    audio = next(key for key in media_keys(table.lake) if conversation(1) in key)
    body = table.lake.read(audio)
    erase_conversation(table.lake, order())
    scope = replace(DEEP, whole=True)
    assert () == verify_lake(table.lake, scope).findings
    with Tampering(table.lake).added(audio, body):
        assert [(FindingKind.RESURRECTED, audio)] == [
            (item.kind, item.key) for item in verify_lake(table.lake, scope).findings
        ]


def test_strangers_and_gaps_are_found_in_the_whole_lake(plain):
    """What the archive would never write, and a night on which it did not run."""
    later = DayPlan(plain.night.box.org_id, LocalDay.of("2026-03-04", DAY.zone), ())
    plain.lake.put_document(later.key, later.body())
    commit_day(plain.lake, plain.night.box.org_id, later.day, ())
    with plain.hands.added("media/notes.txt"):
        found = plain.found(Scope(whole=True))
    for key in [key for key in plain.lake.list_keys("") if "2026-03-04" in key]:
        remove(plain.lake, key)
    assert {
        "media/notes.txt": {FindingKind.STRANGER}, "commits/date=2026-03-03/": {FindingKind.GAP},
    } == found  # fmt: skip


def test_day_that_nobody_asked_about_is_a_gap(lake, tmp_path):
    """One recording was fetched while the day lasted, and its night never came: it is committed, and not known.

    Media of an unknown call lies under a day that has no night.
    """
    with night(lake, tmp_path, conversations=4, scenario="clean") as tonight:
        tonight.run()
        org = tonight.box.org_id
    for date, way in ((UNKNOWN_CALL_DATE, SINGLE), ("2026-03-03", SINGLE), ("2026-03-04", "")):
        plan = DayPlan(org, LocalDay.of(date, DAY.zone), (), named_by=way)
        lake.put_document(plan.key, plan.body())
        commit_day(lake, org, plan.day, ())
    assert [(FindingKind.GAP, "commits/date=2026-03-03/")] == [
        (item.kind, item.key) for item in verify_lake(lake, Scope(whole=True)).findings
    ]
    young = LocalDay(lake.now().date() - ONE_DAY, DAY.zone)
    assert [] == list(unasked(lake, str(young), [plan_of(lake, "2026-03-03")], lake.now()))


def test_recording_of_years_ago_is_no_night(lake):
    """One call of 2015 was needed now: no night is missing for the eleven years before the first one.

    After that night it is: a single recording stands for no night, and one that nobody asked about is named.
    """
    for plan in (
        *(single_plans("2015-06-01")[0], *single_plans("2015-06-08"), *single_plans("2015-06-09")[1:]),
        *single_plans("2026-03-05")[1:],
        DayPlan(ORG, LocalDay.of("2026-03-02", DAY.zone), ()),
    ):
        lake.put_document(plan.key, plan.body())
        commit_day(lake, ORG, plan.day, ())
    gaps = verify_lake(lake, Scope(whole=True)).findings
    assert {FindingKind.GAP} == {item.kind for item in gaps}
    assert ["commits/date=2026-03-03/", "commits/date=2026-03-05/"] == [item.key for item in gaps]


def test_lake_without_a_night_says_that_nobody_asked(lake):
    """Nights that never began are no reason to be silent about the days that are there."""
    plan = single_plans("2026-03-05")[1]
    lake.put_document(plan.key, plan.body())
    commit_day(lake, ORG, plan.day, ())
    (gap,) = verify_lake(lake, Scope(whole=True)).findings
    assert ("commits/date=2026-03-05/", True) == (gap.key, "nobody asked" in gap.what)


def plan_of(lake, date):
    """Return the key of the day's only plan."""
    (key,) = day_plans_of(lake, date)
    return key
