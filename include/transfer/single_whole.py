"""What a manifest of one recording says of its whole conversation: a manifest speaks for each of its recordings."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from include.lake.commit import read_head
from include.lake.layout import MediaIdentity
from include.local_day import LocalDay
from include.outcome import ItemRecord, Outcome
from include.transfer.day_state import known_of
from include.transfer.holes import NOT_IN_RESULT, explain
from include.transfer.originals import has_original
from include.transfer.stored import stored_parts, stored_recording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from include.lake.plan import ShardPlan
    from include.lake.store import LakeStore
    from include.transfer.single_urls import SingleSource

log = logging.getLogger(__name__)
ORIGINAL_OUTSTANDING = "original_outstanding"
"""The lake holds the recording in another form, and the source has the original still."""


def whole_conversation(
    source: SingleSource,
    lake: LakeStore,
    plan: ShardPlan,
    conversation_id: str,
    records: Sequence[ItemRecord],
) -> list[ItemRecord]:
    """Add what the lake holds of the conversation's other recordings, and why the rest is not here.

    A recording that is here in another form only is not what the day expects: the source is asked about it, and while
    it has the original, the night asks for that. Unless a night had it already, and it is the same bytes.
    """
    told = {item.recording_id for item in records}
    whole = list(records)
    stored = stored_parts(lake, plan.org, plan.date, (conversation_id,))
    identities = {
        recording_id: MediaIdentity(plan.org, plan.date, conversation_id, recording_id, 0) for _, recording_id in stored
    }
    for (_, recording_id), parts in sorted(stored.items()):
        if recording_id not in told:
            whole += stored_recording(lake, identities[recording_id], parts)
    owed = {
        recording_id
        for (_, recording_id), parts in stored.items()
        if not has_original(lake, identities[recording_id], parts)
    }
    owed -= _settled(lake, plan, conversation_id)
    owed -= {item.recording_id for item in whole if item.outcome is not Outcome.ARCHIVED}
    answered = {item.recording_id for item in whole} - owed
    holes = [_named(item, owed) for item in explain(source, conversation_id, (), answered)]
    for recording_id in sorted(owed):
        log.info("recording_id=%s is here in another form; the day asks for the original", recording_id)
    return [*whole, *holes]


def _named(hole: ItemRecord, owed: set[str]) -> ItemRecord:
    """Nobody was silent about what nobody was asked for: the original is there to be fetched."""
    if hole.recording_id in owed and hole.reason == NOT_IN_RESULT:
        place = (hole.conversation_id, hole.recording_id, hole.part)
        return ItemRecord(*place, Outcome.PENDING, ORIGINAL_OUTSTANDING, hole.said_by, hole.fact)
    return hole


def _settled(lake: LakeStore, plan: ShardPlan, conversation_id: str) -> set[str]:
    """Return the recordings that the day's newest commit calls archived and says nothing else of."""
    head = read_head(lake, plan.org, LocalDay.of(plan.date, ZoneInfo(plan.timezone)))
    items = known_of(lake, head).items.get(conversation_id, ())
    here = {item.recording_id for item in items if item.outcome is Outcome.ARCHIVED}
    other = {item.recording_id for item in items if item.outcome is not Outcome.ARCHIVED}
    return set() if "" in other else here - other  # said of the conversation as a whole
