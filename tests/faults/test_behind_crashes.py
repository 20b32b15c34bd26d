"""Killed with SIGKILL while it copies or tells: the next run ends as if nothing had been, and nobody is left untold."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.faults.behind_process import Order, run_behind
from tests.faults.child import begun, end_of, warm_up
from tests.faults.crash_points import BEHIND, KINDS, CrashPoint, Trap, When, items_of
from tests.faults.gate import Gate
from tests.story.night import DAY, everything_in, media_keys, night, remove
from tests.story.receiver import KEY, receiving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from demo.object_store import ObjectStore
    from include.lake.store import LakeStore
    from tests.faults.ground import Listing

MADE_BEHIND = ("derived/", "outbox/")
_EVENT_ID = re.compile(rb"(?i)\r\nx-event-id: ([^\r]+)\r\n")


class HookGate(Gate):
    """Remembers the id and the digest of each event that reached the receiver."""

    def __init__(self, upstream_url: str) -> None:
        super().__init__(upstream_url)
        self.told: list[tuple[str, str]] = []

    def _forwarded(self, request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        found = _EVENT_ID.search(head + b"\r\n")
        assert found, head
        self.told.append((found[1].decode(), hashlib.sha256(body).hexdigest()))
        return super()._forwarded(request)


@dataclass
class Behind:
    """A committed day, the gates, and what an undisturbed run makes of it."""

    lake: LakeStore
    store: ObjectStore
    org: str
    gates: Mapping[str, Gate]
    hook: HookGate
    folder: Path
    runs: int = 0
    whole: Listing = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)

    def run(self, trap: Trap | None = None, days: tuple[str, ...] = (str(DAY),)) -> int:
        """Run until it ends or is killed, and return how: 0, or -9. ``days`` are those to deliver."""
        trap, self.runs = trap or Trap(), self.runs + 1
        for gate in self.gates.values():
            gate.trap = trap
        s3 = {
            "endpoint_url": self.gates["s3"].url,
            "aws_access_key_id": self.store.access_key,
            "aws_secret_access_key": self.store.secret_key,
            "region_name": self.store.region,
        }
        folder = self.folder / str(self.runs)
        folder.mkdir()
        order = Order(s3, self.lake.location, self.org, f"{self.hook.url}/hook", folder, days)
        child = begun(run_behind, order)
        trap.arm(int(child.pid or 0))
        end = end_of(child)
        assert all(gate.is_empty() for gate in self.gates.values())
        assert end in {0, -9}, (folder / "said").read_text()[-2000:]
        return end

    def forget(self, kind: str) -> None:
        """Take away what was made up to a request of that kind and later, and what the receiver was told."""
        gone = MADE_BEHIND if kind.startswith("derivative") else ("outbox/",)
        for key in list(self.lake.list_keys("")):
            if key.startswith(gone) or (gone is MADE_BEHIND and key.endswith("/derivatives.json")):
                remove(self.lake, key)
        self.hook.told.clear()

    def crash(self, point: CrashPoint, number: int) -> list[tuple[str, str]]:
        """Kill one run and let another end; return what the receiver was told, in order."""
        self.forget(point.kind)
        assert -9 == self.run(Trap(point, number)), f"{point} {number} was not reached"
        # Once the outbox knows of the day, any later run delivers it, whichever day that one is about.
        is_known = point.kind == "event" or (point.kind == "outbox" and number > 0)
        assert 0 == self.run(days=() if is_known else (str(DAY),))
        assert self.whole == everything_in(self.lake)
        return self.hook.told


@pytest.fixture(scope="module")
def behind(object_store, lake_client, tmp_path_factory) -> Iterator[Behind]:
    """Return a day of a few calls, and what one undisturbed run comes to."""
    from include.lake.store import LakeStore  # noqa: PLC0415 - only built here
    from include.settings import LakeLocation  # noqa: PLC0415 - only built here

    warm_up()
    folder = tmp_path_factory.mktemp("behind")
    lake = LakeStore(lake_client, LakeLocation(object_store.bucket, "behind"))
    with ExitStack() as stack:
        it = stack.enter_context(night(lake, folder, conversations=4, audio_seconds=(1, 1), scenario="ordinary"))
        it.run()
        server = stack.enter_context(receiving(KEY))
        hook = stack.enter_context(HookGate(f"http://127.0.0.1:{server.server_port}"))
        gates = {"hook": hook, "s3": stack.enter_context(Gate(object_store.endpoint_url))}
        found = Behind(lake, object_store, it.box.org_id, gates, hook, folder)
        trap = Trap()
        assert 0 == found.run(trap)
        found.whole, found.seen = everything_in(lake), trap.seen
        yield found


def test_every_kind_behind_a_day_is_known_and_met(behind: Behind) -> None:
    """Each point is of a kind that the gates can tell, and an undisturbed run has such a request; a second has none."""
    assert len(BEHIND) == len(set(BEHIND))
    assert {point.kind for point in BEHIND} <= {kind for kind, _, _ in KINDS}
    assert [] == [point for point in BEHIND if not behind.seen[point.kind]]
    assert len(media_keys(behind.lake)) == behind.seen["event"]
    told, trap = len(behind.hook.told), Trap()
    assert 0 == behind.run(trap)
    assert (told, 0, behind.whole) == (len(behind.hook.told), trap.seen["outbox"], everything_in(behind.lake))


@pytest.mark.parametrize(
    ("point", "number", "repeated"),
    [
        (CrashPoint("derivative", When.AFTER), 1, 0),
        (CrashPoint("event", When.BEFORE), 1, 1),
        (CrashPoint("event", When.AFTER), 1, 2),
        (CrashPoint("outbox", When.BEFORE), 1, -1),
    ],
    ids=str,
)
def test_killed_behind_a_day(behind: Behind, point: CrashPoint, number: int, repeated: int) -> None:
    """Every event arrives, what comes again is the same under the same id, and the lake is the undisturbed one.

    ``repeated`` are the events that were sent and not marked: all of them (-1) where the mark itself was lost.
    """
    told = behind.crash(point, number)
    count = behind.seen["event"]
    assert count == len({event_id for event_id, _ in told}) == len(set(told))
    assert (count if repeated < 0 else repeated) == len(told) - len(set(told))


@pytest.mark.evidence
@pytest.mark.timeout(3600)
def test_every_crash_point_behind_a_day(behind: Behind) -> None:
    """First, middle and last request of every kind, each at every point."""
    kills = 0
    for point in BEHIND:
        for number in items_of(behind.seen[point.kind]):
            told = behind.crash(point, number)
            assert behind.seen["event"] == len({event_id for event_id, _ in told}) == len(set(told)), point
            kills += 1
    print(f"{len(BEHIND)} points, {kills} kills: all told, lakes alike")  # noqa: T201 - the evidence
