"""The day's numbered commits: put-if-absent, each naming the one before by its hash.

Readers trust only what the highest commit reaches. A commit holds no time of its own (the bucket's ``LastModified``
says when), so that equal days have equal bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self, cast

from include.errors import IntegrityError, LakeConflict
from include.lake import layout
from include.lake.canonical import canonical_json, read_document, sha256_hex

if TYPE_CHECKING:
    from collections.abc import Mapping

    from include.lake.store import LakeStore
    from include.local_day import LocalDay

SCHEMA = "recording-archive/commit/1"


@dataclass(frozen=True, slots=True)
class Commit:
    """One version of a day. ``manifests`` maps each manifest key to the version that brought it in."""

    org: str
    day: LocalDay
    version: int
    previous_sha256: str | None
    plans: tuple[str, ...]
    manifests: Mapping[str, int]
    summary: Mapping[str, object] = field(default_factory=dict)
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
                "starts_at": self.day.start.isoformat(),
                "ends_at": self.day.end.isoformat(),
                "version": self.version,
                "previous": previous,
                "plans": sorted(self.plans),
                "manifests": [{"key": key, "version": self.manifests[key]} for key in sorted(self.manifests)],
                "summary": dict(self.summary),
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
        return cls(
            org=str(document["org"]),
            day=day,
            version=cast("int", document["version"]),
            previous_sha256=previous["sha256"] if previous else None,
            plans=tuple(cast("list[str]", document["plans"])),
            manifests={str(entry["key"]): cast("int", entry["version"]) for entry in entries},
            summary=cast("dict[str, object]", document["summary"]),
            stored_sha256=sha256_hex(body),
        )

    def successor(self, plans: tuple[str, ...], manifests: tuple[str, ...]) -> Commit | None:
        """Return the next version with what is new in it, ``None`` where nothing is."""
        new_plans = tuple(sorted({*self.plans, *plans}))
        added = {key: self.version + 1 for key in manifests if key not in self.manifests}
        if not added and new_plans == self.plans:
            return None
        return Commit(
            org=self.org,
            day=self.day,
            version=self.version + 1,
            previous_sha256=self.sha256,
            plans=new_plans,
            manifests={**self.manifests, **added},
        )

    def with_summary(self, summary: Mapping[str, object]) -> Commit:
        """Return the same commit with the counts of its day."""
        return replace(self, summary=dict(summary), stored_sha256=None)


def first_commit(org: str, day: LocalDay, plans: tuple[str, ...], manifests: tuple[str, ...]) -> Commit:
    """Return version 1 of a day, also of one on which nothing happened."""
    return Commit(org, day, 1, None, tuple(sorted(set(plans))), dict.fromkeys(manifests, 1))


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


def manifests_of(lake: LakeStore, day: LocalDay) -> tuple[str, ...]:
    """Return the keys of all manifests of a day, also of those that a crashed run left without a commit."""
    return tuple(lake.list_keys(layout.manifest_prefix(str(day))))
