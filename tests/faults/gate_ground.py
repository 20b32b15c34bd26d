"""Where the gate that deletes at the source can be killed: an export that is archived, a lake, a TCP gate for each.

Of the export some may go, and one of each stays that must: with other bytes than the archive, with two versions, too
young; and all metadata.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

from include.lake.export_bucket import ExportBucket
from include.sandbox.native_export import Irregularities
from include.settings import LakeLocation
from tests.faults.child import begun, end_of, warm_up
from tests.faults.crash_points import Trap
from tests.faults.gate import Gate
from tests.faults.gate_process import MIN_AGE, Order, run_gate
from tests.story.export_desk import config_of, export_desk
from tests.story.night import DAY, remove

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from demo.object_store import ObjectStore
    from include.lake.store import LakeStore
    from include.lake.versions import ObjectVersion
    from tests.story.export_desk import ExportDesk

PROVED, DELETED = "source_proved", "source_deleted"
TICKS_MAX = 200
Named = dict[str, set[tuple[str, str]]]
"""Address and version of every object that the journal names, by the word it has for it."""


class SourceGate(Gate):
    """Looks, whenever a deletion arrives, what the lake says at that very moment."""

    def __init__(self, upstream_url: str, lake: LakeStore) -> None:
        super().__init__(upstream_url)
        self._lake = lake
        self.unnamed: list[str] = []
        """What was to be deleted, and no commit called it proved."""

    def _pass(self, client: socket.socket, request: bytes) -> None:
        method, target, _ = request.partition(b"\r\n")[0].decode().split(" ")
        if method == "DELETE":
            asked = urlsplit(target)
            version = parse_qs(asked.query).get("versionId", ["none"])[0]
            if (f"s3:/{unquote(asked.path)}", version) not in anchored(self._lake)[PROVED]:
                self.unnamed.append(target)
        super()._pass(client, request)


def anchored(lake: LakeStore) -> Named:
    """Return what the segments of the gate tell that the newest commit names."""
    newest = max(lake.list_keys(f"commits/date={DAY}/"))
    segments = [entry["key"] for entry in json.loads(lake.read(newest))["journal"]]
    return _told(lake, [key for key in segments if "run=source-delete-" in key])


def written(lake: LakeStore) -> Named:
    """Return what all segments of the gate tell, anchored or not."""
    return _told(lake, [key for key in lake.list_keys(f"audit/date={DAY}/") if "run=source-delete-" in key])


def _told(lake: LakeStore, keys: list[str]) -> Named:
    lines = [json.loads(line) for key in keys for line in lake.read(key).splitlines()]
    return {
        word: {(line["key"], line["version_id"]) for line in lines if line["action"] == word}
        for word in (PROVED, DELETED)
    }


@dataclass
class GateGround:
    """The parts; ``may_go`` are the keys that an undisturbed gate deletes, ``seen`` the requests it needs for that."""

    desk: ExportDesk
    store: ObjectStore
    source_gate: SourceGate
    lake_gate: Gate
    folder: Path
    young: str = ""
    runs: int = 0
    bodies: dict[str, bytes] = field(default_factory=dict)
    documents: frozenset[str] = frozenset()
    may_go: frozenset[str] = frozenset()
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def lake(self) -> LakeStore:
        """The lake, past the gate."""
        return self.desk.ports.lake

    @property
    def source(self) -> ExportBucket:
        """The export, past the gate."""
        return self.desk.ports.export

    def versions(self) -> set[ObjectVersion]:
        """Return every version and marker of the export."""
        return {replace(version, is_latest=True) for version in self.source.versions.list("")}

    def named(self, versions: set[ObjectVersion]) -> set[tuple[str, str]]:
        """Return them as the journal does."""
        return {(self.source.uri(version.key), version.version_id) for version in versions}

    def findings(self) -> list[object]:
        """Return what an auditor would find who reads every byte."""
        return self.desk.findings(deep=True)

    def put(self, key: str) -> None:
        """Write an object of the export as the integration wrote it."""
        place = self.source.location
        self.desk.client.put_object(Bucket=place.bucket, Key=f"{place.prefix}/{key}", Body=self.bodies[key])

    def restore(self) -> None:
        """Put everything back as it was before any gate was opened; the young one is younger than all others again."""
        for key in set(self.lake.list_keys("")) - self.documents:
            remove(self.lake, key)
        for key in self.bodies.keys() - {version.key for version in self.versions()}:
            self.put(key)
        for _ in range(TICKS_MAX):
            stored = {item.key: item.stored_at for item in self.source.objects("")}
            if stored[self.young] > self._last_of_the_old(stored):
                return
            for version in self.versions():
                if version.key == self.young:
                    self.source.versions.delete(version)
            Event().wait(0.05)  # the bucket's clock shows seconds
            self.put(self.young)
        raise AssertionError("the bucket's clock stands still")

    def _last_of_the_old(self, stored: dict[str, datetime]) -> datetime:
        return max(at for key, at in stored.items() if key != self.young)

    def run(self, trap: Trap | None = None) -> int:
        """Open the gate once, until it ends or is killed, and return how: 0, or -9."""
        trap, self.runs = trap or Trap(), self.runs + 1
        self.source_gate.trap = self.lake_gate.trap = trap
        stored = {item.key: item.stored_at for item in self.source.objects("")}
        now = self._last_of_the_old(stored) + MIN_AGE
        folder = self.folder / str(self.runs)
        folder.mkdir()
        order = Order(
            self._through(self.source_gate), self.source.location,
            self._through(self.lake_gate), self.lake.location, self.desk.ports.org, now, folder,
        )  # fmt: skip
        child = begun(run_gate, order)
        trap.arm(int(child.pid or 0))
        end = end_of(child)
        assert self.source_gate.is_empty()
        assert self.lake_gate.is_empty()
        assert end in {0, -9}, self.said()[-2000:]
        return end

    def said(self) -> str:
        """Return what the last run said."""
        return (self.folder / str(self.runs) / "said").read_text()

    def _through(self, gate: Gate) -> dict[str, str]:
        return {
            "endpoint_url": gate.url,
            "aws_access_key_id": self.store.access_key,
            "aws_secret_access_key": self.store.secret_key,
            "region_name": self.store.region,
        }


@contextmanager
def gate_ground(store: ObjectStore, lake: LakeStore, client: object, folder: Path, bucket: str) -> Iterator[GateGround]:
    """Lay out an export in a bucket that keeps versions, archive it, and let one undisturbed gate show what may go."""
    warm_up()
    with ExitStack() as stack:
        desk = stack.enter_context(export_desk(lake, client, folder, config_of(conversations=8, audio_seconds=(1, 1))))
        location = LakeLocation(bucket, f"exports/{uuid4().hex}")
        desk.ports = replace(desk.ports, export=ExportBucket(client, location))
        desk.written = replace(desk.written, irregularities=Irregularities(late=0, missing_metadata=0))
        desk.write()
        desk.ingest()
        source_gate = stack.enter_context(SourceGate(store.endpoint_url, lake))
        found = GateGround(desk, store, source_gate, stack.enter_context(Gate(store.endpoint_url)), folder)
        found.bodies = {item.key: found.source.read(item.key) or b"" for item in found.source.objects("")}
        found.documents = frozenset(lake.list_keys(""))
        alone = [key for key in sorted(found.bodies) if _is_single(key, found.bodies)]
        found.young = alone[0]
        found.put(alone[1])
        found.restore()
        before, trap = found.versions(), Trap()
        assert 0 == found.run(trap), found.said()
        found.may_go = frozenset(version.key for version in before - found.versions())
        found.seen = trap.seen
        yield found


def _is_single(key: str, keys: dict[str, bytes]) -> bool:
    """Whether a recording was exported once: neither a second time, nor with other bytes."""
    name = key.rpartition("/")[2]
    return not key.endswith(".json") and sum(other.endswith(f"/{name}") for other in keys) == 1
