"""Who was erased, on whichever day: one listing of all tombstones, however many conversations are to be judged.

A conversation belongs to the day on which it began, and that may move: the source corrects its start, an export files
it by another hour, the organisation changes its time zone. Erased is erased on every day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.lake import key_reading, layout
from include.lake.tombstone import conversations_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from include.lake.store import LakeStore


@dataclass(frozen=True, slots=True)
class Erasures:
    """The erased conversations as one day sees them, each with a tombstone: its own, and those of all other days.

    Who has a tombstone on the day is not among those ``elsewhere``.
    """

    here: Mapping[str, str]
    elsewhere: Mapping[str, str]

    def __contains__(self, conversation_id: str) -> bool:
        """Whether it must not come back, on whichever day it was erased."""
        return conversation_id in self.here or conversation_id in self.elsewhere

    @property
    def anywhere(self) -> dict[str, str]:
        """Who must not come back."""
        return {**self.elsewhere, **self.here}

    def of(self, conversation_ids: Iterable[str]) -> dict[str, str]:
        """Return those of these conversations that were erased on another day only."""
        if not self.elsewhere:
            return {}
        return {item: self.elsewhere[item] for item in conversation_ids if item in self.elsewhere}


NOBODY = Erasures({}, {})


def erasures_of(lake: LakeStore, date: str) -> Erasures:
    """Return who was erased, or is being erased; a request for each thousand tombstones.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: when they cannot be listed.
    """
    keys = list(lake.list_keys(layout.TOMBSTONES))
    here = conversations_of(key for key in keys if key_reading.tombstone_date(key) == date)
    elsewhere = conversations_of(key for key in keys if key_reading.tombstone_date(key) != date)
    return Erasures(here, {item: key for item, key in elsewhere.items() if item not in here})
