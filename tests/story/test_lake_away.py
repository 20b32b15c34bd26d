"""The bucket goes away in the middle of a shard: the task fails, and nobody writes down an exclusion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.config import Config

from include.errors import LakeUnavailable
from include.lake.store import LakeStore, client_config
from tests.store_client import store_client
from tests.story.desk import Desk, audio, desk, zipped
from tests.story.night import audio_in, audio_of, night, opened
from tests.story.shelf import finished
from tests.story.valve import Valve

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

    from demo.object_store import ObjectStore
    from include.lake.store import Put


def lake_behind(valve: Valve, store: ObjectStore, lake: LakeStore) -> LakeStore:
    """Return the same lake, reached through the valve, by a client that does not try again."""
    once = client_config().merge(Config(retries={"total_max_attempts": 1}))
    client = store_client(store, endpoint_url=valve.url, config=once)
    return LakeStore(client, lake.location)


@pytest.mark.parametrize("contract", ["platform", "guide"])
@pytest.mark.parametrize("puts", [0, 1, 7])
def test_lake_unreachable_in_the_middle(
    lake: LakeStore, object_store: ObjectStore, tmp_path: Path, contract: str, puts: int
) -> None:
    """The error reaches the task, no manifest is written, and the next try brings what was missing."""
    with night(lake, tmp_path, conversations=9, scenario="clean", contract=contract) as tonight:
        shard, submitted = tonight.ready(tonight.plan())
        with Valve(object_store.endpoint_url, puts) as valve:
            away = lake_behind(valve, object_store, lake)
            with opened(tonight.box, away, tmp_path) as cut, pytest.raises(LakeUnavailable):
                cut.archive(shard, submitted)
        assert [] == list(lake.list_keys("manifests/")) == list(lake.list_keys("quarantine/"))
        assert audio_in(lake) < audio_of(tonight.box)
        report = tonight.archive(shard, submitted)
        assert {"archived"} == report.outcomes.keys()
        assert audio_of(tonight.box) == audio_in(lake)


def quarantines(table: Desk) -> dict[str, object]:
    """Return results whose bytes have to be quarantined, by what they are."""
    unsafe = zipped({"/etc/passwd": b"x"})
    return {
        "damaged": table.result(1, table.shelf.put("/cut.wav", audio(1)[:-200])),
        "unsafe-zip": table.result(1, table.shelf.put("/unsafe.zip", unsafe)),
        "unsafe-bundle": table.bundle(unsafe),
    }


@pytest.mark.parametrize("kind", ["damaged", "unsafe-zip", "unsafe-bundle"])
def test_quarantine_unreachable(lake: LakeStore, object_store: ObjectStore, tmp_path: Path, kind: str) -> None:
    """Bytes that cannot be quarantined because the lake is away are no exclusion either: the shard stops."""
    with Valve(object_store.endpoint_url, 0) as valve:
        away = lake_behind(valve, object_store, lake)
        with desk(away, tmp_path) as table:
            table.source.statuses["job"] = [finished(quarantines(table)[kind])]
            with pytest.raises(LakeUnavailable):
                table.archive(1)
    assert [] == list(lake.list_keys(""))


class WithoutQuarantine(LakeStore):
    """A lake that answers, but for what is put under ``quarantine/``."""

    def put_if_absent(self, key: str, body: IO[bytes], **facts: object) -> Put:
        """Put, or be away."""
        if key.startswith("quarantine/"):
            raise LakeUnavailable("The bucket did not answer.", key=key)
        return super().put_if_absent(key, body, **facts)


@pytest.mark.parametrize("kind", ["damaged", "unsafe-zip", "unsafe-bundle"])
def test_lake_away_for_a_moment(lake: LakeStore, lake_client, tmp_path: Path, kind: str) -> None:
    """Also when the lake is back at once, its absence is not written down as the recording's own trouble."""
    with desk(WithoutQuarantine(lake_client, lake.location), tmp_path) as table:
        table.source.statuses["job"] = [finished(quarantines(table)[kind])]
        with pytest.raises(LakeUnavailable):
            table.archive(1)
    assert [] == list(lake.list_keys(""))
