"""The native export: what it wrote is in the lake by the same identity, once, and every irregularity is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from include.lake.layout import MediaKey
from include.outcome import Outcome
from tests.story.export_desk import NOW, config_of, export_desk
from tests.story.night import DAY


@pytest.fixture
def desk(lake, lake_client, tmp_path):
    """A small export of a clean day."""
    with export_desk(lake, lake_client, tmp_path) as laid:
        yield laid


def expected(truth):
    """Return what an honest ingest counts, from the sandbox's truth."""
    return {
        "archived": truth.outcomes["archived"],
        "recognised": truth.outcomes["duplicate"],
        "conflicting": truth.outcomes["conflicting"],
        "without_metadata": truth.classes["missing_metadata"],
    }


def test_counts_by_class_are_the_truth(desk):
    """Late, duplicate, missing metadata, conflicting: each counted as what it is, in two waves."""
    truth = desk.written.truth()
    assert {"ordinary", "late", "duplicate", "missing_metadata", "conflicting"} == truth.classes.keys()
    desk.write("first")
    first = desk.ingest()
    desk.write("late")
    second = desk.ingest()
    assert expected(truth) == {name: (first + second)[name] for name in expected(truth)}
    assert 0 < second["archived"]


def test_second_run_writes_nothing(desk):
    """The listing of the lake is identical, times included."""
    desk.write()
    desk.ingest()
    before = desk.objects()
    assert {} == desk.ingest()
    assert before == desk.objects()


def test_lost_ledger_copies_nothing(desk, lake_client):
    """Without what is remembered everything is looked at again, recognised, and no news."""
    desk.write("first")
    desk.ingest()
    lake = desk.ports.lake
    before = [entry for entry in desk.objects() if not entry[0].startswith("ingest/")]
    for key in list(lake.list_keys("ingest/")):
        lake_client.delete_object(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/{key}")
    assert {"recognised"} == desk.ingest().keys()
    assert before == [entry for entry in desk.objects() if not entry[0].startswith("ingest/")]


def test_metadata_are_awaited(desk):
    """A recording without its metadata waits as long as they may still come."""
    desk.write("first")
    patient = replace(desk.ports.export_settings, export_patience_seconds=3600.0)
    desk.ports = replace(desk.ports, export_settings=patient)
    soon = next(desk.ports.export.objects("")).stored_at + timedelta(minutes=1)
    counts = desk.ingest(soon)
    truth = desk.written.truth()
    halves = sum(1 for item in desk.ports.export.objects("") if "_metadata" in item.key)
    assert truth.classes["missing_metadata"] <= counts["waiting"]
    assert counts["archived"] + counts["waiting"] >= halves
    assert 0 == counts["without_metadata"]
    later = desk.ingest(NOW)
    assert truth.classes["missing_metadata"] == later["without_metadata"]


def test_facts_of_the_export_stand_beside_the_recording(desk):
    """Number, agent and queue come from the export's own metadata, and the origin says which way they came."""
    desk.write("first")
    desk.ingest()
    lake = desk.ports.lake
    keys = [MediaKey.parse(key) for key in lake.list_keys("media/")]
    assert {(desk.ports.org, "2026-03-02", 0)} == {(k.identity.org, k.identity.date, k.identity.part) for k in keys}
    documents = [lake.read(key) for key in lake.list_keys("media/") if key.endswith(".metadata.json")]
    assert all(b'"kind":"native_export"' in body for body in documents)
    named = [body for body in documents if b'"ani":"' in body]
    assert len(documents) - desk.written.truth().classes["missing_metadata"] == len(named)


def test_conflict_is_named_with_both_places(desk):
    """The other bytes are in quarantine under their reason, and the day is open until somebody has looked."""
    desk.write()
    desk.ingest()
    state = desk.state()
    conflicts = [item for items in state.items.values() for item in items if item.outcome is Outcome.QUARANTINED]
    assert desk.written.truth().outcomes["conflicting"] == len(conflicts)
    assert {"export_conflict"} == {item.reason for item in conflicts}
    assert all(desk.ports.lake.head(item.key) for item in conflicts)
    assert not state.is_complete


def test_damage_is_quarantined_as_by_the_night(lake, lake_client, tmp_path):
    """The same checks: what no player would open is not archived because it came by another way."""
    with export_desk(lake, lake_client, tmp_path, config_of(scenario="rough", conversations=120)) as desk:
        desk.write()
        counts = desk.ingest()
        truth = desk.written.truth()
        assert truth.outcomes["quarantined"] == counts["quarantined"] > 0
        assert truth.outcomes["archived"] == counts["archived"]
        assert truth.outcomes["not_selected"] == counts["not_selected"]


def test_today_waits_for_its_end(desk):
    """A day is judged as a whole, so nothing of one that is not over is taken."""
    desk.write("first")
    counts = desk.ingest(DAY.end - timedelta(hours=1))
    assert {"waiting"} == counts.keys()
    assert [] == desk.objects()
