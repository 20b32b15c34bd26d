"""Whether a day's commits, journal and seals are what was written: the full walk, which names everything it finds.

``read_head`` looks at the newest two commits, as every task must be quick; this reads all of them. It repairs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.audit.finding import Finding, FindingKind
from include.audit.journal import NO_COMMIT, read_segment
from include.audit.signature import Seal
from include.canonical import canonical_json, read_document, sha256_hex
from include.errors import IntegrityError
from include.lake import layout
from include.lake.commit import Commit
from include.lake.merkle import item_leaves, merkle_root
from include.transfer.day import state_of
from include.transfer.day_journal import named_body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.audit.signature import JournalKey
    from include.lake.commit import JournalSegment
    from include.lake.store import LakeStore
    from include.local_day import LocalDay


@dataclass(frozen=True, slots=True)
class DayChecked:
    """What the walk saw; ``unanchored`` segments are whole, and wait for the day's next commit."""

    findings: tuple[Finding, ...]
    commits: int
    segments: int
    entries: int
    unanchored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Chain:
    """The commits that can be read, by version, and their bytes."""

    commits: dict[int, Commit]
    bodies: dict[int, bytes]

    @property
    def head(self) -> Commit | None:
        """The highest."""
        return self.commits[max(self.commits)] if self.commits else None

    @property
    def bases(self) -> frozenset[str]:
        """What a segment of this day may have been written on."""
        return frozenset({NO_COMMIT, *(sha256_hex(body) for body in self.bodies.values())})


def check_day(lake: LakeStore, org: str, day: LocalDay, key: JournalKey | None = None) -> DayChecked:
    """Walk all commits of a day, every segment of its journal and every seal; with ``key``, check the signatures too.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket cannot be read; never for what it holds.
    """
    chain, findings = _read_chain(lake, org, day)
    for version, commit in chain.commits.items():
        findings += _follows(commit, version, chain)
    head = chain.head
    anchored = {segment.key: segment for segment in head.journal} if head else {}
    listed = tuple(lake.list_keys(layout.journal_prefix(str(day))))
    gone = sorted(anchored.keys() - set(listed))
    findings += [Finding(FindingKind.MISSING, name, "a commit anchors it") for name in gone]
    found = {name: _segment(lake, name, anchored.get(name), chain) for name in listed}
    findings += [item for item in found.values() if isinstance(item, Finding)]
    findings += _seals(lake, day, chain, key)
    if head is not None:
        findings += _items(lake, head)
    whole = {name: item for name, item in found.items() if isinstance(item, int)}
    return DayChecked(
        findings=tuple(sorted(findings)),
        commits=len(chain.bodies),
        segments=len(listed),
        entries=sum(whole.values()),
        unanchored=tuple(name for name in whole if name not in anchored),
    )


def _read_chain(lake: LakeStore, org: str, day: LocalDay) -> tuple[_Chain, list[Finding]]:
    chain, findings = _Chain({}, {}), []
    for name in lake.list_keys(layout.commit_prefix(str(day))):
        number = layout.commit_number(name)
        if not number:
            findings.append(Finding(FindingKind.STRANGER, name, "no commit has this name"))
            continue
        awaited = max(chain.bodies, default=0) + 1
        if number != awaited:
            what = f"versions {awaited} to {number - 1} are missing below {number}"
            findings.append(Finding(FindingKind.GAP, layout.commit_key(str(day), awaited), what))
        chain.bodies[number] = lake.read(name) or b""
        try:
            chain.commits[number] = _parsed(chain.bodies[number], day)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            what = f"no commit of {day} in {day.zone.key}: it was altered, or GENESYS_TIMEZONE was"
            findings.append(Finding(FindingKind.UNREADABLE, name, what))
            continue
        claimed = chain.commits[number]
        if (claimed.version, claimed.org) != (number, org):
            what = f"calls itself version {claimed.version} of organisation {claimed.org}"
            findings.append(Finding(FindingKind.CONTRADICTION, name, what))
    return chain, findings


def _parsed(body: bytes, day: LocalDay) -> Commit:
    if canonical_json(read_document(body)) != body:
        raise ValueError("not written as the archive writes")
    return Commit.parse(body, day)


def _follows(commit: Commit, version: int, chain: _Chain) -> Iterator[Finding]:
    """Yield what does not fit between a commit and the one before it."""
    before = chain.bodies.get(version - 1)
    if version > 1 and before is None:
        return
    digest = sha256_hex(before) if before is not None else None
    if commit.previous_sha256 != digest:
        place = layout.commit_key(str(commit.day), version - 1) if before is not None else commit.key
        yield Finding(FindingKind.ALTERED, place, f"version {version} names other bytes before it")
    known = chain.commits.get(version - 1)
    for name in sorted(_names(known) - _names(commit)) if known else ():
        yield Finding(FindingKind.CONTRADICTION, commit.key, f"forgets {name}, which the version before it names")


def _names(commit: Commit) -> set[str]:
    return {*commit.plans, *commit.manifests, *commit.tombstones, *(segment.key for segment in commit.journal)}


def _items(lake: LakeStore, head: Commit) -> Iterator[Finding]:
    """Yield what keeps the day's items from folding to the root that the head names; an old head names none."""
    if not head.merkle_root:
        return
    try:
        state = state_of(lake, head)
    except IntegrityError as error:
        yield Finding(FindingKind.ALTERED, str(error.facts.get("key", head.key)), str(error))
        return
    except (ValueError, KeyError, TypeError):
        yield Finding(FindingKind.UNREADABLE, head.key, "what it names cannot be read as plans and manifests")
        return
    items = [item for items in state.items.values() for item in items]
    if (len(items), merkle_root(item_leaves(items))) != (head.items, head.merkle_root):
        yield Finding(FindingKind.CONTRADICTION, head.key, "its Merkle root is not that of the items it names")


def _segment(lake: LakeStore, name: str, anchor: JournalSegment | None, chain: _Chain) -> int | Finding:
    """Return how many entries a segment has, or what is wrong with it."""
    try:
        segment = read_segment(named_body(lake, name))
    except ValueError as error:
        return Finding(FindingKind.ALTERED, name, str(error))
    if anchor is not None and (segment.entries, segment.root) != (anchor.entries, anchor.root):
        return Finding(FindingKind.CONTRADICTION, name, "its root is not the one that the commit anchors")
    if segment.base not in chain.bases:
        return Finding(FindingKind.STRANGER, name, "was written on a commit that is not there: that one was altered")
    return segment.entries


def _seals(lake: LakeStore, day: LocalDay, chain: _Chain, key: JournalKey | None) -> Iterator[Finding]:
    good: set[tuple[int, str]] = set()
    for name in lake.list_keys(layout.seal_prefix(str(day))):
        try:
            seal, version = _read_seal(lake, name, day)
        except (ValueError, TypeError, RecursionError, IntegrityError) as error:
            yield Finding(FindingKind.ALTERED, name, f"no seal of this place: {error}")
            continue
        if version not in chain.bodies:
            yield Finding(FindingKind.MISSING, seal.commit_key, "a seal of it is there")
        elif seal.fits(chain.bodies[version], key):
            good.add((version, seal.key_id))
        else:
            yield Finding(FindingKind.ALTERED, seal.commit_key, f"does not fit its seal {name}")
    yield from _unsealed(chain, key, good)


def _read_seal(lake: LakeStore, name: str, day: LocalDay) -> tuple[Seal, int]:
    """Return a seal and the version it is of, once it stands where it should."""
    seal = Seal.parse(lake.read(name) or b"")
    version = layout.commit_number(seal.commit_key)
    place = layout.seal_key(str(day), version, seal.key_id)
    if (layout.commit_key(str(day), version), place) != (seal.commit_key, name):
        raise ValueError("it speaks of another commit than its place does")
    return seal, version


def _unsealed(chain: _Chain, key: JournalKey | None, good: set[tuple[int, str]]) -> Iterator[Finding]:
    """Yield the head where nothing vouches for it; every other commit is vouched for by the one behind it."""
    version = max(chain.bodies, default=0)
    head = chain.commits.get(version)
    if head is None:
        return
    if key is not None and (version, key.key_id) not in good:
        yield Finding(FindingKind.UNPROVED, head.key, f"no good signature by the key {key.key_id} is there")
    elif head.tool and not any(number == version for number, _ in good):
        yield Finding(FindingKind.UNPROVED, head.key, "no seal is there; the next run of the day writes one")
