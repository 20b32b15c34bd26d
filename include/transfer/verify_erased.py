"""Erasures as an auditor reads them: a tombstone must be in the chain, finished, and name what it stands for.

Whoever can write one object could otherwise make a recording that was lost look like one that was erased.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from include.audit.finding import Finding, FindingKind
from include.canonical import canonical_json, read_document
from include.errors import IntegrityError, LakeUnavailable
from include.lake import key_reading, layout
from include.lake.tombstone import Tombstone, erased_conversations, plans_with_facts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from include.lake.store import LakeStore


@dataclass(slots=True)
class Erased:
    """What the tombstones of a day say, and what is wrong with them."""

    conversations: frozenset[str] = frozenset()
    keys: set[str] = field(default_factory=set)
    replaced_plans: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def read_erased(lake: LakeStore, org: str, date: str, named: Mapping[str, Collection[str]]) -> Erased:
    """Read a day's tombstones and certificates; ``named`` maps a tombstone to the commits that name it.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket does not list its objects.
    """
    erased = Erased(frozenset(erased_conversations(lake, date)))
    if not erased.conversations:
        return erased
    for key in lake.list_keys(layout.tombstone_prefix(date)):
        owner = key_reading.tombstone_conversation(key)
        if owner is None:
            erased.findings.append(Finding(FindingKind.STRANGER, key, "the archive writes no such key"))
            continue
        try:
            tombstone = Tombstone.read(lake, key, org, date)
            erased.findings += _proof(lake, tombstone, named.get(key, ()))
        except (IntegrityError, LakeUnavailable) as error:
            kind = FindingKind.ALTERED if isinstance(error, IntegrityError) else FindingKind.UNREADABLE
            erased.findings.append(Finding(kind, key, str(error)))
            continue
        # A tombstone speaks for its own conversation, and for what is filed under none; never for another's.
        keys = (item.key for item in tombstone.objects)
        erased.keys |= {item for item in keys if key_reading.conversation_in(item) in {"", owner}}
        erased.replaced_plans |= {item.key: item.replaced_by for item in tombstone.rewritten}
    erased.findings += _facts_left(lake, date, erased.conversations)
    return erased


def plan_in_place(replaced: Mapping[str, str], plan: str) -> str:
    """Return what stands in a plan's place; itself where the tombstones lead in a circle."""
    seen, followed = {plan}, plan
    while followed in replaced:
        followed = replaced[followed]
        if followed in seen:
            return plan
        seen.add(followed)
    return followed


def _proof(lake: LakeStore, tombstone: Tombstone, commits: Collection[str]) -> list[Finding]:
    """Return what is missing between a tombstone and an erasure that was ordered, committed and finished."""
    if not commits:
        what = "no commit names it: an erasure was cut short, or somebody put it there"
        return [Finding(FindingKind.UNPROVED, tombstone.key, what)]
    place = layout.erasure_key(tombstone.key)
    body = lake.read(place)
    if body is None:
        return [Finding(FindingKind.UNPROVED, tombstone.key, "no certificate says that the erasure came to its end")]
    try:
        document = read_document(body)
        is_as_written = canonical_json(document) == body
    except (ValueError, TypeError):
        document, is_as_written = {}, False
    said = [document.get(name) for name in ("org", "date", "conversation_id", "tombstone", "versions")]
    true = [tombstone.org, tombstone.date, tombstone.conversation_id, tombstone.key, len(tombstone.objects)]
    if not is_as_written or said != true:
        return [Finding(FindingKind.ALTERED, place, f"it is no certificate of {tombstone.key}")]
    if document.get("commit") not in commits:
        return [Finding(FindingKind.CONTRADICTION, place, "the commit that it names does not name its tombstone")]
    return []


def _facts_left(lake: LakeStore, date: str, conversations: Collection[str]) -> list[Finding]:
    try:
        found = plans_with_facts(lake, date, conversations)
    except IntegrityError as error:
        return [Finding(FindingKind.ALTERED, str(error.facts.get("key") or layout.shard_plan_prefix(date)), str(error))]
    except LakeUnavailable as error:
        return [Finding(FindingKind.UNREADABLE, layout.shard_plan_prefix(date), str(error))]
    return [
        Finding(FindingKind.RESURRECTED, key, f"it holds facts of {item}, which was erased: erase it once more")
        for item, key in sorted(found.items())
    ]
