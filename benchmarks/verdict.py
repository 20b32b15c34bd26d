"""From measurements to verdicts; pure. A ratio above 1 says that the archive is faster."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.clock import Sample

OURS = "this archive"
ONE_TASK = f"{OURS}, one task"
"""The same work in a single process, for comparison: not a rival, and no bar is about it."""
GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """What one contender came to in one leg; without samples, ``missing`` says why."""

    name: str
    samples: tuple[Sample, ...] = ()
    missing: str = ""

    @property
    def seconds(self) -> float:
        """Median of the wall clock."""
        return median(sample.seconds for sample in self.samples)

    @property
    def cpu_seconds(self) -> float:
        """Median of the contender's own CPU time."""
        return median(sample.cpu_seconds for sample in self.samples)

    @property
    def server_cpu_seconds(self) -> float:
        """Median of the S3 server's CPU time."""
        return median(sample.server_cpu_seconds for sample in self.samples)

    @property
    def rss_bytes(self) -> int:
        """The largest peak."""
        return max(sample.rss_bytes for sample in self.samples)

    @property
    def spread(self) -> float:
        """Slowest run beside the fastest: 1.0 is a quiet machine."""
        seconds = [sample.seconds for sample in self.samples]
        return max(seconds) / min(seconds)


@dataclass(frozen=True, slots=True)
class Bar:
    """What the archive must be, times as fast as the best of these rivals."""

    times: float
    rivals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``ratio`` is ``None`` where no rival of the bar could run."""

    bar: Bar
    ratio: float | None
    best: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; ``None`` where nothing can be said."""
        return None if self.ratio is None else self.ratio >= self.bar.times

    @property
    def word(self) -> str:
        """For the table."""
        return {True: "met", False: "**not met**", None: "not measured"}[self.met]


@dataclass(frozen=True, slots=True)
class LegResult:
    """One leg, measured: our row and the rivals' in the order they ran."""

    key: str
    title: str
    moved_bytes: int
    rows: tuple[Row, ...]
    bars: tuple[Bar, ...] = field(default=())

    def row(self, name: str) -> Row:
        """Return a contender's row."""
        return next(row for row in self.rows if row.name == name)

    @property
    def rivals(self) -> tuple[Row, ...]:
        """Everybody's rows but the archive's own."""
        return tuple(row for row in self.rows if row.name not in (OURS, ONE_TASK))

    def ratio(self, row: Row) -> float | None:
        """Return how many times faster than this contender the archive is."""
        ours = self.row(OURS)
        return row.seconds / ours.seconds if row.samples and ours.samples else None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What became of each bar."""
        return tuple(self._judge(bar) for bar in self.bars)

    def _judge(self, bar: Bar) -> Verdict:
        ran = [row for row in self.rows if row.name in bar.rivals and row.samples]
        if not ran or not self.row(OURS).samples:
            return Verdict(bar, None)
        best = min(ran, key=lambda row: row.seconds)
        return Verdict(bar, self.ratio(best), best.name)


@dataclass(frozen=True, slots=True)
class Limit:
    """A bar that is no race: a measured number, and the most it may be."""

    key: str
    name: str
    value: float
    most: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether the number is small enough."""
        return self.value <= self.most

    @property
    def word(self) -> str:
        """For the table."""
        return "met" if self.met else "**not met**"


def per_gigabyte(seconds: float, moved_bytes: int) -> float:
    """Return CPU seconds for each GB."""
    return seconds / (moved_bytes / GB)


def megabytes_per_second(seconds: float, moved_bytes: int) -> float:
    """Return a rate."""
    return moved_bytes / 1_000_000 / seconds
