"""How far a day is: open, provisional, held or closed; pure.

A commit carries what was decided about its day beside its counts. None of it is a time: the run that finds the late
window over says so once, and every later commit of the day repeats it, so that equal days have equal bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Stage(StrEnum):
    """Where a day stands, from its first night to its last."""

    OPEN = "open"
    """Something is pending or quarantined."""
    PROVISIONAL = "provisional"
    """Everything is classified; what arrives late is still looked for."""
    HELD = "held"
    """Everything is classified, but far fewer conversations are named than on other weeks, or the late window ended
    before each conversation was looked at again: a person must look."""
    CLOSED = "closed"
    """The late window is over and nothing is open."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What was decided about a day; ``held`` is the sentence that holds it, empty where nothing does.

    ``not_looked_up`` are the conversations that the audit which found the late window over could not look at again.
    """

    held: str = ""
    accepted_empty: bool = False
    window_over: bool = False
    not_looked_up: int = 0

    @classmethod
    def of_summary(cls, summary: Mapping[str, object]) -> Self:
        """Read what a commit's summary says; nothing where it was written before there was such a thing."""
        return cls(
            held=str(summary.get("held", "")),
            accepted_empty=bool(summary.get("accepted_empty", False)),
            window_over=bool(summary.get("window_over", False)),
            not_looked_up=int(str(summary.get("not_looked_up", 0))),
        )

    @property
    def is_doubted(self) -> bool:
        """Whether so few conversations are named that nobody believes it yet."""
        return bool(self.held) and not self.accepted_empty

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the day is held, in sentences; none where it is not."""
        unseen = f"not_looked_up: {self.not_looked_up} conversations were not looked at again in the late window"
        return (*((self.held,) if self.is_doubted else ()), *((unseen,) if self.not_looked_up else ()))

    def to_json(self) -> dict[str, object]:
        """Return what says something."""
        values: dict[str, object] = {
            "held": self.held,
            "accepted_empty": self.accepted_empty,
            "window_over": self.window_over,
            "not_looked_up": self.not_looked_up,
        }
        return {name: value for name, value in values.items() if value}

    def stage(self, *, is_complete: bool) -> Stage:
        """Return the day's stage.

        >>> str(Standing(window_over=True).stage(is_complete=True)), str(Standing("few").stage(is_complete=True))
        ('closed', 'held')
        """
        if not is_complete:
            return Stage.OPEN
        if self.reasons:
            return Stage.HELD
        return Stage.CLOSED if self.window_over else Stage.PROVISIONAL


@dataclass(frozen=True, slots=True)
class Baseline:
    """When a day counts as suspiciously empty: below ``share_min`` of the median of its own weekday's earlier weeks.

    Nothing is suspicious with fewer than ``weeks_min`` such weeks, or with a median below ``conversations_min``.
    """

    weeks: int = 4
    weeks_min: int = 3
    conversations_min: int = 20
    share_min: float = 0.1

    def doubt(self, count: int, trailing: Sequence[int]) -> str:
        """Return the sentence that holds the day, empty where its count is plausible.

        >>> Baseline().doubt(0, [310, 290, 305])
        'analytics names 0 conversations, and 305 on median of the same weekday in the 3 weeks known before'
        >>> Baseline().doubt(40, [310, 290, 305]), Baseline().doubt(0, [310, 290])
        ('', '')
        """
        usual = median(trailing) if trailing else 0
        if len(trailing) < self.weeks_min or usual < self.conversations_min or count >= usual * self.share_min:
            return ""
        return (
            f"analytics names {count} conversations, and {usual:.0f} on median of the same weekday in the "
            f"{len(trailing)} weeks known before"
        )
