"""What an auditor's look at the lake can find, and the rule that judges one object; pure.

A finding names its object and says what is wrong with it in one sentence; nothing here repairs anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class FindingKind(StrEnum):
    """What can be wrong, from the gravest to what only wants a look."""

    HIDDEN = "hidden"
    MISSING = "missing"
    ALTERED = "altered"
    UNREADABLE = "unreadable"
    REPLACED = "replaced"
    EXTRA_VERSION = "extra_version"
    CONTRADICTION = "contradiction"
    UNPROVED = "unproved"
    RESURRECTED = "resurrected"
    GAP = "gap"
    ORPHAN = "orphan"
    STRANGER = "stranger"
    OPEN_UPLOAD = "open_upload"


_GRAVITY = {kind: number for number, kind in enumerate(FindingKind)}
_OF_CONTENT = frozenset(
    {FindingKind.MISSING, FindingKind.HIDDEN, FindingKind.ALTERED, FindingKind.UNREADABLE, FindingKind.REPLACED}
)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong: which kind, with which key, and what in words."""

    kind: FindingKind
    key: str
    what: str

    def line(self) -> str:
        """Return it for a person.

        >>> Finding(FindingKind.MISSING, "plans/x.json", "named by a commit").line()
        'missing: plans/x.json: named by a commit'
        """
        return f"{self.kind}: {self.key}: {self.what}"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the day's evidence says stands under a key.

    ``bytes`` is ``None`` and ``sha256`` or ``version_id`` empty where the evidence does not say; ``said_by`` is the
    document that does, or the key's own name.
    """

    key: str
    sha256: str
    said_by: str
    bytes: int | None = None
    version_id: str = ""


class Seen(Protocol):
    """What stands there: by the bucket's own word, or by its bytes."""

    @property
    def bytes(self) -> int:
        """How many bytes."""

    @property
    def sha256(self) -> str:
        """Their SHA-256, empty where the bucket holds none."""

    @property
    def version_id(self) -> str | None:
        """The version, ``None`` where the bucket keeps none."""


def judge(recorded: Recorded, seen: Seen | None) -> Finding | None:
    """Return what is wrong with one object, ``None`` if it is what the evidence says."""

    def found(kind: FindingKind, what: str) -> Finding:
        return Finding(kind, recorded.key, f"{what}, by {recorded.said_by}")

    if seen is None:
        return found(FindingKind.MISSING, "nothing stands there that should")
    if recorded.bytes is not None and seen.bytes != recorded.bytes:
        return found(FindingKind.ALTERED, f"{seen.bytes} bytes stand there where {recorded.bytes} should")
    if not seen.sha256:
        return found(FindingKind.UNPROVED, "the bucket has no SHA-256 of it: only a deep verification can judge it")
    if recorded.sha256 and seen.sha256 != recorded.sha256:
        return found(FindingKind.ALTERED, f"SHA-256 is {seen.sha256} and should be {recorded.sha256}")
    if recorded.version_id and (seen.version_id or "") != recorded.version_id:
        return found(
            FindingKind.REPLACED, f"version {seen.version_id} stands there where {recorded.version_id} was archived"
        )
    return None


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings sorted, of each object's content only the gravest: one change is seen in several ways."""
    seen: set[str] = set()
    kept = []
    for finding in sorted(set(findings), key=lambda item: (_GRAVITY[item.kind], item.key, item.what)):
        if finding.kind in _OF_CONTENT:
            if finding.key in seen:
                continue
            seen.add(finding.key)
        kept.append(finding)
    return kept
