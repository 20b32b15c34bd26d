"""What a verification came to: how much was looked at, how fast, and what was found; pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from include.audit.finding import Finding


@dataclass(frozen=True, slots=True)
class Verification:
    """``objects`` were judged; ``bytes`` were read and hashed, none of media where only the bucket was asked."""

    what: str
    days: int
    objects: int
    bytes: int
    seconds: float
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def sentence(self) -> str:
        """Return the last line for a person.

        >>> Verification("2026-03-02, quick", 1, 400, 0, 2.0, ()).sentence()
        '2026-03-02, quick: 400 objects of 1 day in 2.0 s (200 objects/s): everything is what it was.'
        """
        days = f"{self.days} day{'' if self.days == 1 else 's'}"
        amount = f"{self.objects:,} objects of {days} in {self.seconds:.1f} s ({rate(self)})"
        return f"{self.what}: {amount}: {_verdict(self.findings)}."

    def to_json(self) -> dict[str, object]:
        """Return the counts, for XCom."""
        return {
            "what": self.what,
            "days": self.days,
            "objects": self.objects,
            "bytes": self.bytes,
            "findings": dict(Counter(str(item.kind) for item in self.findings)),
        }


def rate(done: Verification) -> str:
    """Return objects and, where bytes were read, megabytes a second."""
    seconds = max(done.seconds, 1e-9)
    objects = f"{done.objects / seconds:,.0f} objects/s"
    return f"{objects}, {done.bytes / seconds / 1e6:,.1f} MB/s" if done.bytes else objects


def _verdict(findings: tuple[Finding, ...]) -> str:
    if not findings:
        return "everything is what it was"
    kinds = Counter(str(item.kind) for item in findings)
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    return f"{len(findings)} FOUND: {counted}"
