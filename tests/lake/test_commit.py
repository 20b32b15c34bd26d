"""The day's numbered commits: a chain without gaps, one winner for each number, and one organisation."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest

from include.canonical import canonical_json, sha256_hex
from include.errors import IntegrityError
from include.lake import layout
from include.lake.commit import (
    Commit,
    DayContents,
    JournalSegment,
    contents_of,
    first_commit,
    manifests_of,
    read_head,
    try_commit,
)
from include.lake.merkle import item_leaves, merkle_root
from include.local_day import LocalDay
from include.outcome import ItemRecord, Outcome
from include.tool import tool, tzdata_version

DAY = LocalDay.of("2026-01-05", ZoneInfo("Europe/Berlin"))
FIRST = first_commit("org", DAY, DayContents(("plan-b", "plan-a", "plan-a"), ("m1", "m2"), ("t1",)))
ITEMS = [ItemRecord(f"c{number}", f"r{number}", 0, Outcome.ARCHIVED) for number in range(3)]


def overwrite(lake, lake_client, key, body):
    """Do what nobody may: replace or plant an object behind the archive's back."""
    lake_client.put_object(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/{key}", Body=body)


def test_day_without_commits_has_no_head(lake):
    """Nothing yet is an answer."""
    assert read_head(lake, "org", DAY) is None


def test_first_commit_is_version_one_of_a_chain(lake):
    """It names no predecessor, and everything in it came with it."""
    assert try_commit(lake, FIRST)
    assert (1, None, ("plan-a", "plan-b"), {"m1": 1, "m2": 1}) == (
        FIRST.version,
        FIRST.previous_sha256,
        FIRST.plans,
        FIRST.manifests,
    )
    assert FIRST == read_head(lake, "org", DAY)


def test_day_on_which_nothing_happened_is_committed_too(lake):
    """A valid empty day, told apart from one that nobody looked at."""
    assert try_commit(lake, first_commit("org", DAY, DayContents()))
    assert {} == read_head(lake, "org", DAY).manifests


def test_each_commit_names_the_bytes_of_the_one_before(lake):
    """Whoever alters an old commit breaks the chain; each manifest keeps the version that brought it in."""
    chain = [FIRST.with_items(ITEMS, {"expected": 2})]
    try_commit(lake, chain[0])
    for number in (2, 3):
        following = read_head(lake, "org", DAY).following(DayContents(manifests=(f"n{number}",)))
        try_commit(lake, following)
        chain.append(following)
    documents = [json.loads(lake.read(commit.key)) for commit in chain]
    assert [1, 2, 3] == [document["version"] for document in documents]
    previous = [{"key": one.key, "sha256": sha256_hex(lake.read(one.key))} for one in chain[:2]]
    assert [None, *previous] == [document["previous"] for document in documents]
    assert {"m1": 1, "m2": 1, "n2": 2, "n3": 3} == read_head(lake, "org", DAY).manifests


def test_chain_goes_by_the_bytes_and_not_by_our_reading_of_them(lake, lake_client):
    """A commit of a newer version, with a field unknown here, is named by what stands in the bucket."""
    body = canonical_json({**json.loads(FIRST.body()), "added_later": "x"})
    overwrite(lake, lake_client, FIRST.key, body)
    head = read_head(lake, "org", DAY)
    assert sha256_hex(FIRST.body()) == replace(head, stored_sha256=None).sha256
    assert sha256_hex(body) == head.following(DayContents(plans=("plan-c",))).previous_sha256


@pytest.mark.parametrize(
    "found",
    [
        DayContents(),
        DayContents(("plan-a",), ("m1",), ("t1",)),
        DayContents(("plan-b", "plan-a"), ("m2", "m1")),
    ],
    ids=str,
)
def test_nothing_new_makes_no_version(found):
    """A run that brought nothing makes no version, so that equal days have equal histories."""
    assert not FIRST.new_of(found)


@pytest.mark.parametrize(
    "new", [DayContents(plans=("plan-c",)), DayContents(manifests=("m3",)), DayContents(tombstones=("t2",))], ids=str
)
def test_anything_new_is_the_next_version(new):
    """A key that the head does not name makes one, and nothing that it names is lost."""
    found = DayContents(
        (*FIRST.plans, *new.plans), (*FIRST.manifests, *new.manifests), (*FIRST.tombstones, *new.tombstones)
    )
    assert new == FIRST.new_of(found)
    following = FIRST.following(new)
    assert 2 == following.version
    assert set(FIRST.plans) <= set(following.plans)
    assert set(FIRST.tombstones) <= set(following.tombstones)
    assert FIRST.manifests.items() <= following.manifests.items()
    assert not following.new_of(found)


def test_counts_and_roots_follow_from_what_makes_a_version():
    """The draft and the finished commit differ in nothing else."""
    finished = FIRST.with_items(ITEMS, {"expected": 3}).with_journal([JournalSegment("s1", 4, "ab", 1)])
    assert FIRST == replace(finished, summary={}, items=0, merkle_root="", journal=())


def test_commit_says_what_an_auditor_recomputes_it_with(lake):
    """Root and number of the items, zone and its tables, bounds, tool, tombstones and the journal's roots."""
    try_commit(lake, FIRST.with_items(ITEMS, {"expected": 3}).with_journal([JournalSegment("s1", 4, "ab", 1)]))
    document = json.loads(lake.read(FIRST.key))
    assert {"count": 3, "merkle_root": merkle_root(item_leaves(ITEMS))} == document["items"]
    assert ("Europe/Berlin", tzdata_version("Europe/Berlin")) == (document["timezone"], document["tzdata"])
    assert ("2026-01-04T23:00:00+00:00", "2026-01-05T23:00:00+00:00") == (document["starts_at"], document["ends_at"])
    assert tool() == document["tool"]
    assert ["t1"] == document["tombstones"]
    assert [{"key": "s1", "entries": 4, "root": "ab", "version": 1}] == document["journal"]


def test_items_in_any_order_have_one_root():
    """The order in which manifests are folded says nothing."""
    assert FIRST.with_items(ITEMS, {}).merkle_root == FIRST.with_items(ITEMS[::-1], {}).merkle_root


def test_segment_that_is_anchored_stays_so_by_the_version_that_did_it():
    """Later commits repeat it word for word."""
    first = FIRST.with_journal([JournalSegment("s1", 4, "ab", 1)])
    later = first.following(DayContents()).with_journal(
        [JournalSegment("s1", 4, "ab", 2), JournalSegment("s0", 1, "c", 2)]
    )
    assert (JournalSegment("s0", 1, "c", 2), JournalSegment("s1", 4, "ab", 1)) == later.journal


def test_commit_of_an_older_version_stays_readable(lake, lake_client):
    """What it does not have is empty; the next one names it by its own bytes and has everything."""
    added = {"tombstones", "journal", "items", "tool", "tzdata"}
    body = canonical_json({name: value for name, value in json.loads(FIRST.body()).items() if name not in added})
    overwrite(lake, lake_client, FIRST.key, body)
    head = read_head(lake, "org", DAY)
    assert ((), (), 0, "", "", {}) == (
        head.tombstones,
        head.journal,
        head.items,
        head.merkle_root,
        head.tzdata,
        head.tool,
    )
    following = head.following(head.new_of(DayContents(tombstones=("t1",))))
    assert (sha256_hex(body), ("t1",), tool()) == (following.previous_sha256, following.tombstones, following.tool)


def test_gap_in_the_numbers_is_found(lake):
    """A version that went missing is not skipped over."""
    for number in (1, 3):
        try_commit(lake, replace(FIRST, version=number))
    with pytest.raises(IntegrityError, match="gap"):
        read_head(lake, "org", DAY)


def test_missing_first_commit_is_found(lake):
    """Nor is one that never was."""
    try_commit(lake, replace(FIRST, version=2))
    with pytest.raises(IntegrityError, match="gap"):
        read_head(lake, "org", DAY)


def test_stranger_among_the_commits_is_found(lake, lake_client):
    """A key that no commit has is not taken for one."""
    try_commit(lake, FIRST)
    overwrite(lake, lake_client, f"{layout.commit_prefix(str(DAY))}v=00000002.json.bak", b"x")
    with pytest.raises(IntegrityError, match="stranger"):
        read_head(lake, "org", DAY)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 7},
        {"version": "1"},
        {"date": "2026-01-06"},
        {"timezone": "UTC"},
        {"previous": "x"},
        {"manifests": ["m1"]},
        {"manifests": None},
        {"plans": None},
    ],
    ids=str,
)
def test_head_that_is_no_commit_of_this_day_and_number_is_found(lake, lake_client, change):
    """A head that contradicts its own key, or is of another day or time zone, is not built upon."""
    overwrite(lake, lake_client, FIRST.key, canonical_json({**json.loads(FIRST.body()), **change}))
    with pytest.raises(IntegrityError) as caught:
        read_head(lake, "org", DAY)
    assert FIRST.key == caught.value.facts["key"]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff\xfe"], ids=repr)
def test_bytes_that_are_no_commit_are_found(lake, lake_client, body):
    """Damage is named with its address."""
    overwrite(lake, lake_client, FIRST.key, body)
    with pytest.raises(IntegrityError, match="is no commit"):
        read_head(lake, "org", DAY)


def test_day_read_in_another_time_zone_is_refused(lake):
    """GENESYS_TIMEZONE changed: the same date is another day now, and the two must not be mixed."""
    try_commit(lake, FIRST)
    with pytest.raises(IntegrityError, match="GENESYS_TIMEZONE"):
        read_head(lake, "org", LocalDay.of(str(DAY), ZoneInfo("America/New_York")))


def test_commit_of_another_organisation_is_refused(lake):
    """Two organisations in one prefix would make each other's days complete."""
    try_commit(lake, FIRST)
    with pytest.raises(IntegrityError, match="belongs to organisation org, not stranger"):
        read_head(lake, "stranger", DAY)


def test_same_commit_twice_is_one(lake):
    """A retry of the very commit that was made is content with it."""
    assert [True, True] == [try_commit(lake, FIRST), try_commit(lake, FIRST)]


def test_two_runs_race_for_a_number_and_one_gets_it(lake):
    """One is told to read again; the number holds the winner's commit."""
    drafts = [replace(FIRST, plans=(f"plan-{number}",)) for number in range(2)]
    for number in range(1, 6):
        start = Barrier(2)

        def race(draft, number=number, start=start):
            start.wait(10)
            return try_commit(lake, replace(draft, version=number))

        with ThreadPoolExecutor(2) as pool:
            won = list(pool.map(race, drafts))
        assert [False, True] == sorted(won)
        assert drafts[won.index(True)].plans == Commit.parse(lake.read(layout.commit_key(str(DAY), number)), DAY).plans


def test_manifests_without_a_commit_are_found(lake):
    """A run that crashed before its commit left evidence; the next commit takes it up."""
    keys = [layout.manifest_key(str(DAY), "a" * 64, digit * 64) for digit in "01"]
    for key in keys:
        lake.put_document(key, b"{}\n")
    assert tuple(keys) == manifests_of(lake, DAY)


def test_everything_a_commit_brings_in_is_found_by_listing(lake):
    """Plans that were handed over, and plans, manifests and tombstones that stand in the lake."""
    date = str(DAY)
    plan = layout.day_plan_key(date, "0" * 64)
    manifest = layout.manifest_key(date, "a" * 64, "1" * 64)
    tombstone = f"{layout.tombstone_prefix(date)}t.json"
    for key in (plan, manifest, tombstone):
        lake.put_document(key, b"{}\n")
    assert DayContents((plan, "told"), (manifest,), (tombstone,)) == contents_of(lake, DAY, ("told",))
