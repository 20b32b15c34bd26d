"""Erases a conversation, and with it what was fetched of it by a media id alone, before anybody knew whose it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from include.transfer.erase import erase_conversation
from include.transfer.unknown_call import copies_under_no_call

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
    """Erase the conversation and each of its recordings that also lies under no call; a certificate for each.

    Every lock is asked for before the first of them is touched. Raises as ``erase_conversation``.
    """
    looked = erase_conversation(lake, order, key, bypass_governance=bypass_governance, dry_run=True)
    orders = (order, *_of_unknown_calls(lake, order, looked))
    for other in orders[1:]:
        erase_conversation(lake, other, key, bypass_governance=bypass_governance, dry_run=True)
    return tuple(
        erase_conversation(lake, each, key, bypass_governance=bypass_governance, dry_run=dry_run) for each in orders
    )


def _of_unknown_calls(lake: LakeStore, order: ErasureOrder, looked: Erasure) -> tuple[ErasureOrder, ...]:
    keys = (item.key for item in looked.objects)
    copies = copies_under_no_call(lake, order.org, order.day.zone, order.conversation_id, keys)
    return tuple(replace(order, day=day, conversation_id=recording_id) for day, recording_id in copies)
