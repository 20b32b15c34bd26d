"""Put one conversation under a legal hold, or lift it: then nobody can erase it, whatever its retention says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.errors import ConfigurationError
from include.lake.layout import is_uuid
from include.transfer.conversation_objects import objects_of

if TYPE_CHECKING:
    from include.lake.store import LakeStore
    from include.lake.versions import ObjectVersion
    from include.local_day import LocalDay


@dataclass(frozen=True, slots=True)
class Hold:
    """What a hold came to: every version that has it, or has it no more. ``changed`` of them had it not before."""

    on: bool
    versions: tuple[ObjectVersion, ...]
    changed: int


def hold_conversation(lake: LakeStore, org: str, day: LocalDay, conversation_id: str, *, on: bool) -> Hold:
    """Set or lift the hold on every version of the conversation's media, metadata, derivatives and quarantined bytes.

    Raises:
        ConfigurationError: the bucket has no Object Lock, or the lake holds nothing of the conversation.
        NotAuthorised: this role may not.
        LakeUnavailable: as the lake raises it; calling again sets what is left.
    """
    if not is_uuid(conversation_id):
        raise ConfigurationError(f"CONVERSATION must be a conversation's id, not {conversation_id[:64]!r}")
    lake.versions.require_object_lock()
    found = objects_of(lake, org, day, conversation_id).recordings
    versions = tuple(version for version in found if not version.is_marker)
    if not versions:
        raise ConfigurationError(f"{lake.location.uri} holds nothing of conversation {conversation_id} on {day}.")
    changed = [version for version in versions if lake.versions.guards(version).held is not on]
    for version in changed:
        lake.versions.hold(version, on=on)
    return Hold(on, versions, len(changed))
