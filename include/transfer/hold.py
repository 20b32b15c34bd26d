"""Put one conversation under a legal hold, or lift it: then nobody can erase it, whatever its retention says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from include.audit.events import Action, Event
from include.errors import ConfigurationError
from include.transfer.conversation_objects import objects_of
from include.transfer.day import commit_day
from include.transfer.day_journal import append_segment
from include.transfer.order import check_order
from include.transfer.other_places import places_of

if TYPE_CHECKING:
    from include.audit.signature import JournalKey
    from include.lake.store import LakeStore
    from include.lake.versions import ObjectVersion
    from include.local_day import LocalDay


@dataclass(frozen=True, slots=True)
class Hold:
    """What a hold came to: every version that has it, or has it no more. ``changed`` of them had it not before."""

    order: HoldOrder
    versions: tuple[ObjectVersion, ...]
    changed: int


@dataclass(frozen=True, slots=True)
class HoldOrder:
    """Whose hold on which conversation, and why; these words are kept for good and should name no customer.

    Raises:
        ConfigurationError: when something is missing or no conversation id.
    """

    org: str
    day: LocalDay
    conversation_id: str
    reason: str
    by: str
    on: bool = True

    def __post_init__(self) -> None:
        check_order(self.conversation_id, reason=self.reason, by=self.by)


def hold_conversation(lake: LakeStore, order: HoldOrder, key: JournalKey | None = None) -> Hold:
    """Set or lift the hold on every version of the conversation's media, metadata, derivatives and quarantined bytes.

    Who did it and why goes into the day's journal before the first hold changes, and a commit, signed with ``key``,
    anchors it. Where nothing has to change nothing is written.

    Raises:
        ConfigurationError: the bucket has no Object Lock, or the lake holds nothing of the conversation.
        NotAuthorised: this role may not.
        LakeUnavailable: as the lake raises it; calling again sets what is left.
    """
    lake.versions.require_object_lock()
    versions = _versions(lake, order)
    if not versions:
        where = f"conversation {order.conversation_id} on {order.day}"
        raise ConfigurationError(f"{lake.location.uri} holds nothing of {where}.")
    return _held(lake, order, versions, key)


def _held(lake: LakeStore, order: HoldOrder, versions: tuple[ObjectVersion, ...], key: JournalKey | None) -> Hold:
    changed = [version for version in versions if lake.versions.guards(version).held is not order.on]
    if changed:
        append_segment(lake, order.org, order.day, "hold", _events(lake, order, changed))
    for version in changed:
        lake.versions.hold(version, on=order.on)
    commit_day(lake, order.org, order.day, (), key=key, anchor=True)
    return Hold(order, versions, len(changed))


def hold_everywhere(lake: LakeStore, order: HoldOrder, key: JournalKey | None = None) -> tuple[Hold, ...]:
    """Hold the conversation wherever something of it lies, or lift it; one for each of these places.

    Raises:
        ConfigurationError, NotAuthorised, LakeUnavailable: as ``hold_conversation``.
    """
    places = places_of(lake, order.org, order.day, order.conversation_id)
    orders = [replace(order, day=day, conversation_id=conversation_id) for day, conversation_id in places]
    here = [(each, versions) for each in orders if (versions := _versions(lake, each))]
    if not here:
        return (hold_conversation(lake, order, key),)  # it says that nothing is there
    lake.versions.require_object_lock()
    return tuple(_held(lake, each, versions, key) for each, versions in here)


def _versions(lake: LakeStore, order: HoldOrder) -> tuple[ObjectVersion, ...]:
    found = objects_of(lake, order.org, order.day, order.conversation_id).recordings
    return tuple(version for version in found if not version.is_marker)


def _events(lake: LakeStore, order: HoldOrder, versions: list[ObjectVersion]) -> list[Event]:
    at = lake.now().isoformat(timespec="seconds")
    return [
        Event(
            Action.HELD if order.on else Action.RELEASED,
            at=at,
            key=version.key,
            version_id=version.version_id,
            conversation_id=order.conversation_id,
            reason=order.reason.strip(),
            said_by=order.by.strip(),
        )
        for version in versions
    ]
