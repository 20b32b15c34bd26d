"""The moments at which a run of a day can be killed, by what an observer of its wires sees."""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event, Lock
from urllib.parse import unquote

VICTIM_SECONDS = 30.0


class When(StrEnum):
    """Where a request stands when its sender is killed."""

    BEFORE = "before"
    """It arrived here, and goes no further."""
    HALF_SENT = "half sent"
    """Half of it goes on."""
    AFTER = "reply lost"
    """It was served, and nobody hears of it."""
    HALF_READ = "half read"
    """Half of the answer arrives."""


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """One kind of request, as ``kind_of`` calls it, and when."""

    kind: str
    when: When

    def __str__(self) -> str:
        return f"{self.kind}, {self.when}"


KINDS = (
    # At the source.
    ("token", "POST", r"/oauth/token"),
    ("analytics", "POST", r".*/analytics/conversations/details/query"),
    ("submit", "POST", r".*/recording/batchrequests"),
    ("job status", "GET", r".*/recording/batchrequests/[^/]+"),
    ("recordings of a call", "GET", r".*/recordingmetadata"),
    ("download", "GET", r"/recordings-.*"),
    # At the lake. A key is what follows the test's own prefix.
    ("open upload", "POST", r".*/media/[^?]*\?uploads.*"),
    ("part", "PUT", r".*/media/[^?]*\?partNumber.*"),
    ("complete upload", "POST", r".*/media/[^?]*\?uploadId.*"),
    ("metadata", "PUT", r".*/media/.*\.metadata\.json"),
    ("metadata read back", "HEAD", r".*/media/.*\.metadata\.json"),
    ("media", "PUT", r".*/media/.*"),
    ("media read back", "HEAD", r".*/media/.*"),
    ("day plan", "PUT", r".*/plans/date=[^/]*/day-.*"),
    ("shard plan", "PUT", r".*/plans/date=[^/]*/shard-.*"),
    ("quarantine", "PUT", r".*/quarantine/.*"),
    ("catalog", "PUT", r".*/catalog/recordings/.*"),
    ("catalog manifest", "PUT", r".*/catalog/manifests/.*"),
    ("manifest", "PUT", r".*(?<!catalog)/manifests/date=.*"),
    ("manifest read back", "HEAD", r".*(?<!catalog)/manifests/date=.*"),
    ("word of the deleter", "PUT", r".*/audit/date=[^/]*/run=source-delete-.*"),
    ("journal", "PUT", r".*/audit/date=.*"),
    ("commit", "PUT", r".*/commits/date=.*"),
    ("commit read back", "HEAD", r".*/commits/date=.*"),
    ("seal", "PUT", r".*/seals/date=.*"),
    ("derivatives report", "PUT", r".*/reports/[^?]*/derivatives\.json"),
    ("report", "PUT", r".*/reports/.*"),
    ("derivative document", "PUT", r".*/derived/.*\.json"),
    ("derivative", "PUT", r".*/derived/.*"),
    ("outbox", "PUT", r".*/outbox/.*"),
    # At the bucket of the native export.
    ("deletion", "DELETE", r".*\?.*versionId=.*"),
    # At the receiver of the webhook.
    ("event", "POST", r"/hook.*"),
    ("list", "GET", r"[^?]*\?.*list-type.*"),
)
_PATTERNS = tuple((kind, method, re.compile(path)) for kind, method, path in KINDS)


def kind_of(method: str, target: str) -> str:
    """Return what a request is for, empty where no crash point needs to know."""
    plain = unquote(target)
    return next((kind for kind, verb, path in _PATTERNS if verb == method and path.fullmatch(plain)), "")


_READS = ("token", "analytics", "job status", "recordings of a call", "list")
_WRITES = (
    "day plan", "shard plan", "media", "metadata", "part", "manifest", "journal", "commit", "seal", "catalog",
    "catalog manifest", "report",
)  # fmt: skip
POINTS = (
    *(CrashPoint(kind, When.AFTER) for kind in _READS),
    CrashPoint("submit", When.BEFORE),
    CrashPoint("submit", When.AFTER),
    CrashPoint("download", When.BEFORE),
    CrashPoint("download", When.HALF_READ),
    CrashPoint("media", When.HALF_SENT),
    CrashPoint("part", When.HALF_SENT),
    CrashPoint("open upload", When.AFTER),
    CrashPoint("complete upload", When.BEFORE),
    CrashPoint("complete upload", When.AFTER),
    *(CrashPoint(f"{kind} read back", When.AFTER) for kind in ("media", "metadata", "manifest", "commit")),
    *(CrashPoint(kind, when) for kind in _WRITES for when in (When.BEFORE, When.AFTER)),
)
"""Of a day that ends settled."""
SPOILED = (CrashPoint("quarantine", When.BEFORE), CrashPoint("quarantine", When.AFTER))
"""Of a day with a body that is no audio."""
_BEHIND = ("derivative", "derivative document", "derivatives report", "outbox", "event")
BEHIND = (
    *(CrashPoint(kind, when) for kind in _BEHIND for when in (When.BEFORE, When.AFTER)),
    CrashPoint("derivative", When.HALF_SENT),
    CrashPoint("event", When.HALF_SENT),
)
"""Of what is done with a day that is committed: copies of its recordings, and telling the webhook's receiver."""

_DELETING = ("word of the deleter", "journal", "commit", "seal", "deletion")
DELETING = (
    *(CrashPoint(kind, when) for kind in _DELETING for when in (When.BEFORE, When.AFTER)),
    CrashPoint("word of the deleter", When.HALF_SENT),
    CrashPoint("commit", When.HALF_SENT),
)
"""Of deleting at the source what is proved to be archived. Just after a reply is before the next request."""


def items_of(count: int) -> list[int]:
    """Return the first, the middle and the last of so many."""
    return sorted({0, count // 2, count - 1})


@dataclass
class Trap:
    """Kills one process at the ``number``-th request of a crash point's kind; without a point it only counts."""

    point: CrashPoint | None = None
    number: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    _victim: int = 0
    _armed: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)

    def arm(self, pid: int) -> None:
        """Say whom to kill."""
        self._victim = pid
        self._armed.set()

    def passes(self, kind: str) -> When | None:
        """Count a request; return when its sender has to die, ``None`` where it lives on."""
        with self._lock:
            count = self.seen[kind]
            self.seen[kind] += 1
        here = self.point is not None and (kind, count) == (self.point.kind, self.number)
        return self.point.when if here and self.point else None

    def spring(self) -> None:
        """Kill; the process is the test's own child, so its id is nobody else's."""
        assert self._armed.wait(VICTIM_SECONDS), "nobody was named to be killed"
        os.kill(self._victim, signal.SIGKILL)
