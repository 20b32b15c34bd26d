"""Minutes: what Airflow does with each kind of error. Seconds belong to ``include/genesys/http.py``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk.definitions.retry_policy import ExceptionRetryPolicy, RetryAction, RetryDecision, RetryRule

from include.errors import PermanentError, RateLimited, RetriableError, SkippableError, SourceChanged

if TYPE_CHECKING:
    from airflow.sdk import Context

RETRY_DELAY = timedelta(minutes=2)
"""Before the second try; it doubles from try to try."""
MAX_RETRY_DELAY = timedelta(minutes=20)


class ArchiveRetryPolicy(ExceptionRetryPolicy):
    """The table over the error tree, with the source's own ``Retry-After`` as the delay where that is longer."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Return what to do about a failed try."""
        # A source that is flooded names seconds, again and again: tries that close would be over in a minute.
        usual = min(RETRY_DELAY * 2 ** (try_number - 1), MAX_RETRY_DELAY)
        if isinstance(exception, RateLimited) and exception.retry_after_seconds > usual.total_seconds():
            return RetryDecision.retry(
                delay=timedelta(seconds=exception.retry_after_seconds), reason="The source named the delay."
            )
        return super().evaluate(exception, try_number, max_tries, context)


ARCHIVE_RETRY_POLICY = ArchiveRetryPolicy(
    rules=[
        RetryRule(PermanentError, RetryAction.FAIL, reason="Trying again changes nothing; see the runbook."),
        RetryRule(SkippableError, RetryAction.FAIL, reason="An expected absence must not reach this level."),
        RetryRule(SourceChanged, RetryAction.RETRY, timedelta(seconds=30), reason="The source changed; plan again."),
        RetryRule(RetriableError, RetryAction.RETRY, reason="Nothing is wrong with the request; later it may pass."),
    ]
)
