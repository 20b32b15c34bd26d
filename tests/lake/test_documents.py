"""Plans and manifests: named by their content, and found out when altered."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from include.canonical import canonical_json, sha256_hex
from include.errors import IntegrityError, LakeConflict
from include.lake import layout
from include.lake.manifest import Manifest
from include.lake.plan import DayPlan, ShardPlan, checked_document, earlier_facts, read_expected
from include.local_day import LocalDay
from include.outcome import ItemRecord, Outcome

DAY = LocalDay.of("2026-03-29", ZoneInfo("Europe/Berlin"))
IDS = tuple(f"{number:08d}-0000-4000-8000-000000000000" for number in range(4))
PLAN = DayPlan("org", DAY, IDS)
SHARD = ShardPlan("org", str(DAY), DAY.zone.key, ((IDS[1], IDS[0]), (IDS[2],)), {IDS[0]: {"ani": "tel:+49"}})
ITEMS = (
    ItemRecord(IDS[1], "", 0, Outcome.NO_RECORDING, "none_known", "recordingmetadata"),
    ItemRecord(IDS[0], "r", 0, Outcome.ARCHIVED, key="k", sha256="s", bytes=3, media_type="audio/wav"),
)
MANIFEST = Manifest("org", str(DAY), (IDS[1], IDS[0]), ITEMS)


def overwrite(lake, lake_client, key, body):
    """Do what nobody may: replace an object behind the archive's back."""
    lake_client.put_object(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/{key}", Body=body)


def test_documents_are_named_by_their_content():
    """The same facts give the same key, other facts another one."""
    for document in (PLAN, SHARD, MANIFEST):
        assert document.key.endswith(f"{sha256_hex(document.body())}.json")
        assert document.key == replace(document).key
        assert document.key != replace(document, org="other").key


def test_planning_twice_writes_nothing_new(lake):
    """A second run of the same night finds its documents there."""
    assert [True, False] == [lake.put_document(PLAN.key, PLAN.body()).created for _ in range(2)]


def test_plan_says_what_the_day_is_in_utc(lake):
    """An auditor needs no time-zone rules: the bounds of the 23-hour day stand in the plan."""
    lake.put_document(PLAN.key, PLAN.body())
    document = checked_document(lake, PLAN.key)
    assert ("2026-03-28T23:00:00+00:00", "2026-03-29T22:00:00+00:00") == (document["starts_at"], document["ends_at"])


def test_expected_ids_are_read_back(lake):
    """What was expected is what is reconciled."""
    lake.put_document(PLAN.key, PLAN.body())
    assert IDS == read_expected(lake, PLAN.key, "org", str(DAY))


def test_shard_plan_is_read_back(lake):
    """A task group finds its batches, in their order, and the facts it needs."""
    lake.put_document(SHARD.key, SHARD.body())
    assert SHARD == ShardPlan.read(lake, SHARD.key)
    assert (IDS[0], IDS[1], IDS[2]) == SHARD.conversation_ids
    assert layout.shard_digest(IDS[:3]) == SHARD.shard


def test_manifest_is_written_and_read_back(lake):
    """Ids and items are sorted on paper, whatever order the workers finished in."""
    key = MANIFEST.write(lake)
    assert Manifest("org", str(DAY), IDS[:2], tuple(sorted(ITEMS))) == Manifest.read(lake, key, "org", str(DAY))
    assert key == Manifest("org", str(DAY), IDS[:2], ITEMS[::-1]).write(lake)


def test_second_outcome_of_a_shard_stands_beside_the_first(lake):
    """Evidence is never overwritten: pending yesterday and archived today are two documents."""
    later = replace(MANIFEST, items=ITEMS[1:])
    keys = sorted([MANIFEST.write(lake), later.write(lake)])
    assert keys == list(lake.list_keys(layout.manifest_prefix(str(DAY))))
    assert keys == list(lake.list_keys(f"{layout.manifest_prefix(str(DAY))}shard={layout.shard_digest(IDS[:2])}/"))


def expected_of(lake, key, org="org", date=str(DAY)):
    """Read a day plan as its own day does."""
    return read_expected(lake, key, org, date)


def manifest_of(lake, key, org="org", date=str(DAY)):
    """Read a manifest as its own day does."""
    return Manifest.read(lake, key, org, date)


@pytest.mark.parametrize(
    ("document", "read"),
    [(PLAN, expected_of), (SHARD, ShardPlan.read), (MANIFEST, manifest_of)],
    ids=["day plan", "shard plan", "manifest"],
)
def test_altered_document_is_found(lake, lake_client, document, read):
    """One conversation struck from a document, and the document is no longer believed."""
    lake.put_document(document.key, document.body())
    overwrite(lake, lake_client, document.key, document.body().replace(IDS[1].encode(), IDS[3].encode()))
    with pytest.raises(IntegrityError, match="altered") as caught:
        read(lake, document.key)
    assert document.key == caught.value.facts["key"]


@pytest.mark.parametrize(
    ("document", "read"), [(PLAN, expected_of), (MANIFEST, manifest_of)], ids=["day plan", "manifest"]
)
@pytest.mark.parametrize(("org", "date"), [("other", str(DAY)), ("org", "2026-01-01")], ids=["org", "day"])
def test_document_of_another_owner_is_refused(lake, document, read, org, date):
    """A document that somebody put under this day's keys does not count for it."""
    lake.put_document(document.key, document.body())
    with pytest.raises(IntegrityError, match="another organisation or day"):
        read(lake, document.key, org, date)


def test_manifest_of_another_shard_is_refused(lake):
    """A manifest that was copied to another shard's place speaks for nobody."""
    key = MANIFEST.key.replace(layout.shard_digest(IDS[:2]), layout.shard_digest(IDS))
    lake.put_document(key, MANIFEST.body())
    with pytest.raises(IntegrityError, match="another shard"):
        manifest_of(lake, key)


@pytest.mark.parametrize("read", [expected_of, ShardPlan.read, manifest_of])
def test_missing_document_is_found(lake, read):
    """A document of the archive never goes away by itself."""
    with pytest.raises(IntegrityError, match="is missing"):
        read(lake, PLAN.key)


def test_digest_elsewhere_in_the_key_is_no_name(lake, lake_client):
    """The content's digest stands at the end; in the shard's place it proves nothing."""
    body = canonical_json({"conversations": []})
    key = layout.manifest_key(str(DAY), sha256_hex(body), "0" * 64)
    overwrite(lake, lake_client, key, body)
    with pytest.raises(IntegrityError, match="altered"):
        checked_document(lake, key)


def test_document_is_not_overwritten_by_ours(lake, lake_client):
    """An altered document stays for the investigation; writing the true one again is refused."""
    overwrite(lake, lake_client, PLAN.key, b"{}\n")
    with pytest.raises(LakeConflict):
        lake.put_document(PLAN.key, PLAN.body())
    assert b"{}\n" == lake.read(PLAN.key)


def test_facts_of_earlier_plans_are_found_again(lake):
    """What analytics has forgotten since, an earlier plan still knows."""
    for shard in (SHARD, replace(SHARD, facts={IDS[2]: {"dnis": "tel:+1"}})):
        lake.put_document(shard.key, shard.body())
    found = earlier_facts(lake, str(DAY), {IDS[0], IDS[2], IDS[3]})
    assert {IDS[0]: {"ani": "tel:+49"}, IDS[2]: {"dnis": "tel:+1"}} == found


def test_newest_plan_is_believed_and_not_the_last_by_name(lake):
    """Planned on the newest commit counts, in whatever order the digests fall; one without facts takes nothing away."""
    plans = [replace(SHARD, base_version=number, facts={IDS[0]: {"ani": f"tel:+{number}"}}) for number in range(8)]
    for plan in (*plans, replace(SHARD, base_version=9, facts={IDS[0]: {}})):
        lake.put_document(plan.key, plan.body())
    assert plans[-1] != max(plans, key=lambda plan: plan.key), "choose other numbers: the names prove nothing"
    assert {IDS[0]: {"ani": "tel:+7"}} == earlier_facts(lake, str(DAY), {IDS[0]})


def test_no_questions_cost_no_requests(lake_at):
    """Nothing is listed where nothing is asked: nobody listens at this address."""
    assert {} == earlier_facts(lake_at("http://127.0.0.1:9"), str(DAY), set())
