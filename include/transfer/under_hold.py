"""Whether a conversation is under a legal hold at this moment: as the bucket says of what it has of it around a day.

One held version is enough: a recording that came after the hold was set has none of its own, nor has one that came
under the day beside, since an export files a call that it repeats by another hour. Where the bucket has no Object Lock
nothing can be held, and nothing is asked.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from include.lake import key_reading, layout
from include.local_day import ONE_DAY, LocalDay

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from include.lake.store import LakeStore
    from include.lake.versions import ObjectVersion


@dataclass(frozen=True, slots=True)
class HoldsNear:
    """Answers for the conversations of a day; ``dates`` are it and those beside it.

    ``refused`` are the versions of their quarantined bytes.
    """

    lake: LakeStore
    org: str
    dates: tuple[str, ...]
    can_hold: bool
    refused: Mapping[str, list[ObjectVersion]] = field(default_factory=dict)

    @classmethod
    def of(cls, lake: LakeStore, org: str, day: LocalDay) -> Self:
        """Look whether anything can be held there, and for what was refused: that is not filed by conversation.

        Raises:
            LakeUnavailable, NotAuthorised: as the lake raises them.
        """
        dates = tuple(str(LocalDay(day.date + shift * ONE_DAY, day.zone)) for shift in (0, -1, 1))
        if not lake.versions.can_lock():
            return cls(lake, org, dates, can_hold=False)
        refused: dict[str, list[ObjectVersion]] = defaultdict(list)
        for date in dates:
            for version in lake.versions.list(layout.quarantine_prefix(date)):
                refused[key_reading.conversation_in(version.key)].append(version)
        return cls(lake, org, dates, can_hold=True, refused=refused)

    def has(self, conversation_id: str) -> bool:
        """Ask now whether any version of the conversation's audio, metadata, copies or refused bytes is held.

        Raises:
            NotAuthorised: when this role may not see holds: then nobody can say that there is none.
            LakeUnavailable: as the lake raises it.
        """
        return self.can_hold and any(map(self.lake.versions.is_held, self._versions(conversation_id)))

    def _versions(self, conversation_id: str) -> Iterator[ObjectVersion]:
        for date in self.dates:
            for folder in (
                layout.conversation_prefix(self.org, date, conversation_id),
                layout.derived_conversation_prefix(self.org, date, conversation_id),
            ):
                yield from self.lake.versions.list(folder)
        yield from self.refused.get(conversation_id, ())
