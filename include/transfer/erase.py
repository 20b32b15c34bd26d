"""Erase one conversation: the bytes and what identifies people go, the proof that the day is whole stays.

Look, refuse, write down, delete, look again, commit, certify. The tombstone is written before the first deletion, so
that a run that dies is seen (the day is open as ``erasure_unfinished``) and the same command finishes it. Manifests
and commits are not touched: they hold ids, digests and sizes, and the day's chain goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from include.errors import ConfigurationError, LakeUnavailable, ObjectLocked
from include.lake import key_reading, layout
from include.lake.commit import read_head
from include.lake.plan import day_plans_of, read_expected
from include.lake.tombstone import ErasedObject, Rewritten, Tombstone, tombstones_of, uncertified_erasures
from include.lake.versions import COMPLIANCE, GOVERNANCE
from include.transfer.catalog import catalog_day
from include.transfer.conversation_objects import objects_of
from include.transfer.day import commit_day, reconcile_day
from include.transfer.day_state import state_of
from include.transfer.erasure_proof import certificate
from include.transfer.order import check_order
from include.transfer.standing_derivatives import write_report

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from include.audit.signature import JournalKey
    from include.lake.store import LakeStore
    from include.lake.versions import Guards, ObjectVersion
    from include.local_day import LocalDay
    from include.transfer.conversation_objects import ConversationObjects


@dataclass(frozen=True, slots=True)
class ErasureOrder:
    """Who wants which conversation erased, and why; these words are kept for good and should name no customer.

    Raises:
        ConfigurationError: when something is missing or no conversation id.
    """

    org: str
    day: LocalDay
    conversation_id: str
    reason: str
    legal_basis: str
    by: str

    def __post_init__(self) -> None:
        check_order(self.conversation_id, reason=self.reason, legal_basis=self.legal_basis, by=self.by)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure came to, or in a dry run would. ``deleted`` are the versions that this very run deleted.

    ``views`` are the keys of catalog and reports, which are made anew. ``already`` is set where an earlier erasure had
    come to its end and nothing was left to do.
    """

    order: ErasureOrder
    tombstones: tuple[Tombstone, ...]
    deleted: tuple[ObjectVersion, ...]
    unassigned: tuple[str, ...]
    commit_key: str = ""
    views: tuple[str, ...] = ()
    already: bool = False

    @property
    def objects(self) -> tuple[ErasedObject, ...]:
        """Every version that is gone, by whichever run."""
        return tuple(sorted({item for tombstone in self.tombstones for item in tombstone.objects}))

    def _count(self) -> str:
        total = sum(item.bytes for item in self.objects)
        return f"{len(self.objects)} versions, {total} bytes ({len(self.deleted)} of them by this run)"

    def lines(self, where: str) -> list[str]:
        """Return the certificate for a person; ``where`` is the lake's address."""
        if self.already:
            return self._nothing_to_do()
        tombstone = self.tombstones[0]
        digests = [f"  {item.sha256 or '(no bytes)':64}  {item.bytes:>12}  {item.key}" for item in self.objects]
        done = bool(self.commit_key)
        return [
            "CERTIFICATE OF ERASURE" if done else "DRY RUN: nothing was written and nothing deleted",
            f"lake          {where}",
            f"organisation  {tombstone.org}",
            f"conversation  {tombstone.conversation_id}, local day {tombstone.date}",
            f"reason        {tombstone.reason}",
            f"legal basis   {tombstone.legal_basis}",
            f"by            {tombstone.by}, at {tombstone.at}",
            f"{'erased' if done else 'would erase':14}{self._count()}",
            *digests,
            *self._made_anew(),
            *(f"tombstone     {item.key}" for item in self.tombstones if done),
            *(f"certificate   {layout.erasure_key(item.key)}" for item in self.tombstones if done),
            *([f"commit        {self.commit_key}", "looked for again: no version is left"] if done else []),
            *self._not_assigned(),
        ]

    def _nothing_to_do(self) -> list[str]:
        """Who asks again need not be told the first one's reason: the tombstone has it."""
        when = max(item.at for item in self.tombstones)
        return [
            f"{self.order.conversation_id} of {self.order.day}: already erased on {when}, nothing to do",
            *(f"certificate   {layout.erasure_key(item.key)}" for item in self.tombstones),
            *self._not_assigned(),
        ]

    def _made_anew(self) -> list[str]:
        plans = sorted({item for tombstone in self.tombstones for item in tombstone.rewritten})
        return [
            *(f"rewritten     {item.key}, without its facts: {item.replaced_by}" for item in plans),
            *(f"made anew     {key}" for key in self.views),
        ]

    def _not_assigned(self) -> list[str]:
        return [f"NOT ASSIGNED  {key}: nobody knows whose bytes these are; look" for key in self.unassigned]


def erase_conversation(
    lake: LakeStore,
    order: ErasureOrder,
    key: JournalKey | None = None,
    *,
    bypass_governance: bool = False,
    dry_run: bool = False,
) -> Erasure:
    """Erase every version of all that is the conversation's, and prove it; called again it finishes or does nothing.

    The commit that anchors the tombstone, the journal that tells of it, and the certificate are signed with ``key``.

    Raises:
        ObjectLocked: a hold or a retention keeps an object; nothing was deleted or written.
        ConfigurationError: the day knows no such conversation.
        LakeUnavailable: something is there again or still; call again.
        IntegrityError, NotAuthorised: as the lake raises them.
    """
    found = objects_of(lake, order.org, order.day, order.conversation_id)
    standing = tombstones_of(lake, order.org, str(order.day), order.conversation_id)
    _refuse_stranger(lake, order, found, standing)
    stale = _stale_reports(lake, order, standing)
    views = (*stale, *lake.versions.list(layout.catalog_partition(str(order.day))))
    _refuse_what_is_kept(lake, (*found.versions, *views), bypass_governance=bypass_governance)
    tombstones = _with_what_is_new(lake, order, found, standing)
    already = tombstones == standing and not (found.versions or stale) and _is_certified(lake, order)
    erasure = Erasure(order, tombstones, found.versions, found.unassigned, views=_views(lake, order), already=already)
    if dry_run:
        return erasure
    for tombstone in tombstones:
        lake.put_document(tombstone.key, tombstone.body())
    bypass = bypass_governance and lake.versions.can_lock()
    _delete(lake, order, found, bypass=bypass)
    _look_again(lake, order)
    commit, _ = commit_day(lake, order.org, order.day, (), key=key)
    _renew_catalog(lake, order, bypass=bypass)
    for tombstone in tombstones:
        lake.put_first(layout.erasure_key(tombstone.key), certificate(tombstone, commit.key, found.unassigned, key))
    # The certificate first: without it the report would call the day open.
    if any(lake.list_keys(layout.report_prefix(str(order.day)))):
        reconcile_day(lake, order.org, order.day, (), key=key)
        write_report(lake, order.org, str(order.day))
    _forget_reports(lake, order, tombstones, bypass=bypass)
    return replace(erasure, commit_key=commit.key)


def _views(lake: LakeStore, order: ErasureOrder) -> tuple[str, ...]:
    """Return what is made anew: each report counts the conversation, whether it names it or not."""
    places = (layout.catalog_partition(str(order.day)), layout.report_prefix(str(order.day)))
    return tuple(key for place in places for key in lake.list_keys(place))


def _is_certified(lake: LakeStore, order: ErasureOrder) -> bool:
    return order.conversation_id not in uncertified_erasures(lake, str(order.day))


def _refuse_stranger(
    lake: LakeStore, order: ErasureOrder, found: ConversationObjects, standing: tuple[Tombstone, ...]
) -> None:
    """Stop at an id or a date that is mistyped: a tombstone would stand for something that never was."""
    if found.versions or standing:
        return
    head = read_head(lake, order.org, order.day)
    known = set(state_of(lake, head).items) if head else set()
    for key in day_plans_of(lake, str(order.day)):
        known.update(read_expected(lake, key, order.org, str(order.day)))
    if order.conversation_id not in known:
        raise ConfigurationError(
            f"{lake.location.uri} knows no conversation {order.conversation_id} on {order.day}: is the DATE right? It "
            "is the day on which the conversation began."
        )


def _refuse_what_is_kept(lake: LakeStore, versions: Iterable[ObjectVersion], *, bypass_governance: bool) -> None:
    """Ask for the locks of every version before one of them is touched."""
    if not lake.versions.can_lock():
        return
    now = lake.now()
    kept = []
    for version in versions:
        why = _kept_by(lake.versions.guards(version), now, bypass_governance=bypass_governance)
        if why:
            kept.append((version, why))
    if kept:
        version, why = kept[0]
        more = f" So are {len(kept) - 1} more versions." if len(kept) > 1 else ""
        raise ObjectLocked(
            f"Nothing was erased. {lake.uri(version.key)} (version {version.version_id}) {why}.{more}",
            key=version.key,
            kept=[item.key for item, _ in kept],
        )


def _kept_by(guards: Guards, now: datetime, *, bypass_governance: bool) -> str:
    """Return why a version may not be deleted, empty where it may."""
    if guards.held:
        return "is under a legal hold, until a person lifts it (make hold ... RELEASE=1)"
    if guards.until is None or guards.until <= now:
        return ""
    until = guards.until.isoformat(timespec="seconds")
    if guards.mode == COMPLIANCE:
        return f"is locked in COMPLIANCE mode until {until}, and nobody can delete it before"
    if guards.mode == GOVERNANCE and not bypass_governance:
        return f"is locked in GOVERNANCE mode until {until}; a role that may bypass it says BYPASS_GOVERNANCE=1"
    return ""


def _with_what_is_new(
    lake: LakeStore, order: ErasureOrder, found: ConversationObjects, standing: tuple[Tombstone, ...]
) -> tuple[Tombstone, ...]:
    """Return the standing tombstones, and one more where there is something that none of them names."""
    known = {(item.key, item.version_id) for tombstone in standing for item in tombstone.objects}
    new = [version for version in found.versions if (version.key, version.version_id) not in known]
    if standing and not new:
        return standing
    replaced = {version.key: plan.key for version, plan in found.plans if version in new}
    tombstone = Tombstone(
        org=order.org,
        date=str(order.day),
        conversation_id=order.conversation_id,
        reason=order.reason.strip(),
        legal_basis=order.legal_basis.strip(),
        by=order.by.strip(),
        at=lake.now().isoformat(timespec="seconds"),
        objects=tuple(ErasedObject(item.key, item.version_id, item.bytes, lake.versions.digest(item)) for item in new),
        rewritten=tuple(Rewritten(key, replaced[key]) for key in sorted(replaced)),
    )
    return (*standing, tombstone)


def _delete(lake: LakeStore, order: ErasureOrder, found: ConversationObjects, *, bypass: bool) -> None:
    """Put the plans without the facts in their places, then delete every version, and what is still being uploaded."""
    for _, plan in found.plans:
        lake.put_document(plan.key, plan.body())
    _delete_all(lake, found.versions, bypass=bypass)
    for place in (
        layout.conversation_prefix(order.org, str(order.day), order.conversation_id),
        layout.derived_conversation_prefix(order.org, str(order.day), order.conversation_id),
        *_refused_uploads(lake, order),
    ):
        lake.versions.abort_uploads(place, lake.now())


def _refused_uploads(lake: LakeStore, order: ErasureOrder) -> list[str]:
    """Return the keys of its refused bytes that are still being uploaded: those are filed by reason first."""
    refused = layout.quarantine_prefix(str(order.day))
    keys = {upload.key for upload in lake.open_uploads() if upload.key.startswith(refused)}
    return sorted(key for key in keys if key_reading.conversation_in(key) == order.conversation_id)


def _look_again(lake: LakeStore, order: ErasureOrder) -> None:
    left = objects_of(lake, order.org, order.day, order.conversation_id).versions
    if left:
        raise LakeUnavailable(
            f"{len(left)} versions of conversation {order.conversation_id} are there still or again, such as "
            f"{lake.uri(left[0].key)}: a task is at work on the day, or a new lock was set. Erase it once more."
        )


def _stale_reports(lake: LakeStore, order: ErasureOrder, tombstones: tuple[Tombstone, ...]) -> list[ObjectVersion]:
    """Return the versions of the day's reports that speak of the conversation as it was before."""
    keys = [tombstone.key.encode() for tombstone in tombstones]
    stale = []
    for version in lake.versions.list(layout.report_prefix(str(order.day))):
        body = b"" if version.is_marker else lake.versions.read(version)
        if order.conversation_id.encode() in body and not any(key in body for key in keys):
            stale.append(version)
    return stale


def _renew_catalog(lake: LakeStore, order: ErasureOrder, *, bypass: bool) -> None:
    """Build the day's partition without the conversation, if there is one, and leave no older version of it."""
    partition = layout.catalog_partition(str(order.day))
    if any(lake.list_keys(partition)):
        catalog_day(lake, order.org, order.day)
    _delete_all(lake, [item for item in lake.versions.list(partition) if not item.is_latest], bypass=bypass)


def _forget_reports(lake: LakeStore, order: ErasureOrder, tombstones: tuple[Tombstone, ...], *, bypass: bool) -> None:
    """Delete what the reports said before: it may quote the source."""
    stale = [item for item in _stale_reports(lake, order, tombstones) if not item.is_latest]
    _delete_all(lake, stale, bypass=bypass)


def _delete_all(lake: LakeStore, versions: Iterable[ObjectVersion], *, bypass: bool) -> None:
    for version in versions:
        lake.versions.delete(version, bypass_governance=bypass)
