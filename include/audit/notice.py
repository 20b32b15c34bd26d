"""What a person is told when a run has ended: its days in a sentence each; pure, and without a name or a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from include.environment import read_settings, variable_of
from include.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FAILURES_ONLY, EVERY_RUN = "failure", "always"
_CHOICES = (FAILURES_ONLY, EVERY_RUN)


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """Read from ``RECORDING_ARCHIVE_<FIELD>``: the Apprise connection by which people are told, and of which runs.

    Raises:
        ConfigurationError: when ``notify_on`` is none of its words.
    """

    notify_conn_id: str = ""
    notify_on: str = FAILURES_ONLY

    def __post_init__(self) -> None:
        if self.notify_on not in _CHOICES:
            raise ConfigurationError(f"{variable_of('notify_on')} must be one of {', '.join(_CHOICES)}")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> NoticeSettings:
        """Build from environment variables; what is unset or empty has its default."""
        return read_settings(cls, environment)


def title_of(dag_id: str, *, succeeded: bool) -> str:
    """Return the headline.

    >>> title_of("genesys_recordings_daily", succeeded=False)
    'genesys_recordings_daily: look at it'
    """
    return f"{dag_id}: {'done' if succeeded else 'look at it'}"


def notice_of(run_id: str, days: Iterable[Mapping[str, Any]], single: Mapping[str, Any] | None = None) -> str:
    """Return the text, from what ``reconcile_day`` found of each day; there may be none, if it never came so far.

    ``single`` is what ``confirm_recording`` found of one recording.
    """
    lines = [_of_single(single)] if single else [_of_day(day) for day in days]
    lines = lines or ["Nothing came to its end: the first red task of the run says why."]
    return "\n".join([*lines, f"Run: {run_id}"])


def _of_day(day: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in sorted(day["conversations"].items()) if count)
    return f"{day['date']}: {day['state']}. {day['expected']} conversations expected: {counts or 'none'}."


def _of_single(found: Mapping[str, Any]) -> str:
    """Ids are in the log of the task: a message goes further than a bucket does."""
    proven, wanted = found["proven"], found["wanted"]
    return f"{found['date']}: {proven} of {wanted} recordings that were asked for are archived and in the day's proof."
