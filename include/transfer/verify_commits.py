"""A day's commits, read as an auditor reads them: every one of them, each against the one before it.

Where ``read_head`` stops at the first trouble, this goes on and names all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from include.audit.finding import Finding, FindingKind
from include.canonical import canonical_json, read_document
from include.errors import ConfigurationError, LakeUnavailable
from include.lake import key_reading, layout
from include.lake.commit import SCHEMA, Commit
from include.local_day import LocalDay
from include.settings import zone_named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from include.lake.store import LakeStore


def read_commits(lake: LakeStore, date: str, org: str) -> tuple[dict[int, Commit], list[Finding]]:
    """Return the day's commits that can be read, by number, and everything that is wrong with them.

    ``org`` is whose they must be; empty where nobody says, and then all of them must agree.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: as the lake raises them.
    """
    commits: dict[int, Commit] = {}
    findings: list[Finding] = []
    keys = list(lake.list_keys(layout.commit_prefix(date)))
    for key in keys:
        try:
            commit = _read(lake.read(key) or b"", date)
        except LakeUnavailable as error:
            findings.append(Finding(FindingKind.UNREADABLE, key, str(error)))
            continue
        except (ValueError, KeyError, TypeError, ConfigurationError) as error:
            findings.append(Finding(FindingKind.ALTERED, key, f"it is no commit of {date} as it was written: {error}"))
            continue
        if commit.key != key:
            findings.append(Finding(FindingKind.ALTERED, key, f"it calls itself {commit.key}"))
            continue
        commits[commit.version] = commit
    findings += _numbers_missing(keys, date)
    findings += [item for number in sorted(commits) for item in _judged(commits, number, org)]
    return commits, findings


def _read(body: bytes, date: str) -> Commit:
    document = read_document(body)
    commit = Commit.parse(body, LocalDay.of(date, zone_named(str(document["timezone"]))))
    # A document of ours has one spelling; one that says the same in other bytes was written by somebody else.
    if canonical_json(document) != body:
        raise ValueError("not in the canonical spelling")
    if document["schema"] != SCHEMA:
        raise ValueError(f"its schema is {document['schema']!r}")
    bounds = (commit.day.start.isoformat(), commit.day.end.isoformat())
    if (document["starts_at"], document["ends_at"]) != bounds:
        raise ValueError("its bounds are not those of the day")
    previous = cast("dict[str, str] | None", document["previous"])
    if previous and previous["key"] != layout.commit_key(date, commit.version - 1):
        raise ValueError("it names a wrong predecessor")
    return commit


def _numbers_missing(keys: list[str], date: str) -> list[Finding]:
    last = max((key_reading.commit_number(key) for key in keys), default=0)
    wanted = (layout.commit_key(date, number) for number in range(1, last + 1))
    return [Finding(FindingKind.MISSING, key, "a later commit stands there") for key in wanted if key not in keys]


def _judged(commits: Mapping[int, Commit], number: int, org: str) -> list[Finding]:
    commit, before = commits[number], commits.get(number - 1)
    findings = []
    owner = org or commits[max(commits)].org
    if commit.org != owner:
        findings.append(Finding(FindingKind.CONTRADICTION, commit.key, f"it is organisation {commit.org}'s"))
    if (commit.previous_sha256 is None) != (number == 1):
        findings.append(Finding(FindingKind.ALTERED, commit.key, "its word on the commit before it is not possible"))
    if before is None:
        return findings
    if commit.previous_sha256 != before.sha256:
        what = f"its SHA-256 is {before.sha256}, and {commit.key} names {commit.previous_sha256}"
        findings.append(Finding(FindingKind.ALTERED, before.key, what))
    elif not has_grown(before, commit):
        findings.append(Finding(FindingKind.CONTRADICTION, commit.key, "it lacks what the commit before it names"))
    return findings


def has_grown(before: Commit, after: Commit) -> bool:
    """Whether everything of the commit before is in this one: evidence never goes away."""
    return (
        set(before.plans) <= set(after.plans)
        and before.manifests.items() <= after.manifests.items()
        and set(before.tombstones) <= set(after.tombstones)
        and set(before.journal) <= set(after.journal)
    )
