"""Where a day is run in processes that may be killed: a sandbox, a bucket, and a gate in front of each."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from include.lake.store import LakeStore
from include.sandbox.config import SandboxConfig
from include.sandbox.server import running
from include.settings import LakeLocation
from tests.faults.child import begun, end_of, warm_up
from tests.faults.crash_points import CrashPoint, Trap
from tests.faults.gate import Gate
from tests.faults.night_process import Order, run_night
from tests.story.night import DAY, everything_in

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from demo.object_store import ObjectStore
    from include.sandbox.server import Sandbox

Listing = dict[str, tuple[str, int]]
"""SHA-256 and size of every object by its key."""
PIN_SECONDS = 480.0
"""How long one moment is told to all runs; S3 refuses a clock that is a quarter of an hour wrong."""


@dataclass
class Undisturbed:
    """What a day comes to that nothing disturbs: after one run, after two, after three."""

    at: datetime
    since: float
    listings: list[Listing]
    seen: Counter[str]


@dataclass
class Ground:
    """The parts; ``run`` is one process from its start to its end."""

    store: ObjectStore
    client: S3Client
    box: Sandbox
    gates: Mapping[str, Gate]
    folder: Path
    bucket: str
    multipart_bytes: int = 14_000
    """So that a second of WAV goes in parts, and of MP3 does not."""
    _undisturbed: Undisturbed | None = field(default=None)

    def lake(self) -> LakeStore:
        """Return an empty lake, as seen past the gate."""
        return LakeStore(self.client, LakeLocation(self.bucket, f"nights/{uuid4().hex}"))

    def memory(self) -> Path:
        """Return a folder for what one run of Airflow remembers."""
        return self.folder / uuid4().hex

    def start(self, lake: LakeStore, memory: Path, at: datetime | None) -> BaseProcess:
        """Start a run of the day."""
        config = self.box.world.config
        extra = {
            "contract": config.contract,
            "api_base_url": self.gates["api"].url,
            "login_base_url": self.gates["api"].url,
            "org_id": self.box.org_id,
            "media_hosts": "127.0.0.1",
            "requests_per_minute": 10_000,
        }
        s3 = {
            "endpoint_url": self.gates["s3"].url,
            "aws_access_key_id": self.store.access_key,
            "aws_secret_access_key": self.store.secret_key,
            "region_name": self.store.region,
        }
        connection = {"login": config.client_id, "password": config.client_secret, "extra": extra}
        order = Order(s3, lake.location, connection, memory, at, self.multipart_bytes)
        return begun(run_night, order)

    def run(self, lake: LakeStore, memory: Path, at: datetime | None, trap: Trap | None = None) -> int:
        """Run the day until it ends or is killed, and return how: 0, or -9."""
        trap = trap or Trap()
        for gate in self.gates.values():
            gate.trap, gate.pinned_at = trap, at
        child = self.start(lake, memory, at)
        trap.arm(int(child.pid or 0))
        return self.end_of(child)

    def end_of(self, child: BaseProcess) -> int:
        """Return how a run ended, when nothing of it is on its way any more."""
        end = end_of(child)
        assert all(gate.is_empty() for gate in self.gates.values())
        return end

    def undisturbed(self) -> Undisturbed:
        """Return what three runs come to that nothing disturbs, at a moment that is not too long ago."""
        known = self._undisturbed
        if known is None or time.monotonic() - known.since > PIN_SECONDS:
            known = Undisturbed(datetime.now(UTC).replace(microsecond=0), time.monotonic(), [], Trap().seen)
            lake, trap = self.lake(), Trap()
            for _ in range(3):
                memory = self.memory()
                assert self.run(lake, memory, known.at, trap) == 0, said_in(memory)
                known.listings.append(everything_in(lake))
                known.seen, trap = known.seen or trap.seen, Trap()
            self._undisturbed = known
        return known


def said_in(memory: Path) -> str:
    """Return the last words of a run."""
    return (memory / "said").read_text()[-4000:]


@dataclass(frozen=True)
class Crashed:
    """What became of a day whose first run was killed; ``differences`` are those that its last run left."""

    point: CrashPoint
    number: int
    mode: str
    runs: int
    differences: tuple[str, ...]
    same_as: int = 0
    """The lake is that of so many undisturbed runs."""


def crash_and_run_again(ground: Ground, point: CrashPoint, number: int, mode: str, runs_max: int = 2) -> Crashed:
    """Kill the first run of a day at its ``number``-th such request, and run until the lake is as it should be."""
    whole = ground.undisturbed()
    lake, memory = ground.lake(), ground.memory()
    assert -9 == ground.run(lake, memory, whole.at, Trap(point, number)), f"{point} {number} was not reached"
    differences: tuple[str, ...] = ()
    for runs in range(1, runs_max + 1):
        memory = memory if runs == 1 and mode == "retried" else ground.memory()
        assert 0 == ground.run(lake, memory, whole.at), said_in(memory)
        found = everything_in(lake)
        if found in whole.listings:
            return Crashed(point, number, mode, runs, (), whole.listings.index(found) + 1)
        expected = whole.listings[0]
        differences = tuple(sorted(key for key in {*found, *expected} if found.get(key) != expected.get(key)))
    return Crashed(point, number, mode, runs_max, differences)


@contextmanager
def ground_for(
    store: ObjectStore, client: S3Client, folder: Path, bucket: str = "", **config: object
) -> Iterator[Ground]:
    """Open a sandbox with a dozen short calls, and the gates."""
    warm_up()
    config = {"conversations": 12, "audio_seconds": (1, 1), "job_seconds": 0.0, "rate_limit": 100_000} | config
    with ExitStack() as stack:
        box = stack.enter_context(running(SandboxConfig(dates=(DAY.date,), timezone="Europe/Berlin", **config)))
        places = {"api": box.api_base_url, "media": box.media_base_url, "s3": store.endpoint_url}
        gates = {name: stack.enter_context(Gate(url)) for name, url in places.items()}
        box.world.media_base_url = gates["media"].url
        yield Ground(store, client, box, gates, folder, bucket or store.bucket)
