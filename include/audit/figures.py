"""A day in numbers: what the chart draws, the metrics say and the Asset event carries; pure.

Small enough that thirty days are thirty small documents: the rows with names stay in ``report.json``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from include.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from include.audit.reconcile import DayState
    from include.outcome import ItemRecord

SCHEMA = "recording-archive/figures/1"
NOT_TRIED = frozenset({"batch", "recordingmetadata", "reconcile"})
"""Who speaks of recordings that no download was begun for."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long recordings took from the end of their call to the archive, in whole seconds; never of no recordings."""

    recordings: int
    mean_seconds: int
    median_seconds: int
    p95_seconds: int
    max_seconds: int

    @classmethod
    def of(cls, seconds: Iterable[int]) -> Self | None:
        """Return the summary, ``None`` of nothing. Percentiles are values that occurred (nearest rank).

        >>> Latency.of([10, 20, 30, 40])
        Latency(recordings=4, mean_seconds=25, median_seconds=20, p95_seconds=40, max_seconds=40)
        """
        ordered = sorted(seconds)
        if not ordered:
            return None
        return cls(
            recordings=len(ordered),
            mean_seconds=sum(ordered) // len(ordered),
            median_seconds=_nearest_rank(ordered, 50),
            p95_seconds=_nearest_rank(ordered, 95),
            max_seconds=ordered[-1],
        )


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day. ``conversations`` maps class to count, ``exclusions`` the reason of each item that is not archived."""

    date: str
    expected: int
    conversations: Mapping[str, int] = field(default_factory=dict)
    exclusions: Mapping[str, int] = field(default_factory=dict)
    bytes: int = 0
    archived: int = 0
    failed: int = 0
    latency: Latency | None = None
    state: str = ""
    commit: str = ""
    unreadable: int = 0
    without_names: tuple[str, ...] = ()

    @classmethod
    def of(cls, date: str, state: DayState, latency: Latency | None, commit_key: str = "") -> Self:
        """Count a day as the commit under that key stands for it; what its plans say is not counted here."""
        items = [item for parts in state.items.values() for item in parts]
        archived = [item for item in items if item.outcome is Outcome.ARCHIVED]
        holes = [item for item in items if item.outcome is not Outcome.ARCHIVED]
        return cls(
            date=date,
            expected=len(state.items),
            conversations=dict(Counter(str(outcome) for outcome in state.outcomes.values())),
            exclusions=dict(Counter(item.reason or str(item.outcome) for item in holes)),
            bytes=sum(item.bytes for item in archived),
            archived=len(archived),
            failed=sum(map(_is_failed_download, holes)),
            latency=latency,
            state=str(state.stage),
            commit=commit_key,
        )

    @property
    def open(self) -> int:
        """How many conversations somebody still has to act or wait for."""
        return sum(count for name, count in self.conversations.items() if Outcome(name).is_open)

    @property
    def completeness_percent(self) -> str:
        """The share of the expected conversations that are archived or excluded by name."""
        return percent(self.expected - self.open, self.expected, of_nothing="100.00%")

    @property
    def downloads(self) -> dict[str, object]:
        """Totals, success rate and failures of the day's downloads, by the names of the media download guide.

        A recording that a later run brought in counts as the success it came to.
        """
        total = self.archived + self.failed
        return {
            "totalDownloads": total,
            "successRate": percent(self.archived, total, of_nothing="0%"),
            "failureCount": self.failed,
        }

    def event(self) -> dict[str, object]:
        """Return what an Asset event tells about the day: enough to wait for it, and the key to find the rest."""
        return {
            "date": self.date,
            "state": self.state,
            "complete": not self.open,
            "expected": self.expected,
            "conversations": dict(self.conversations),
            "exclusions": dict(self.exclusions),
            "bytes": self.bytes,
            "completeness_percent": self.completeness_percent,
            "downloads": self.downloads,
            "commit": self.commit,
        }

    def to_json(self) -> dict[str, object]:
        """Return the document."""
        fields = asdict(self)
        for name in ("unreadable", "without_names"):
            if not fields[name]:
                del fields[name]  # as in the figures of a version that did not know it
        return {
            "schema": SCHEMA,
            **fields,
            "completeness_percent": self.completeness_percent,
            "downloads": self.downloads,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what ``to_json`` wrote; fields of a newer version are ignored.

        Raises:
            KeyError, TypeError, ValueError: when it is something else.
        """
        latency = document["latency"]
        return cls(
            date=str(document["date"]),
            expected=int(document["expected"]),
            conversations={str(Outcome(name)): int(count) for name, count in document["conversations"].items()},
            exclusions={str(name): int(count) for name, count in document["exclusions"].items()},
            bytes=int(document["bytes"]),
            archived=int(document["archived"]),
            failed=int(document["failed"]),
            latency=None if latency is None else Latency(**{name: int(latency[name]) for name in Latency.__slots__}),
            state=str(document.get("state", "")),
            commit=str(document.get("commit", "")),
            unreadable=int(document.get("unreadable", 0)),
            without_names=tuple(map(str, document.get("without_names", ()))),
        )


def percent(part: int, whole: int, *, of_nothing: str) -> str:
    """Return a share with two digits, cut and not rounded: one missing of a million is not 100 %.

    >>> percent(999_999, 1_000_000, of_nothing="0%")
    '99.99%'
    """
    if not whole:
        return of_nothing
    hundredths = part * 10_000 // whole
    return f"{hundredths // 100}.{hundredths % 100:02d}%"


def _nearest_rank(ordered: Sequence[int], share: int) -> int:
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


def _is_failed_download(item: ItemRecord) -> bool:
    """Whether bytes were asked for and did not end in the archive; another medium beside the call is no failure."""
    wanted = item.outcome in {Outcome.PENDING, Outcome.QUARANTINED, Outcome.SOURCE_ERROR}
    return wanted and bool(item.recording_id) and item.said_by not in NOT_TRIED
