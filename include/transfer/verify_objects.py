"""Object by object against what the evidence says: by the bucket's word (quick), or by every byte (deep).

Many at a time, few in memory: at most a few hundred questions are under way, and a large object passes through in
pieces.
"""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from include.audit.finding import Finding, FindingKind, Recorded, judge
from include.errors import LakeUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from include.lake.store import LakeStore
    from include.transfer.verify_meter import Meter

QUICK_THREADS = 16
DEEP_THREADS = 8
QUEUED_PER_THREAD = 8
READ_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class _Hashed:
    """What an object's own bytes say."""

    bytes: int
    sha256: str
    version_id: str | None


def judged(lake: LakeStore, objects: Iterable[Recorded], meter: Meter, *, deep: bool) -> Iterator[Finding]:
    """Judge each object and yield what is wrong; an object that is there but cannot be read is a finding too.

    Raises:
        LakeUnavailable: when the bucket does not even say what it holds.
        NotAuthorised, ConfigurationError: as the lake raises them.
    """
    threads = DEEP_THREADS if deep else QUICK_THREADS
    waiting: deque[Future[Finding | None]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="verify") as pool:
        try:
            for recorded in objects:
                waiting.append(pool.submit(_judged, lake, recorded, meter, deep))
                if len(waiting) >= threads * QUEUED_PER_THREAD:
                    yield from _found(waiting.popleft())
            while waiting:
                yield from _found(waiting.popleft())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _found(future: Future[Finding | None]) -> list[Finding]:
    finding = future.result()
    return [] if finding is None else [finding]


def _judged(lake: LakeStore, recorded: Recorded, meter: Meter, deep: bool) -> Finding | None:  # noqa: FBT001 - to a pool
    standing = lake.head(recorded.key)
    finding = judge(recorded, standing)
    if standing is not None and not recorded.sha256:
        # A view that nothing names: its bytes must at least be those that the bucket was given.
        recorded = replace(recorded, sha256=standing.sha256, said_by="the bucket's own checksum")
    if deep and (finding is None or finding.kind is FindingKind.UNPROVED):
        finding = _reread(lake, recorded, meter)
    meter.judged(found=finding is not None)
    return finding


def _reread(lake: LakeStore, recorded: Recorded, meter: Meter) -> Finding | None:
    for attempt in range(1, READ_ATTEMPTS + 1):
        try:
            return judge(recorded, _hashed(lake, recorded, meter))
        except LakeUnavailable as error:
            if attempt == READ_ATTEMPTS:
                return Finding(FindingKind.UNREADABLE, recorded.key, f"it is listed, and cannot be read: {error}")
    return None  # pragma: no cover - the last attempt returns


def _hashed(lake: LakeStore, recorded: Recorded, meter: Meter) -> _Hashed:
    digest, size = hashlib.sha256(), 0
    for chunk in lake.chunks(recorded.key):
        digest.update(chunk)
        size += len(chunk)
        meter.read(len(chunk))
    return _Hashed(size, digest.hexdigest(), recorded.version_id)
