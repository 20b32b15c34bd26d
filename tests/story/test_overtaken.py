"""A view of the day that another run overtakes: what stands at the end speaks of the newest commit."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from include.lake import layout
from include.lake.store import LakeStore
from include.transfer.catalog import catalog_day
from include.transfer.day import commit_day, reconcile_day
from tests.story.night import DAY, Night, everything_in, night

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Overtaken(LakeStore):
    """The lake of a slow run: while it is about to write its first view, another run does its work."""

    def __init__(self, lake: LakeStore, overtake: Callable[[], object]) -> None:
        super().__init__(lake._client, lake.location)
        self._overtake: Callable[[], object] | None = overtake

    def put_latest(self, key: str, body: bytes, media_type: str) -> bool:
        """Let the other run go first, once."""
        overtake, self._overtake = self._overtake, None
        if overtake is not None:
            overtake()
        return super().put_latest(key, body, media_type)


def half_committed(tonight: Night) -> Callable[[], object]:
    """Commit a day of two shards after the first, and return the work of the run that does the rest."""
    planned = tonight.plan(shards_max=2)

    def archive(number: int) -> None:
        shard, submitted = tonight.ready(planned, number)
        tonight.archive(shard, submitted)

    def rest() -> None:
        archive(1)
        commit_day(tonight.lake, tonight.box.org_id, DAY, [planned.plan_key])
        catalog_day(tonight.lake, tonight.box.org_id, DAY)
        reconcile_day(tonight.lake, tonight.box.org_id, DAY, [planned.plan_key])

    archive(0)
    commit_day(tonight.lake, tonight.box.org_id, DAY, [planned.plan_key])
    return rest


def small(tonight: Night) -> Night:
    """Return the night with batches small enough for two shards."""
    tonight.settings = replace(tonight.settings, batch_items=6)
    return tonight


def test_overtaken_report(lake: LakeStore, tmp_path: Path) -> None:
    """The report of an older commit does not stay over that of the newer one."""
    with night(lake, tmp_path, conversations=12) as tonight:
        rest = half_committed(small(tonight))
        state, _ = reconcile_day(Overtaken(lake, rest), tonight.box.org_id, DAY, [])
        report = json.loads(lake.read(layout.report_key(str(DAY), "report.json")))
        assert (True, True) == (state.is_complete, "v=00000002" in json.dumps(report))
        before = everything_in(lake)
        reconcile_day(lake, tonight.box.org_id, DAY, [])
        assert before == everything_in(lake)


def test_overtaken_catalog(lake: LakeStore, tmp_path: Path) -> None:
    """The partition of an older commit does not stay over that of the newer one."""
    with night(lake, tmp_path, conversations=12) as tonight:
        rest = half_committed(small(tonight))
        done = catalog_day(Overtaken(lake, rest), tonight.box.org_id, DAY)
        assert done.manifest.commit_key.endswith("v=00000002.json")
        assert not catalog_day(lake, tonight.box.org_id, DAY).written
