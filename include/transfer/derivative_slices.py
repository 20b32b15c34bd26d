"""A day's derivatives in slices, so that many tasks can share a large day and a red one is a small part of it; pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SLICE_CONVERSATIONS = 500
"""Some minutes of work for two processes; a usual day is one slice or a few."""
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Slice:
    """Slice ``number`` (from 0) of ``of``: which conversations it holds follows from their ids alone.

    So it travels as three words, and holds the same conversations whatever is archived between two tries. With
    ``conversation_id`` it holds that one alone, as for a person who asks for it.
    """

    date: str
    number: int = 0
    of: int = 1
    conversation_id: str = ""

    def holds(self, conversation_id: str) -> bool:
        """Whether a conversation belongs to it.

        >>> [Slice("2026-03-02", number, 2).holds("0000000b-0000-4000-8000-000000000000") for number in (0, 1)]
        [False, True]
        """
        if self.conversation_id:
            return conversation_id == self.conversation_id
        return int(conversation_id[:_DIGITS], 16) % self.of == self.number

    def to_json(self) -> dict[str, object]:
        """Return it for XCom."""
        return {name: value for name, value in asdict(self).items() if name != "conversation_id"}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Slice:
        """Read what ``to_json`` wrote."""
        return cls(str(document["date"]), int(document["number"]), int(document["of"]))


def slices_of(date: str, conversations: int, slices_max: int) -> tuple[Slice, ...]:
    """Return a day's slices: none for no conversation, never more than ``slices_max``.

    >>> [len(slices_of("2026-03-02", count, 250)) for count in (0, 1, 501, 10_000_000)]
    [0, 1, 2, 250]
    """
    count = min(-(-conversations // SLICE_CONVERSATIONS), max(1, slices_max))
    return tuple(Slice(date, number, count) for number in range(count))
