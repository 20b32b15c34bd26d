"""Where a plan's conversations come from: the query, or for large days the results of analytics jobs."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from include.genesys.analytics import ConversationsFound
    from include.genesys.models import Conversation
    from include.local_day import LocalDay

log = logging.getLogger(__name__)


class Analytics(StrEnum):
    """How a run asks which conversations happened."""

    AUTO = "auto"
    """The query; the job for a backfill, and where the query counts more than a setting allows."""
    QUERY = "query"
    JOBS = "jobs"


class DetailsSource(Protocol):
    """What is needed of the source."""

    def find_conversations(
        self, start_utc: datetime, end_utc: datetime, *, rows_max: int | None = None
    ) -> ConversationsFound:
        """Ask by the query."""

    def read_details_job(self, job_id: str, start_utc: datetime, end_utc: datetime) -> ConversationsFound:
        """Read a fulfilled job."""

    def resolve_names(self, conversations: Iterable[Conversation]) -> tuple[Conversation, ...]:
        """Fill in names."""

    @property
    def names_missing(self) -> tuple[str, ...]:
        """Say of what names could not be had."""


@dataclass(frozen=True, slots=True)
class DaySource:
    """The source as ``plan_day`` sees it. ``jobs`` maps the first instants of days to fulfilled analytics jobs."""

    client: DetailsSource
    jobs: Mapping[datetime, str]
    rows_max: int | None = None

    def find_conversations(self, start: datetime, end: datetime) -> ConversationsFound:
        """Return the day's conversations.

        Raises:
            LargeIntervalError: when the query counts more than ``rows_max``.
            ArchiveError: as the source raises them.
        """
        job_id = self.jobs.get(start)
        if job_id is None:
            return self.client.find_conversations(start, end, rows_max=self.rows_max)
        return self.client.read_details_job(job_id, start, end)

    def resolve_names(self, conversations: Sequence[Conversation]) -> tuple[Conversation, ...]:
        """Fill in names."""
        return self.client.resolve_names(conversations)

    @property
    def names_missing(self) -> tuple[str, ...]:
        """Say of what names could not be had."""
        return self.client.names_missing


def wants_jobs(analytics: str, *, is_backfill: bool) -> bool:
    """Whether to begin with the jobs, without asking the query first."""
    return analytics == Analytics.JOBS or (analytics == Analytics.AUTO and is_backfill)


def fulfilled_jobs(days: Iterable[LocalDay], jobs: Mapping[str, str], states: Mapping[str, str]) -> dict[datetime, str]:
    """Return the jobs that can be read, by their days' first instants; the other days are left to the query.

    ``jobs`` maps dates to job ids, ``states`` job ids to what is wrong with them: nothing where fulfilled.
    """
    found: dict[datetime, str] = {}
    for day in days:
        job_id = jobs[str(day)]
        trouble = states.get(job_id, "it did not finish in time")
        if trouble:
            log.warning("%s: the analytics job cannot be read (%s); the query is asked instead", day, trouble)
        else:
            found[day.start] = job_id
    return found
