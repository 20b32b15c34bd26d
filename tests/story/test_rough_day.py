"""A rough day is red with the right numbers, and a later run brings only what was missing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from include.lake.layout import report_key
from include.lake.store import LakeStore
from include.outcome import Outcome
from include.settings import LakeLocation
from tests.story.night import DAY, Night, audio_in, audio_of, classes_in, classes_of, night

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.audit.reconcile import DayState
    from include.outcome import ItemRecord


@dataclass
class Rough:
    """A rough day after its run."""

    night: Night
    state: DayState

    def items(self, outcome: Outcome) -> list[ItemRecord]:
        """Return the records of one class."""
        return [item for items in self.state.items.values() for item in items if item.outcome is outcome]


@pytest.fixture(scope="module", params=["platform", "guide"])
def rough(request, object_store, lake_client, tmp_path_factory) -> Iterator[Rough]:
    """Run a rough day once."""
    lake = LakeStore(lake_client, LakeLocation(object_store.bucket, f"tests/{uuid4().hex}"))
    folder = tmp_path_factory.mktemp("rough")
    with night(lake, folder, conversations=60, scenario="rough", contract=request.param) as tonight:
        _, state = tonight.run()
        yield Rough(tonight, state)


def test_the_day_is_red_with_the_right_counts(rough: Rough) -> None:
    """Class by class the day is what the sandbox says, and the report says that it is not complete."""
    assert classes_of(rough.night.box) == classes_in(rough.state)
    assert {"pending", "quarantined", "source_error"} < set(classes_in(rough.state).values())
    report = json.loads(rough.night.lake.read(report_key(str(DAY), "report.json")))
    assert not report["complete"]
    assert rough.night.box.truth(DAY.date).counts == report["conversations"]


def test_the_others_are_archived(rough: Rough) -> None:
    """Every good recording is in the lake, whatever lay beside it in its batch."""
    assert audio_of(rough.night.box) == audio_in(rough.night.lake)


def test_damaged_bytes_are_in_quarantine_under_their_reason(rough: Rough) -> None:
    """Bytes that arrived and were refused are kept; their key names the reason, the record the key and digest."""
    kept = [item for item in rough.items(Outcome.QUARANTINED) if item.key]
    assert kept
    assert sorted(rough.night.lake.list_keys("quarantine/")) == sorted(item.key for item in kept)
    truth = {part.sha256 for item in rough.night.box.truth(DAY.date).conversations for part in item.parts}
    for item in kept:
        assert f"/reason={item.reason}/conversation={item.conversation_id}/recording={item.recording_id}/" in item.key
        assert item.sha256 == rough.night.lake.head(item.key).sha256
        assert item.sha256 in truth
    pages = [item for item in rough.items(Outcome.QUARANTINED) if not item.key]
    assert all("page" in item.fact for item in pages)


def test_the_next_run_asks_only_for_what_is_open(rough: Rough) -> None:
    """Settled conversations stay out of the next plan; what is still bad is judged again and changes no count."""
    rough.night.box.journal.clear()
    planned, state = rough.night.run()
    still = {
        key for key, value in classes_in(rough.state).items() if value in {"pending", "quarantined", "source_error"}
    }
    assert len(still) == planned.outstanding
    assert classes_in(rough.state) == classes_in(state)
    settled = {item.conversation_id for item in rough.items(Outcome.ARCHIVED)} - still
    assert not [path for path in rough.night.downloads() if any(item in path for item in settled)]


@pytest.mark.parametrize("contract", ["platform", "guide"])
def test_late_recordings_are_brought_by_a_later_run(lake: LakeStore, tmp_path, contract: str) -> None:
    """What was still uploading is pending, and the next run makes the day green with just these downloads."""
    with night(lake, tmp_path, conversations=30, scenario="late", contract=contract) as tonight:
        _, red = tonight.run()
        late = {key for key, value in classes_in(red).items() if value == "pending"}
        assert late
        assert not red.is_complete
        before = audio_in(lake)
        tonight.box.journal.clear()
        planned, green = tonight.run(only_failed=True)
        assert len(late) == planned.outstanding
        assert green.is_complete
        assert classes_of(tonight.box) == classes_in(green)
        assert audio_of(tonight.box) == audio_in(lake)
        assert len(audio_in(lake) - before) == len(set(tonight.downloads())) or contract == "guide"


def test_damage_that_heals(lake: LakeStore, tmp_path) -> None:
    """Bits that were wrong are quarantined; when the source is well again the day becomes green."""
    with night(lake, tmp_path, conversations=12, scenario="clean") as tonight:
        paged, cut = min(audio_of(tonight.box))[1], max(audio_of(tonight.box))[1]
        tonight.box.faults.switch_on(f"media-html:99,match={paged}")
        tonight.box.faults.switch_on(f"media-truncated:99,match={cut}")
        _, red = tonight.run()
        assert {Outcome.PENDING, Outcome.QUARANTINED} < set(red.outcomes.values())
        tonight.box.faults.switch_off()
        tonight.box.journal.clear()
        _, green = tonight.run()
        assert green.is_complete
        assert audio_of(tonight.box) == audio_in(lake)
        asked = {path.split("/")[3] for path in tonight.downloads()}
        assert {paged, cut} == asked
