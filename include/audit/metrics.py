"""What is measured while the archive works: the names, and the port that adapters bring; pure.

Names are ``recording_archive.<name>``; those with one value for each class end in a dot and a word of ours. None
holds an id, an address or a word of the source's: the number of names is bounded.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

from include.audit.standing import Stage
from include.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from include.audit.delivery import Backlog
    from include.audit.figures import DayFigures

PREFIX = "recording_archive"
Word = TypeVar("Word", bound=StrEnum)


class Kind(StrEnum):
    """What a receiver does with a value: add it, keep the last, or build a distribution in milliseconds."""

    COUNTER = "counter"
    GAUGE = "gauge"
    TIMER = "timer"


@dataclass(frozen=True, slots=True)
class Metric:
    """One name. ``label`` says what the word behind the dot is, empty where there is none."""

    name: str
    kind: Kind
    label: str = ""

    def of(self, word: str = "") -> str:
        """Return the full name.

        >>> Metric("recordings", Kind.COUNTER, "class").of("archived")
        'recording_archive.recordings.archived'
        """
        return f"{PREFIX}.{self.name}.{word}" if self.label else f"{PREFIX}.{self.name}"


DOWNLOADS = Metric("downloads", Kind.COUNTER)
DOWNLOAD_FAILURES = Metric("download_failures", Kind.COUNTER, "reason")
DOWNLOAD_DURATION = Metric("download_duration", Kind.TIMER)
DOWNLOAD_BYTES = Metric("download_bytes", Kind.COUNTER)
RECORDINGS = Metric("recordings", Kind.COUNTER, "class")
API_CALLS = Metric("api_calls", Kind.COUNTER)
API_RETRIES = Metric("api_retries", Kind.COUNTER)
API_RATE_LIMITED = Metric("api_rate_limited", Kind.COUNTER)
API_TOKENS = Metric("api_token_requests", Kind.COUNTER)
API_WAIT = Metric("api_wait", Kind.TIMER)
JOBS_WAIT = Metric("jobs_wait", Kind.TIMER)
DAY_EXPECTED = Metric("day_expected", Kind.GAUGE)
DAY_CONVERSATIONS = Metric("day_conversations", Kind.GAUGE, "class")
DAY_COMPLETENESS = Metric("day_completeness_percent", Kind.GAUGE)
DAY_SUCCESS_RATE = Metric("day_success_rate_percent", Kind.GAUGE)
DAY_BYTES = Metric("day_bytes", Kind.GAUGE)
DAY_LATENCY_MEDIAN = Metric("day_latency_median_seconds", Kind.GAUGE)
DAY_LATENCY_P95 = Metric("day_latency_p95_seconds", Kind.GAUGE)
DAY_QUEUE_AGE = Metric("day_queue_age_seconds", Kind.GAUGE)
DAYS_OPEN = Metric("days_open", Kind.GAUGE)
DAYS_HELD = Metric("days_held", Kind.GAUGE)
OUTBOX_UNDELIVERED = Metric("outbox_undelivered", Kind.GAUGE)
OUTBOX_AGE = Metric("outbox_age_seconds", Kind.GAUGE)
OUTBOX_DEAD = Metric("outbox_dead", Kind.GAUGE)
EXPORT_OBJECTS = Metric("export_objects", Kind.COUNTER, "result")
EXPORT_WAITING = Metric("export_waiting", Kind.GAUGE)
EXPORT_MESSAGES = Metric("export_messages", Kind.COUNTER, "kind")
EXPORT_DELETIONS = Metric("export_deletions", Kind.COUNTER, "result")

METRICS: tuple[Metric, ...] = (
    DOWNLOADS, DOWNLOAD_FAILURES, DOWNLOAD_DURATION, DOWNLOAD_BYTES, RECORDINGS,
    API_CALLS, API_RETRIES, API_RATE_LIMITED, API_TOKENS, API_WAIT, JOBS_WAIT,
    DAY_EXPECTED, DAY_CONVERSATIONS, DAY_COMPLETENESS, DAY_SUCCESS_RATE, DAY_BYTES,
    DAY_LATENCY_MEDIAN, DAY_LATENCY_P95, DAY_QUEUE_AGE, DAYS_OPEN, DAYS_HELD,
    OUTBOX_UNDELIVERED, OUTBOX_AGE, OUTBOX_DEAD,
    EXPORT_OBJECTS, EXPORT_WAITING, EXPORT_MESSAGES, EXPORT_DELETIONS,
)  # fmt: skip
"""Every metric there is; ``docs/metrics.md`` explains each."""


class Metrics(Protocol):
    """Where measurements go. An implementation must not fail and must not wait: a metric is worth no recording."""

    def count(self, name: str, value: int) -> None:
        """Add to a counter."""

    def gauge(self, name: str, value: float) -> None:
        """Set a gauge."""

    def duration(self, name: str, seconds: float) -> None:
        """Add one duration to a timer."""


class Silent:
    """Measures nothing."""

    def count(self, name: str, value: int) -> None:
        """Ignore it."""

    def gauge(self, name: str, value: float) -> None:
        """Ignore it."""

    def duration(self, name: str, seconds: float) -> None:
        """Ignore it."""


SILENT = Silent()


class Calls(Protocol):
    """What is counted of calls to the API."""

    @property
    def total(self) -> int:
        """Requests sent, retries included, token requests not."""

    @property
    def retries(self) -> int:
        """Requests that were repeated."""

    @property
    def rate_limited(self) -> int:
        """Answers of 429."""

    @property
    def token_requests(self) -> int:
        """Requests for a token."""

    @property
    def seconds_waited(self) -> float:
        """Time spent waiting for the allowance or before a retry."""


def measure_calls(metrics: Metrics, calls: Calls) -> None:
    """Report what one task asked of the API."""
    metrics.count(API_CALLS.of(), calls.total)
    metrics.count(API_RETRIES.of(), calls.retries)
    metrics.count(API_RATE_LIMITED.of(), calls.rate_limited)
    metrics.count(API_TOKENS.of(), calls.token_requests)
    metrics.duration(API_WAIT.of(), calls.seconds_waited)


def measure_recordings(metrics: Metrics, outcomes: Mapping[str, int]) -> None:
    """Report what became of a shard's recordings, by class."""
    for outcome, count in outcomes.items():
        metrics.count(RECORDINGS.of(str(Outcome(outcome))), count)


def measure_words(metrics: Metrics, metric: Metric, counts: Mapping[Word, int]) -> None:
    """Report counts by a word of ours."""
    for word, count in counts.items():
        metrics.count(metric.of(str(word)), count)


def measure_day(metrics: Metrics, day: DayFigures, seconds_since_end: float) -> None:
    """Report how a day stands; classes without a conversation too, so that no gauge keeps an old value."""
    metrics.gauge(DAY_EXPECTED.of(), day.expected)
    for outcome in Outcome:
        metrics.gauge(DAY_CONVERSATIONS.of(str(outcome)), day.conversations.get(str(outcome), 0))
    metrics.gauge(DAY_COMPLETENESS.of(), _number(day.completeness_percent))
    metrics.gauge(DAY_SUCCESS_RATE.of(), _number(str(day.downloads["successRate"])))
    metrics.gauge(DAY_BYTES.of(), day.bytes)
    metrics.gauge(DAY_QUEUE_AGE.of(), max(0.0, seconds_since_end) if day.open else 0)
    if day.latency:
        metrics.gauge(DAY_LATENCY_MEDIAN.of(), day.latency.median_seconds)
        metrics.gauge(DAY_LATENCY_P95.of(), day.latency.p95_seconds)


def measure_days(metrics: Metrics, days: Iterable[DayFigures]) -> None:
    """Report how many of these days wait for work, and how many for a person's word."""
    stages = Counter(day.state for day in days)
    metrics.gauge(DAYS_OPEN.of(), stages[Stage.OPEN])
    metrics.gauge(DAYS_HELD.of(), stages[Stage.HELD])


def measure_outbox(metrics: Metrics, backlog: Backlog) -> None:
    """Report what the webhook's receiver has not been told yet; zeros too, so that no gauge keeps an old value."""
    metrics.gauge(OUTBOX_UNDELIVERED.of(), backlog.undelivered)
    metrics.gauge(OUTBOX_AGE.of(), backlog.oldest_seconds)
    metrics.gauge(OUTBOX_DEAD.of(), backlog.dead)


def _number(percent: str) -> float:
    return float(percent.removesuffix("%"))
