"""Erasures as an auditor reads them: a tombstone must be in the chain, finished, and name what it stands for.

Whoever can write one object could otherwise make a recording that was lost look like one that was erased.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from include.audit.finding import Finding, FindingKind
from include.errors import IntegrityError, LakeUnavailable
from include.lake import key_reading, layout
from include.lake.erasures import NOBODY, Erasures, erasures_of
from include.lake.tombstone import Tombstone, plans_with_facts
from include.transfer.erasure_proof import missing_proof, proof_elsewhere

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from include.audit.signature import JournalKey
    from include.lake.store import LakeStore


@dataclass(slots=True)
class Erased:
    """What the tombstones of a day say, and what is wrong with them; who was ``erased``, also on other days."""

    erased: Erasures = NOBODY
    keys: set[str] = field(default_factory=set)
    replaced_plans: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def read_erased(
    lake: LakeStore, org: str, date: str, named: Mapping[str, Collection[str]], signing: JournalKey | None = None
) -> Erased:
    """Read a day's tombstones and certificates; ``named`` maps a tombstone to the commits that name it.

    ``signing`` checks the certificates' signatures, where there is one.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket does not list its objects.
    """
    erased = Erased(erasures_of(lake, date))
    if not erased.erased.here:
        return erased
    for key in lake.list_keys(layout.tombstone_prefix(date)):
        owner = key_reading.tombstone_conversation(key)
        if owner is None:
            erased.findings.append(Finding(FindingKind.STRANGER, key, "the archive writes no such key"))
            continue
        try:
            tombstone = Tombstone.read(lake, key, org, date)
            erased.findings += missing_proof(lake, tombstone, named.get(key, ()), signing)
        except (IntegrityError, LakeUnavailable) as error:
            kind = FindingKind.ALTERED if isinstance(error, IntegrityError) else FindingKind.UNREADABLE
            erased.findings.append(Finding(kind, key, str(error)))
            continue
        # A tombstone speaks for its own conversation, and for what is filed under none; never for another's.
        keys = (item.key for item in tombstone.objects)
        erased.keys |= {item for item in keys if key_reading.conversation_in(item) in {"", owner}}
        erased.replaced_plans |= {item.key: item.replaced_by for item in tombstone.rewritten}
    erased.findings += facts_left(lake, date, erased.erased.here.keys())
    return erased


def words_elsewhere(
    lake: LakeStore, org: str, words: Iterable[tuple[str, str]], signing: JournalKey | None = None
) -> list[Finding]:
    """Return what is wrong where manifests call erased who has no tombstone of their day: ``words`` name another's.

    Raises:
        NotAuthorised, ConfigurationError: as the lake raises them.
    """
    findings = []
    for conversation_id, place in sorted(words):
        try:
            findings += proof_elsewhere(lake, org, conversation_id, place, signing)
        except LakeUnavailable as error:
            findings.append(Finding(FindingKind.UNREADABLE, place, str(error)))
    return findings


def plan_in_place(replaced: Mapping[str, str], plan: str) -> str:
    """Return what stands in a plan's place; itself where the tombstones lead in a circle."""
    seen, followed = {plan}, plan
    while followed in replaced:
        followed = replaced[followed]
        if followed in seen:
            return plan
        seen.add(followed)
    return followed


def facts_left(lake: LakeStore, date: str, conversations: Collection[str]) -> list[Finding]:
    """Return the shard plans of a day that know facts of these conversations, which were erased."""
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
