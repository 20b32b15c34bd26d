"""Counts the downloads of one run, by the names of the media download guide; thread-safe."""

from __future__ import annotations

import logging
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

from include.audit.figures import percent
from include.audit.metrics import DOWNLOAD_BYTES, DOWNLOAD_DURATION, DOWNLOAD_FAILURES, DOWNLOADS, SILENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from include.audit.metrics import Metrics


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Downloads:
    """What came of a number of downloads; ``milliseconds`` is the sum of their durations."""

    total: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    milliseconds: int = 0
    bytes: int = 0

    @property
    def failed(self) -> int:
        """How many failed."""
        return sum(self.failures.values())

    def guide_report(self) -> dict[str, object]:
        """Return the four numbers as the guide spells them.

        >>> Downloads(4, {"source_unavailable": 1}, milliseconds=500).guide_report()
        {'totalDownloads': 4, 'successRate': '75.00%', 'averageLatencyMs': '125', 'failureCount': 1}
        """
        return {
            "totalDownloads": self.total,
            "successRate": percent(self.total - self.failed, self.total, of_nothing="0%"),
            "averageLatencyMs": str(round(self.milliseconds / self.total)) if self.total else "0",
            "failureCount": self.failed,
        }

    def to_json(self) -> dict[str, object]:
        """Return it for XCom."""
        return {
            "total": self.total,
            "failures": dict(self.failures),
            "milliseconds": self.milliseconds,
            "bytes": self.bytes,
        }

    @classmethod
    def sum_of(cls, documents: Iterable[Mapping[str, Any]]) -> Self:
        """Add up what several tasks counted."""
        failures: Counter[str] = Counter()
        total = milliseconds = size = 0
        for document in documents:
            total += int(document["total"])
            milliseconds += int(document["milliseconds"])
            size += int(document["bytes"])
            failures.update(document["failures"])
        return cls(total, dict(sorted(failures.items())), milliseconds, size)


NO_DOWNLOADS = Downloads()


class Download:
    """One download while it runs; say what it came to before it ends, else only its error tells."""

    def __init__(self) -> None:
        self.bytes = 0
        self.refused_for = ""

    def arrived(self, bytes_: int, refused_for: str = "") -> None:
        """Take note of its bytes, and of the finding that keeps them out of the archive, if one does."""
        self.bytes = bytes_
        self.refused_for = refused_for


class DownloadTally:
    """The downloads of a task, each of them a line in its log. ``name_of`` turns an error into the reason's word."""

    def __init__(
        self,
        metrics: Metrics = SILENT,
        name_of: Callable[[BaseException], str] = lambda error: type(error).__name__,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metrics = metrics
        self._name_of = name_of
        self._clock = clock
        self._lock = Lock()
        self._failures: Counter[str] = Counter()
        self._total = self._bytes = 0
        self._seconds = 0.0

    @contextmanager
    def download(self, recording_id: str) -> Iterator[Download]:
        """Count what happens inside the block as one download; the id is empty where nobody knows whose it is."""
        one, began, reason = Download(), self._clock(), ""
        try:
            yield one
            reason = one.refused_for
        except BaseException as error:
            reason = self._name_of(error)
            raise
        finally:
            seconds = self._clock() - began
            self._count(one.bytes, seconds, reason)
            log.info(
                "recording_id=%s download=%s latency_ms=%d bytes=%d%s",
                recording_id or "-", "failure" if reason else "success", round(seconds * 1000), one.bytes,
                f" error={reason}" if reason else "",
            )  # fmt: skip

    def result(self) -> Downloads:
        """Return the counts so far."""
        with self._lock:
            failures = dict(sorted(self._failures.items()))
            return Downloads(self._total, failures, round(self._seconds * 1000), self._bytes)

    def _count(self, bytes_: int, seconds: float, reason: str) -> None:
        with self._lock:
            self._total += 1
            self._bytes += bytes_
            self._seconds += seconds
            if reason:
                self._failures[reason] += 1
        self._metrics.count(DOWNLOADS.of(), 1)
        self._metrics.count(DOWNLOAD_BYTES.of(), bytes_)
        self._metrics.duration(DOWNLOAD_DURATION.of(), seconds)
        if reason:
            self._metrics.count(DOWNLOAD_FAILURES.of(reason), 1)
