"""The day's numbered commits: put-if-absent, each naming the one before by its hash.

Readers trust only what the highest commit reaches. A commit holds no time of its own (the bucket's ``LastModified``
says when), so that equal days have equal bytes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Self, cast

from include.canonical import canonical_json, read_document, sha256_hex
from include.errors import IntegrityError, LakeConflict
from include.lake import layout
from include.lake.merkle import item_leaves, merkle_root
from include.lake.plan import day_plans_of
from include.tool import tool, tzdata_version

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from include.lake.store import LakeStore
    from include.local_day import LocalDay
    from include.outcome import ItemRecord

SCHEMA = "recording-archive/commit/1"


@dataclass(frozen=True, slots=True, order=True)
class JournalSegment:
    """One file of the journal as a commit anchors it.

    ``root`` is the hash of its last line, which stands for all lines before; ``version`` is the commit that anchored
    it first.
    """

    key: str
    entries: int
    root: str
    version: int


@dataclass(frozen=True, slots=True)
class DayContents:
    """The keys of everything that a commit can bring in, as the lake lists them."""

    plans: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    tombstones: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.plans or self.manifests or self.tombstones)


@dataclass(frozen=True, slots=True)
class Commit:
    """One version of a day. ``manifests`` maps each manifest key to the version that brought it in.

    ``merkle_root`` is that of all ``items``, folded (``merkle.py``). ``tzdata`` is the release by which the bounds were
    computed. What an older version of the archive did not write is empty.
    """

    org: str
    day: LocalDay
    version: int
    previous_sha256: str | None
    plans: tuple[str, ...]
    manifests: Mapping[str, int]
    summary: Mapping[str, object] = field(default_factory=dict)
    tombstones: tuple[str, ...] = ()
    journal: tuple[JournalSegment, ...] = ()
    items: int = 0
    merkle_root: str = ""
    tzdata: str = ""
    tool: Mapping[str, str] = field(default_factory=dict)
    stored_sha256: str | None = field(default=None, compare=False)
    """Digest of the bytes this was read from; ``None`` for a draft."""

    @property
    def key(self) -> str:
        """Where the commit stands."""
        return layout.commit_key(str(self.day), self.version)

    @property
    def sha256(self) -> str:
        """What the next commit calls this one: the digest of the bytes in the bucket.

        Those may hold fields of a newer version, so writing the document again could give other bytes.
        """
        return self.stored_sha256 or sha256_hex(self.body())

    def body(self) -> bytes:
        """Return the document."""
        previous = None
        if self.previous_sha256 is not None:
            previous = {
                "key": layout.commit_key(str(self.day), self.version - 1),
                "sha256": self.previous_sha256,
            }
        return canonical_json(
            {
                "schema": SCHEMA,
                "org": self.org,
                "date": str(self.day),
                "timezone": self.day.zone.key,
                "tzdata": self.tzdata,
                "starts_at": self.day.start.isoformat(),
                "ends_at": self.day.end.isoformat(),
                "version": self.version,
                "previous": previous,
                "plans": sorted(self.plans),
                "manifests": [{"key": key, "version": self.manifests[key]} for key in sorted(self.manifests)],
                "tombstones": sorted(self.tombstones),
                "journal": [asdict(segment) for segment in sorted(self.journal)],
                "items": {"count": self.items, "merkle_root": self.merkle_root},
                "summary": dict(self.summary),
                "tool": dict(self.tool),
            }
        )

    @classmethod
    def parse(cls, body: bytes, day: LocalDay) -> Self:
        """Read a commit of that day.

        Raises:
            ValueError, KeyError, TypeError: when the bytes are no commit, or one of another day or another time zone.
        """
        document = read_document(body)
        if (document["date"], document["timezone"]) != (str(day), day.zone.key):
            raise ValueError(f"a commit of {document['date']} in {document['timezone']}")
        previous = cast("dict[str, str] | None", document["previous"])
        entries = cast("list[dict[str, object]]", document["manifests"])
        items = cast("dict[str, object]", document.get("items") or {})
        summary = document["summary"]
        if not isinstance(summary, dict):
            raise TypeError("its summary is no object")
        return cls(
            org=str(document["org"]),
            day=day,
            version=cast("int", document["version"]),
            previous_sha256=previous["sha256"] if previous else None,
            plans=tuple(cast("list[str]", document["plans"])),
            manifests={str(entry["key"]): cast("int", entry["version"]) for entry in entries},
            summary=summary,
            tombstones=tuple(cast("list[str]", document.get("tombstones") or ())),
            journal=_segments(cast("list[dict[str, object]]", document.get("journal") or ())),
            items=cast("int", items.get("count", 0)),
            merkle_root=str(items.get("merkle_root", "")),
            tzdata=str(document.get("tzdata", "")),
            tool=cast("dict[str, str]", document.get("tool") or {}),
            stored_sha256=sha256_hex(body),
        )

    def following(self, new: DayContents) -> Commit:
        """Return the next version with these in it.

        The journal alone asks for none: who only looks at a day must not change it.
        """
        return Commit(
            org=self.org,
            day=self.day,
            version=self.version + 1,
            previous_sha256=self.sha256,
            plans=tuple(sorted({*self.plans, *new.plans})),
            manifests={**self.manifests, **dict.fromkeys(new.manifests, self.version + 1)},
            tombstones=tuple(sorted({*self.tombstones, *new.tombstones})),
            journal=self.journal,
            tzdata=tzdata_version(self.day.zone.key),
            tool=tool(),
        )

    def new_of(self, found: DayContents) -> DayContents:
        """Return what this commit does not name yet, sorted."""
        return DayContents(
            _unknown(found.plans, self.plans),
            _unknown(found.manifests, self.manifests),
            _unknown(found.tombstones, self.tombstones),
        )

    def with_items(self, items: Collection[ItemRecord], summary: Mapping[str, object]) -> Commit:
        """Return the same commit with the root over its day's folded items, and their counts."""
        root = merkle_root(item_leaves(items))
        return replace(self, items=len(items), merkle_root=root, summary=dict(summary), stored_sha256=None)

    def with_journal(self, segments: Collection[JournalSegment]) -> Commit:
        """Return the same commit anchoring these segments too."""
        known = {segment.key: segment for segment in segments} | {segment.key: segment for segment in self.journal}
        return replace(self, journal=tuple(sorted(known.values())), stored_sha256=None)


def first_commit(org: str, day: LocalDay, found: DayContents) -> Commit:
    """Return version 1 of a day, also of one on which nothing happened."""
    return Commit(
        org=org,
        day=day,
        version=1,
        previous_sha256=None,
        plans=tuple(sorted(set(found.plans))),
        manifests=dict.fromkeys(found.manifests, 1),
        tombstones=tuple(sorted(set(found.tombstones))),
        tzdata=tzdata_version(day.zone.key),
        tool=tool(),
    )


def contents_of(lake: LakeStore, day: LocalDay, plans: tuple[str, ...] = ()) -> DayContents:
    """Return everything of a day that a commit can bring in, and these plans.

    Also what a run left that crashed before its commit.
    """
    date = str(day)
    return DayContents(
        plans=tuple(sorted({*plans, *day_plans_of(lake, date)})),
        manifests=manifests_of(lake, day),
        tombstones=tuple(lake.list_keys(layout.tombstone_prefix(date))),
    )


def read_head(lake: LakeStore, org: str, day: LocalDay) -> Commit | None:
    """Return the highest commit of a day, ``None`` where there is none yet.

    Raises:
        IntegrityError: when a version is missing below it, its bytes are no commit of that day, zone and number, or
            it is another organisation's.
    """
    keys = list(lake.list_keys(layout.commit_prefix(str(day))))
    if not keys:
        return None
    expected = [layout.commit_key(str(day), number) for number in range(1, len(keys) + 1)]
    if keys != expected:
        raise IntegrityError(f"The commits of {day} have a gap or a stranger among them: {keys[-1]}.", key=keys[-1])
    body = lake.read(keys[-1])
    try:
        head = Commit.parse(body or b"", day)
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"{lake.uri(keys[-1])} is no commit of {day} in {day.zone.key}: it was altered, or GENESYS_TIMEZONE was.",
            key=keys[-1],
        ) from error
    if head.version != len(keys):
        raise IntegrityError(f"{lake.uri(keys[-1])} calls itself version {head.version}.", key=keys[-1])
    if len(keys) > 1 and sha256_hex(lake.read(keys[-2]) or b"") != head.previous_sha256:
        raise IntegrityError(f"{lake.uri(keys[-2])} is not the commit that the next one names: altered.", key=keys[-2])
    if head.org != org:
        raise IntegrityError(
            f"{day} in {lake.location.uri} belongs to organisation {head.org}, not {org}: give each its own prefix.",
            key=keys[-1],
        )
    return head


def try_commit(lake: LakeStore, commit: Commit) -> bool:
    """Write the commit; ``False`` where another run took the number with another content.

    Raises:
        LakeUnavailable, NotAuthorised: as ``LakeStore.put_if_absent``.
    """
    try:
        lake.put_document(commit.key, commit.body())
    except LakeConflict:
        return False
    return True


def is_head(lake: LakeStore, commit: Commit) -> bool:
    """Whether no other run has committed the day since; one listing. Raises as ``LakeStore.list_keys`` does."""
    return not any(lake.list_keys(layout.commit_prefix(str(commit.day)), after=commit.key))


def manifests_of(lake: LakeStore, day: LocalDay) -> tuple[str, ...]:
    """Return the keys of all manifests of a day, also of those that a crashed run left without a commit."""
    return tuple(lake.list_keys(layout.manifest_prefix(str(day))))


def _segments(entries: list[dict[str, object]]) -> tuple[JournalSegment, ...]:
    return tuple(
        JournalSegment(
            str(entry["key"]), cast("int", entry["entries"]), str(entry["root"]), cast("int", entry["version"])
        )
        for entry in entries
    )


def _unknown(found: tuple[str, ...], known: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(set(found) - set(known)))
