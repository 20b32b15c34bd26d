"""Erases a conversation, and with it what was fetched of it by a media id alone, before anybody knew whose it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from include.lake import key_reading, layout
from include.local_day import LocalDay
from include.transfer.erase import erase_conversation

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
    day = LocalDay.of(layout.UNKNOWN_CALL_DATE, order.day.zone)
    keys = map(key_reading.MediaKey.parse, (item.key for item in looked.objects))
    recordings = sorted({key.identity.recording_id for key in keys if key} - {order.conversation_id})
    return tuple(
        replace(order, day=day, conversation_id=recording_id)
        for recording_id in recordings
        if any(lake.versions.list(layout.conversation_prefix(order.org, str(day), recording_id)))
    )
