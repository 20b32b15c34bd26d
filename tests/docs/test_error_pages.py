"""The error tree and the runbook's table are ``include/errors.py``."""

from __future__ import annotations

import re

from airflow.sdk.definitions.retry_policy import RetryAction

from genesys_archive.retry_policy import ARCHIVE_RETRY_POLICY
from include import errors
from include.errors import ArchiveError, RateLimited, TransferInterrupted
from tests.docs.pages import page, rows, words

GROUPS = {"ArchiveError", "RetriableError", "PermanentError", "SkippableError"}
NEEDED = {
    RateLimited: {"retry_after_seconds": 1.0},
    TransferInterrupted: {"bytes_safe": 0},
    errors.ArchiveRejected: {"reason": "truncated"},
}


def classes():
    """Return every error class of the project by name."""
    found = [ArchiveError]
    for parent in found:
        found += parent.__subclasses__()
    return {one.__name__: one for one in found if one.__module__ == errors.__name__}


def drawn(text):
    """Read a drawn tree as name to name of the parent."""
    parents, path = {}, []
    for line in text.splitlines():
        found = re.match(r"([\s│├└─]*)(\w+)", line)
        if found is None:
            continue
        depth = len(found[1]) // 4
        path = [*path[:depth], found[2]]
        parents[found[2]] = path[depth - 1] if depth else None
    return parents


def real():
    """Return the tree of the code in the same form."""
    return {name: None if one is ArchiveError else one.__mro__[1].__name__ for name, one in classes().items()}


def test_tree_of_the_architecture_is_the_code():
    """Same classes, same parents."""
    text = next(fence.text for fence in page("docs/architecture.md").fences if fence.text.startswith("ArchiveError"))
    assert real() == drawn(text)


def test_tree_of_the_docstring_is_the_code():
    """The drawing beside the classes does not lie either."""
    tree = re.search(r"(?ms)^    ArchiveError\n.*?(?=\n\S|\Z)", errors.__doc__)[0]
    assert real() == drawn(re.sub(r"(?m)^    ", "", tree))


def test_runbook_has_a_row_for_every_error():
    """All but the four classes that only group others, and those are named below the table."""
    section = page("docs/runbook.md").section("By error")
    assert classes().keys() - GROUPS == {words(row[0])[0] for row in rows(section, "error")}
    assert GROUPS <= set(words(section.split("\n\n")[-2] + section.split("\n\n")[-1]))


def test_runbook_says_what_airflow_does():
    """Its words retries and stops are what the retry policy decides."""
    wrong = []
    for row in rows(page("docs/runbook.md").section("By error"), "error"):
        one = classes()[words(row[0])[0]]
        decision = ARCHIVE_RETRY_POLICY.evaluate(one("a sentence", **NEEDED.get(one, {})), 1, 3)
        if row[1].startswith("stops") != (decision.action is RetryAction.FAIL):
            wrong.append(row[0])
    assert [] == wrong
