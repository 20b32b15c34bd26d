"""Whether a day's commits, journal and seals are what was written: the full walk, which names everything it finds.

``read_head`` looks at the newest two commits, as every task must be quick; this reads all of them. It repairs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.audit.finding import Finding, FindingKind
from include.audit.journal import NO_COMMIT, read_segment
from include.audit.judgement import Told
from include.audit.signature import Seal
from include.errors import IntegrityError, LakeUnavailable
from include.lake import key_reading, layout
from include.transfer.day_journal import named_body
from include.transfer.day_seal import told
from include.transfer.verify_commits import read_commits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from include.audit.signature import JournalKey
    from include.lake.commit import Commit, JournalSegment
    from include.lake.store import LakeStore


@dataclass(frozen=True, slots=True)
class DayChecked:
    """What the walk saw; ``unanchored`` segments are whole, and wait for the day's next commit."""

    findings: tuple[Finding, ...]
    commits: int
    segments: int
    entries: int
    unanchored: tuple[str, ...]


def check_day(lake: LakeStore, org: str, date: str, key: JournalKey | None = None) -> DayChecked:
    """Walk all commits of a day, every segment of its journal and every seal; with ``key``, check the signatures too.

    ``org`` is whose they must be; empty where nobody says.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket cannot be read; never for what it holds.
    """
    commits, findings = read_commits(lake, date, org)
    custody = check_custody(lake, date, commits, key)
    return DayChecked(
        tuple(sorted({*findings, *custody.findings})),
        len(commits),
        custody.segments,
        custody.entries,
        custody.unanchored,
    )


def check_custody(
    lake: LakeStore, date: str, commits: Mapping[int, Commit], key: JournalKey | None = None
) -> DayChecked:
    """Check journal and seals against these commits, which are all that can be read.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: as ``check_day``.
    """
    head = commits[max(commits)] if commits else None
    anchored = {segment.key: segment for segment in head.journal} if head else {}
    listed = tuple(lake.list_keys(layout.journal_prefix(date)))
    findings = [
        Finding(FindingKind.MISSING, name, "a commit anchors it") for name in sorted(anchored.keys() - set(listed))
    ]
    found_there = {commit.sha256 for commit in commits.values()}
    # An altered commit is named as such; the segments written on what it was are not to blame.
    said_before = {commit.previous_sha256 or NO_COMMIT for commit in commits.values()}
    bases = frozenset({NO_COMMIT, *found_there, *said_before})
    found = {name: _segment(lake, name, anchored.get(name), bases) for name in listed}
    findings += [item for item in found.values() if isinstance(item, Finding)]
    findings += _seals(lake, date, commits, key)
    # Where the journal itself is damaged, that is the finding.
    findings += [] if findings else _judgements(lake, commits, key)
    whole = {name: item for name, item in found.items() if isinstance(item, int)}
    return DayChecked(
        findings=tuple(findings),
        commits=len(commits),
        segments=len(listed),
        entries=sum(whole.values()),
        unanchored=tuple(name for name in whole if name not in anchored),
    )


def _segment(lake: LakeStore, name: str, anchor: JournalSegment | None, bases: frozenset[str]) -> int | Finding:
    """Return how many entries a segment has, or what is wrong with it."""
    try:
        segment = read_segment(named_body(lake, name))
    except ValueError as error:
        return Finding(FindingKind.ALTERED, name, str(error))
    except LakeUnavailable as error:
        return Finding(FindingKind.UNREADABLE, name, str(error))
    if anchor is not None and (segment.entries, segment.root) != (anchor.entries, anchor.root):
        return Finding(FindingKind.CONTRADICTION, name, "its root is not the one that the commit anchors")
    if segment.base not in bases:
        # Also the trace of a newest commit that was taken away together with its seal.
        return Finding(FindingKind.STRANGER, name, f"was written on a commit that is not there: {segment.base}")
    return segment.entries


def _seals(lake: LakeStore, date: str, commits: Mapping[int, Commit], key: JournalKey | None) -> Iterator[Finding]:
    """Yield every seal that does not fit, every commit without one, and every gap in the signatures of one key."""
    good: set[tuple[str, str]] = set()
    named = []
    for name in lake.list_keys(layout.seal_prefix(date)):
        found = _seal(lake, name, date, key)
        if isinstance(found, Finding):
            named.append(name)
            yield found
        else:
            good.add((found.commit_key, found.key_id))
    if not commits:
        return
    head = commits[max(commits)]
    if key is not None and (head.key, key.key_id) not in good:
        yield Finding(FindingKind.UNPROVED, head.key, f"no good signature by the key {key.key_id} is there")
    elif head.tool and not any(place == head.key for place, _ in good):
        yield Finding(FindingKind.UNPROVED, head.key, "no good seal is there; the next run of the day writes one")
    older = [commit for commit in commits.values() if commit.tool and commit != head]
    # What stands there and does not fit is named already.
    yield from (item for item in _lost_seals(date, older, good) if not any(name.startswith(item.key) for name in named))


def _lost_seals(date: str, older: Iterable[Commit], good: Collection[tuple[str, str]]) -> Iterator[Finding]:
    """Yield what must have been there: no run puts a commit on one that it has not sealed with its own key first."""
    known = {place for place, _ in good}
    for commit in older:
        if commit.key not in known:
            yield Finding(FindingKind.MISSING, layout.seals_of(date, commit.version), f"the seal of {commit.key}")
    for key_id in sorted({name for _, name in good}):
        signed = {key_reading.commit_number(place) for place, name in good if name == key_id}
        for version in sorted(set(range(min(signed), max(signed))) - signed):
            name = layout.seal_key(date, version, key_id)
            yield Finding(FindingKind.MISSING, name, "the commits before and behind are sealed with that key")


def _judgements(lake: LakeStore, commits: Mapping[int, Commit], key: JournalKey | None) -> Iterator[Finding]:
    """Yield every commit that says something new of its day which its own segment of the journal does not tell."""
    for number, commit in sorted(commits.items()):
        before = commits.get(number - 1)
        if not commit.tool or (before is None and number > 1):
            continue
        word = told(lake, before, commit, key)
        if word in {Told.MISSING, Told.FORGED}:
            what = "it holds, accepts or ends the day, and its journal does not tell it, or not by the key"
            yield Finding(FindingKind.UNPROVED, commit.key, what)


def _seal(lake: LakeStore, name: str, date: str, key: JournalKey | None) -> Seal | Finding:
    """Return a seal that stands where it should and fits its commit, or what is wrong."""
    try:
        seal = _read_seal(lake, name, date)
        body = lake.read(seal.commit_key)
    except (ValueError, TypeError, RecursionError, IntegrityError) as error:
        return Finding(FindingKind.ALTERED, name, f"no seal of this place: {error}")
    except LakeUnavailable as error:
        return Finding(FindingKind.UNREADABLE, name, str(error))
    if body is None:
        return Finding(FindingKind.MISSING, seal.commit_key, f"{name} is its seal")
    return seal if seal.fits(body, key) else Finding(FindingKind.ALTERED, seal.commit_key, f"does not fit {name}")


def _read_seal(lake: LakeStore, name: str, date: str) -> Seal:
    """Return a seal that stands where it should."""
    seal = Seal.parse(lake.read(name) or b"")
    version = key_reading.commit_number(seal.commit_key)
    if (layout.commit_key(date, version), layout.seal_key(date, version, seal.key_id)) != (seal.commit_key, name):
        raise ValueError("it speaks of another commit than its place does")
    return seal
