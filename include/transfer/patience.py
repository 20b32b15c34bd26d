"""When to try a download again, and when to stop: the one place that counts attempts and waits."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from include.errors import RateLimited, RetriableError, SourceChanged, UrlExpired

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.errors import ArchiveError
    from include.settings import ArchiveSettings

BACKOFF_FIRST_SECONDS = 0.5
BACKOFF_CAP_SECONDS = 20.0


def full_jitter_seconds(failures: int) -> float:
    """Return a random wait whose ceiling doubles with each failure (AWS Architecture Blog, "full jitter")."""
    ceiling = min(BACKOFF_CAP_SECONDS, BACKOFF_FIRST_SECONDS * 2 ** min(failures, 16))
    return random.uniform(0, ceiling)  # noqa: S311 - spreads retries, guards no secret


class Patience:
    """The attempts of one file: so many failures in a row, and so many fresh starts in all."""

    def __init__(self, settings: ArchiveSettings, sleep: Callable[[float], None]) -> None:
        self._settings = settings
        self._sleep = sleep
        self._failures = 0
        self._restarts = 0
        self.retries = 0

    def progress(self) -> None:
        """A whole range arrived: the source works. Fresh starts stay counted, or a flapping file would never end."""
        self._failures = 0

    def survive(self, error: ArchiveError, *, lost: bool = False) -> None:
        """Wait until the next attempt, or raise ``error`` when another attempt is of no use.

        ``lost`` tells that bytes which had arrived are to be fetched again: a fresh start, whatever the error says.
        """
        self._failures += 1
        self._restarts += lost or isinstance(error, SourceChanged)
        if not _may_heal(error) or max(self._failures, self._restarts) >= self._settings.download_attempts:
            raise error
        wait = full_jitter_seconds(self._failures)
        if isinstance(error, RateLimited):
            if error.retry_after_seconds > self._settings.retry_after_cap_seconds:
                raise error
            wait += error.retry_after_seconds
        self.retries += 1
        self._sleep(wait)


def _may_heal(error: ArchiveError) -> bool:
    if isinstance(error, UrlExpired):
        return False  # only a new URL heals that, and the job gives those out
    return isinstance(error, RetriableError | SourceChanged) or error.facts.get("transient") is True
