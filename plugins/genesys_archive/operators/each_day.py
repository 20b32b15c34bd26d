"""One run, several days: a day that breaks costs itself, the others go on, and in the end each is named."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException

from include.errors import ArchiveError, RetriableError, SourceChanged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow.sdk import Context

log = logging.getLogger(__name__)


def has_tries_left(context: Context) -> bool:
    """Whether Airflow would try the task again."""
    return bool(context["ti"].try_number <= context["ti"].max_tries)


class DayTroubles:
    """What went wrong with single days of a run; errors that are none of ours pass through at once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._errors: dict[str, ArchiveError] = {}

    @contextmanager
    def of(self, date: str) -> Iterator[None]:
        """Do one day's work; an error is kept for the end, and its trace goes into the log."""
        try:
            yield
        except ArchiveError as error:
            log.exception("%s could not be done; the other days go on", date)
            self._errors[date] = error

    @property
    def sentences(self) -> list[str]:
        """Each broken day with its error."""
        return [f"{date}: {type(error).__name__}: {error}" for date, error in sorted(self._errors.items())]

    def retry_what_may_pass(self) -> None:
        """Let Airflow try the whole task again, while it has tries left, for what may be better then.

        Raises:
            RetriableError, SourceChanged: the first of them, as it came.
        """
        passing = [error for error in self._errors.values() if isinstance(error, RetriableError | SourceChanged)]
        if passing and has_tries_left(self._context):
            raise passing[0]

    def fail_if_any(self, also: Sequence[str] = ()) -> None:
        """End the task red where something is left to say; ``also`` are sentences about days without an error.

        Raises:
            ArchiveError: the only error there is, as it came: its class decides what Airflow does.
            AirflowFailException: naming each day.
        """
        if len(self._errors) == 1 and not also:
            raise next(iter(self._errors.values()))
        if self._errors or also:
            raise AirflowFailException(" ".join([*also, *self.sentences]))
