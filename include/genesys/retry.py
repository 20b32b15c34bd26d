"""The seconds-long half of retrying: back-off with full jitter, ``Retry-After``, an attempt cap and a deadline.

The other half, minutes and hours, belongs to Airflow: what is given up here is raised as an error whose class says
what happens next. Nothing else in this project retries a call.
"""

from __future__ import annotations

import logging
import random as random_module
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

from include.errors import RateLimited, RetriableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from include.genesys.call_counts import CallCounter
    from include.settings import ArchiveSettings

ATTEMPTS_MAX = 10
BACKOFF_FIRST_SECONDS = 1.0
BACKOFF_CAP_SECONDS = 20.0
"""The official CLI waits 5 to 60 s, at most 20 times; ours is bounded by ``api_deadline_seconds`` as well."""

RETRY_AFTER_REPORTED_MAX_SECONDS = 3600.0
"""No answer makes Airflow wait longer than this: a header of 10^9 must not park a day for years."""

RATE_WINDOW_SECONDS = 60.0
JITTER_AFTER_HINT_SECONDS = 1.0

LOGGER = logging.getLogger(__name__)
T = TypeVar("T")


class Again(Exception):  # noqa: N818 - a message from an attempt to the loop; never leaves this package
    """An attempt failed in a way that another may not.

    ``error`` is what to raise when patience ends, ``retry_after_seconds`` what the server asked for, ``lost`` whether
    the call may have taken effect.
    """

    def __init__(self, error: RetriableError, *, retry_after_seconds: float | None = None, lost: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry_after_seconds = retry_after_seconds
        self.lost = lost


@dataclass(slots=True)
class Deadline:
    """The moment at which one call gives up, all retries included."""

    at: float

    def extend(self, seconds: float) -> None:
        """Do not count time spent waiting for our own allowance: that is no fault of the source."""
        self.at += seconds


@dataclass(frozen=True, slots=True)
class Timekeeping:
    """Where time comes from; tests hand in a virtual one. ``clock`` is monotonic, ``wall`` is seconds since 1970."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    wall: Callable[[], float] = time.time
    random: Callable[[float, float], float] = random_module.uniform


class Retrier:
    """Runs attempts until one succeeds or patience ends."""

    def __init__(self, settings: ArchiveSettings, timekeeping: Timekeeping, counter: CallCounter) -> None:
        self._deadline_seconds = settings.api_deadline_seconds
        self._retry_after_cap_seconds = settings.retry_after_cap_seconds
        self._time = timekeeping
        self._counter = counter

    def run(self, endpoint: str, attempt: Callable[[Deadline], T], *, lost_replies_max: int | None = None) -> T:
        """Return what ``attempt`` returns.

        Raises:
            RateLimited: when the source asks for more patience than a task should spend waiting.
            SourceUnavailable: when attempts or time are used up.
            ArchiveError: whatever else ``attempt`` raises, at once.
        """
        deadline = Deadline(self._time.clock() + self._deadline_seconds)
        number = lost = 0
        while True:
            number += 1
            try:
                return attempt(deadline)
            except Again as again:
                lost += again.lost
                if number >= ATTEMPTS_MAX or (lost_replies_max is not None and lost > lost_replies_max):
                    raise self._given_up(again, number) from None
                wait = self._wait(again, number)
                if wait is None or self._time.clock() + wait > deadline.at:
                    raise self._given_up(again, number) from None
                LOGGER.info("Attempt %d of %s failed (%s), waiting %.1f s", number, endpoint, again, wait)
            self._pause(wait)

    def _wait(self, again: Again, number: int) -> float | None:
        """Return the seconds to wait, or ``None`` where a task should not."""
        backoff = min(BACKOFF_CAP_SECONDS, BACKOFF_FIRST_SECONDS * 2 ** (number - 1))
        hint = again.retry_after_seconds
        if hint is None or hint <= 0:
            return self._time.random(0.0, backoff)
        if hint > self._retry_after_cap_seconds:
            return None
        # The jitter comes on top: those who were all told "7" must not all return at 7.
        return hint + self._time.random(0.0, JITTER_AFTER_HINT_SECONDS)

    def _pause(self, wait: float) -> None:
        self._counter.event("retries")
        self._time.sleep(wait)
        self._counter.waited(wait)

    def _given_up(self, again: Again, number: int) -> RetriableError:
        error, hint = again.error, again.retry_after_seconds
        error.facts["attempts"] = number
        if isinstance(error, RateLimited):
            wanted = RATE_WINDOW_SECONDS if hint is None or hint <= 0 else hint
            error.retry_after_seconds = min(wanted, RETRY_AFTER_REPORTED_MAX_SECONDS)
        elif hint is not None:
            error.facts["retry_after_seconds"] = min(max(hint, 0.0), RETRY_AFTER_REPORTED_MAX_SECONDS)
        return error


def retry_after_seconds(headers: Mapping[str, str], wall: float) -> float | None:
    """Read ``Retry-After`` (RFC 9110, 10.2.3): seconds or an HTTP date; garbage and negatives are ``None``.

    A date is measured against the server's own ``Date`` where it sent one, so that a skewed worker clock does no harm.

    >>> retry_after_seconds({"Retry-After": "7"}, 0.0)
    7.0
    """
    value = headers.get("Retry-After")
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdecimal():
        return float(text[:12])
    until = _moment(text)
    if until is None:
        return None
    now = _moment(headers.get("Date", ""))
    return max(0.0, until - (wall if now is None else now))


def _moment(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
