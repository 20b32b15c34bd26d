"""Whether an erasure was ordered, committed and finished: what its tombstone and its certificate say, and who signed.

A key below ``tombstones/`` says nothing by itself: whoever can write one object could make a recording that was lost
look like one that was erased.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from include.audit.finding import Finding, FindingKind
from include.audit.signature import Algorithm, signed_text, verifies_text
from include.canonical import canonical_json, read_document
from include.errors import IntegrityError
from include.lake import key_reading, layout
from include.lake.tombstone import Tombstone, conversations_of
from include.transfer.verify_commits import read_commits

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from include.audit.signature import JournalKey
    from include.lake.commit import Commit
    from include.lake.store import LakeStore

CERTIFICATE_SCHEMA = "recording-archive/erasure/1"


def certificate(tombstone: Tombstone, commit_key: str, unassigned: Collection[str], key: JournalKey | None) -> bytes:
    """Return the document that says: what this tombstone names is gone, looked for after the deletion.

    Raises:
        ConfigurationError: when the key is only a public one.
    """
    said = {
        "schema": CERTIFICATE_SCHEMA,
        "org": tombstone.org,
        "date": tombstone.date,
        "conversation_id": tombstone.conversation_id,
        "tombstone": tombstone.key,
        "commit": commit_key,
        "versions": len(tombstone.objects),
        "bytes": sum(item.bytes for item in tombstone.objects),
        "versions_left": 0,
        "unassigned_quarantine": list(unassigned),
    }
    if key is None:
        return canonical_json(said)
    return canonical_json({**said, "key_id": key.key_id, "signature": signed_text(key, canonical_json(said))})


def missing_proof(
    lake: LakeStore, tombstone: Tombstone, commits: Collection[str], key: JournalKey | None = None
) -> list[Finding]:
    """Return what is missing between a tombstone and an erasure that came to its end; ``commits`` name the tombstone.

    Raises:
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
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
    what = _wrong_signature(lake, document, tombstone.date, key)
    return [Finding(FindingKind.UNPROVED, place, what)] if what else []


def unproved_erasures(lake: LakeStore, commit: Commit) -> dict[str, str]:
    """Return the conversations with a tombstone whose erasure this commit does not know to have come to its end.

    Each with such a tombstone. They stay open, and nobody asks for them: a damaged tombstone may be a true one.

    Raises:
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    date = str(commit.day)
    known = {layout.commit_key(date, number) for number in range(1, commit.version + 1)}
    unproved = []
    for key in lake.list_keys(layout.tombstone_prefix(date)):
        if key_reading.tombstone_conversation(key) is None:
            continue
        try:
            tombstone = Tombstone.read(lake, key, commit.org, date)
            is_proved = key in commit.tombstones and not missing_proof(lake, tombstone, known)
        except IntegrityError:
            is_proved = False
        if not is_proved:
            unproved.append(key)
    return conversations_of(unproved)


def proof_elsewhere(
    lake: LakeStore, org: str, conversation_id: str, place: str, key: JournalKey | None = None
) -> list[Finding]:
    """Return what is missing between a word and an erasure: that the one of this tombstone, on its own day, was this.

    ``place`` is whatever a manifest of another day names as the tombstone.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: as the lake raises them.
    """
    if key_reading.tombstone_conversation(place) != conversation_id:
        what = f"it is named as the tombstone of {conversation_id}, and is none of it"
        return [Finding(FindingKind.CONTRADICTION, place, what)]
    if lake.head(place) is None:
        return [Finding(FindingKind.MISSING, place, f"a manifest of another day names it for {conversation_id}")]
    date = key_reading.tombstone_date(place)
    commits, _ = read_commits(lake, date, org)
    naming = {commit.key for commit in commits.values() if place in commit.tombstones}
    try:
        return missing_proof(lake, Tombstone.read(lake, place, org, date), naming, key)
    except IntegrityError as error:
        return [Finding(FindingKind.ALTERED, place, str(error))]


def unproved_elsewhere(lake: LakeStore, org: str, erased: Mapping[str, str]) -> dict[str, str]:
    """Return those conversations whose erasure on another day has not come to its end; each comes with its tombstone.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: as the lake raises them.
    """
    return {item: place for item, place in erased.items() if proof_elsewhere(lake, org, item, place)}


def _wrong_signature(lake: LakeStore, document: dict[str, Any], date: str, key: JournalKey | None) -> str:
    """Return what is wrong with a certificate's signature, empty where nothing is.

    Whoever committed the erasure had its key, or none: the commit is sealed in the same way.
    """
    said = {name: value for name, value in document.items() if name not in {"key_id", "signature"}}
    key_id = str(document.get("key_id") or Algorithm.UNSIGNED)
    version = key_reading.commit_number(str(document.get("commit")))
    sealed_as = {
        name.rpartition("/")[2].removesuffix(".json") for name in lake.list_keys(layout.seals_of(date, version))
    }
    if key_id not in sealed_as:
        return f"its commit is not sealed as it is ({key_id}): somebody without the key put it there"
    if key is None or key.key_id != key_id:
        return ""
    fits = verifies_text(key, canonical_json(said), str(document.get("signature", "")))
    return "" if fits else "its signature does not fit"
