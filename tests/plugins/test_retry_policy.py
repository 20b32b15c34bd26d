"""What Airflow does with each error: a table over the whole tree, so that no new class goes undecided."""

from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.sdk.definitions.retry_policy import ExceptionRetryPolicy, RetryAction

from genesys_archive.defaults import DEFAULT_ARGS
from genesys_archive.retry_policy import ARCHIVE_RETRY_POLICY
from include import errors

RETRY, FAIL, DEFAULT = RetryAction.RETRY, RetryAction.FAIL, RetryAction.DEFAULT
EXTRA = {
    "RateLimited": {"retry_after_seconds": 420.0},
    "TransferInterrupted": {"bytes_safe": 1},
    "ArchiveRejected": {"reason": "x"},
}
TABLE = {
    "ArchiveError": (DEFAULT, None),
    "RetriableError": (RETRY, None),
    "RateLimited": (RETRY, timedelta(minutes=7)),
    "SourceUnavailable": (RETRY, None),
    "TransferInterrupted": (RETRY, None),
    "UrlExpired": (RETRY, None),
    "LakeUnavailable": (RETRY, None),
    "SourceChanged": (RETRY, timedelta(seconds=30)),
    "PermanentError": (FAIL, None),
    "NotAuthorised": (FAIL, None),
    "RequestRejected": (FAIL, None),
    "IntegrityError": (FAIL, None),
    "ArchiveRejected": (FAIL, None),
    "LakeConflict": (FAIL, None),
    "QuotaExceeded": (FAIL, None),
    "ObjectLocked": (FAIL, None),
    "ConfigurationError": (FAIL, None),
    "SkippableError": (FAIL, None),
    "RecordingGone": (FAIL, None),
    "FormatUnsupported": (FAIL, None),
}


def tree(root):
    """Return an error class and everything below it that ``include/errors.py`` declares."""
    below = [found for child in root.__subclasses__() for found in tree(child)]
    return [root, *(found for found in below if found.__module__ == errors.__name__)]


def decide(error):
    """Return action and delay for an error on the first of four tries."""
    decision = ARCHIVE_RETRY_POLICY.evaluate(error, 1, 3)
    return decision.action, decision.retry_delay


def test_table_is_the_whole_tree():
    """A class added to the tree must be decided here."""
    assert set(TABLE) == {found.__name__ for found in tree(errors.ArchiveError)}


@pytest.mark.parametrize("name", sorted(TABLE))
def test_each_error_has_its_decision(name):
    """The first rule that fits wins, and the source's own delay is honoured."""
    error = getattr(errors, name)("It happened.", **EXTRA.get(name, {}))
    assert TABLE[name] == decide(error)


@pytest.mark.parametrize(
    ("try_number", "said", "delay"),
    [(1, 1, None), (1, 121, 121), (2, 121, None), (3, 479, None), (3, 481, 481), (9, 1201, 1201)],
)
def test_short_delay_of_the_source_does_not_use_up_the_tries(try_number, said, delay):
    """A Retry-After of seconds in a long storm: the usual minutes are waited, which double from try to try."""
    decision = ARCHIVE_RETRY_POLICY.evaluate(errors.RateLimited("x", retry_after_seconds=said), try_number, 3)
    assert (RETRY, delay and timedelta(seconds=delay)) == (decision.action, decision.retry_delay)


def test_bug_is_left_to_the_ordinary_retries():
    """An exception of no class of ours is neither retried for ever nor failed at once."""
    assert (DEFAULT, None) == decide(KeyError("bug"))


def test_every_decision_says_why():
    """The reason stands in the task's log; it names no values."""
    silent = [
        name for name in TABLE
        if name != "ArchiveError"
        and not ARCHIVE_RETRY_POLICY.evaluate(getattr(errors, name)("x", **EXTRA.get(name, {})), 1, 3).reason
    ]  # fmt: skip
    assert [] == silent


def test_policy_is_every_task_s_default():
    """No task has to remember it."""
    assert ARCHIVE_RETRY_POLICY is DEFAULT_ARGS["retry_policy"]


def test_rules_survive_serialization():
    """The stored form names classes that can be imported."""
    again = ExceptionRetryPolicy.deserialize(ARCHIVE_RETRY_POLICY.serialize())
    assert FAIL == again.evaluate(errors.NotAuthorised("x"), 1, 3).action
    assert RETRY == again.evaluate(errors.SourceUnavailable("x"), 1, 3).action
