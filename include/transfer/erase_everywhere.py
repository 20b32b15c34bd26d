"""Erases a conversation wherever it lies: on its own day, on another that has it too, and under no call at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from include.transfer.erase import erase_conversation
from include.transfer.other_places import places_of

if TYPE_CHECKING:
    from include.audit.signature import JournalKey
    from include.lake.store import LakeStore
    from include.transfer.erase import Erasure, ErasureOrder


def erase_everywhere(
    lake: LakeStore,
    order: ErasureOrder,
    key: JournalKey | None = None,
    *,
    bypass_governance: bool = False,
    dry_run: bool = False,
) -> tuple[Erasure, ...]:
    """Erase the conversation in each of its places; a certificate for each, that of the order's own day first.

    Every lock is asked for before the first of them is touched. Raises as ``erase_conversation``.
    """
    places = places_of(lake, order.org, order.day, order.conversation_id)
    orders = [replace(order, day=day, conversation_id=conversation_id) for day, conversation_id in places]
    looked = [erase_conversation(lake, each, key, bypass_governance=bypass_governance, dry_run=True) for each in orders]
    if dry_run:
        return tuple(looked)
    return tuple(erase_conversation(lake, each, key, bypass_governance=bypass_governance) for each in orders)
