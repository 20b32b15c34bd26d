"""An audit's second look: does the source still say of each conversation what the lake says it said?

A restored recording, a permission granted, a recording that appeared late or that the batch job never mentioned: all
of these show in ``recordingmetadata``. One request a conversation, so the looks of a run are bounded.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.outcome import Outcome
from include.transfer.holes import UNAVAILABLE, explain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from include.audit.reconcile import DayState
    from include.outcome import ItemRecord
    from include.transfer.holes import MetadataSource

MAY_CHANGE = frozenset(
    {Outcome.RESTRICTED, Outcome.ARCHIVED_AT_SOURCE, Outcome.NO_RECORDING, Outcome.DELETED_AT_SOURCE}
)
"""Settled tonight, yet not for ever: the nightly run leaves them alone, the audit asks again."""
_HERE = frozenset({Outcome.ARCHIVED, Outcome.NOT_SELECTED})


@dataclass(frozen=True, slots=True)
class SecondLook:
    """Whom to ask, how often at most, and whether to ask about what is archived too."""

    source: MetadataSource
    lookups_max: int
    archived_too: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """What the look came to; ``left`` were not asked about, or got no answer. All are conversation ids."""

    asked: int = 0
    changed: frozenset[str] = frozenset()
    left: int = 0


def look_again(look: SecondLook, state: DayState, salt: str) -> Looked:
    """Ask about the day's settled conversations and return those of which the source now says something else.

    Exclusions come first. Where there are more conversations than lookups, ``salt`` decides whose turn it is: another
    audit of the day looks at others.

    Raises:
        PermanentError: when the credentials are refused altogether.
    """
    chosen = _in_turn(state, salt, archived_too=look.archived_too)
    changed, silent = set(), 0
    for conversation_id in chosen[: look.lookups_max]:
        items = state.items[conversation_id]
        answered = {item.recording_id for item in items if item.outcome in _HERE}
        told = explain(look.source, conversation_id, (), answered)
        if any(item.reason == UNAVAILABLE for item in told):
            silent += 1
        elif _differs(items, told):
            changed.add(conversation_id)
    asked = min(len(chosen), look.lookups_max)
    return Looked(asked, frozenset(changed), len(chosen) - asked + silent)


def _in_turn(state: DayState, salt: str, *, archived_too: bool) -> list[str]:
    open_work = frozenset(state.outstanding())
    erased = {key for key, outcome in state.outcomes.items() if outcome is Outcome.ERASED}
    settled = [key for key in state.expected if key not in open_work | erased]
    may_change = {key for key in settled if any(item.outcome in MAY_CHANGE for item in state.items[key])}
    others = [key for key in settled if key not in may_change] if archived_too else []
    return [*sorted(may_change), *sorted(others, key=lambda key: hashlib.sha256(f"{salt}{key}".encode()).digest())]


def _differs(items: Sequence[ItemRecord], told: Sequence[ItemRecord]) -> bool:
    """Whether the holes of a conversation are others now.

    Of a conversation with something in the lake, a word about the whole (gone, forbidden) is no news: what is archived
    stays archived, and Genesys forgets every conversation in the end.
    """
    is_here = any(item.outcome is Outcome.ARCHIVED for item in items)
    return _holes(items, with_whole=not is_here) != _holes(told, with_whole=not is_here)


def _holes(items: Sequence[ItemRecord], *, with_whole: bool) -> set[tuple[str, Outcome]]:
    return {
        (item.recording_id, item.outcome)
        for item in items
        if item.outcome not in _HERE and (item.recording_id or with_whole)
    }
