"""Every key of the lake, spelt once; pure.

``date`` is the conversation's local start day. A key never holds text that the source chose freely: ids are parsed as
UUIDs, everything else is a digest, a number or a word of ours.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from include.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

_SAFE_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
_EXTENSION = re.compile(r"[a-z0-9]{1,16}\Z")
METADATA_EXTENSION = "metadata.json"
COMMITS = "commits/"
"""What every commit's key begins with."""
OUTBOX = "outbox/"
"""What the key of every day's deliveries begins with."""
CATALOG_TABLE = "catalog/recordings/"
"""What the key of every partition begins with."""
TOMBSTONES = "tombstones/"
QUARANTINE = "quarantine/"
UNKNOWN_CALL_DATE = "1970-01-01"
"""The day of media of which nobody knows the call: no call has it, and no night or audit comes to it."""
FAILURE_EXTENSION = "failed.json"

UNMAPPED = "unmapped"
"""The reason word in the key of quarantined bytes that nothing assigns to a recording: no record names them."""


@dataclass(frozen=True, slots=True)
class MediaIdentity:
    """One part of one recording: what a key stands for, whichever path the bytes came by."""

    org: str
    date: str
    conversation_id: str
    recording_id: str
    part: int


def media_day_prefix(org: str, date: str) -> str:
    """Return the prefix of one organisation's media of one day."""
    return f"media/org={_word(org)}/date={date}/"


def conversation_prefix(org: str, date: str, conversation_id: str) -> str:
    """Return the prefix of one conversation's media."""
    return f"{media_day_prefix(org, date)}conversation={_uuid(conversation_id)}/"


def media_key(identity: MediaIdentity, sha256: str, extension: str) -> str:
    """Return the write-once key of the audio itself."""
    folder = conversation_prefix(identity.org, identity.date, identity.conversation_id)
    return f"{folder}recording={_uuid(identity.recording_id)}/{identity.part}-{sha256}.{_extension(extension)}"


def metadata_key(identity: MediaIdentity, sha256: str) -> str:
    """Return the key of the metadata beside the audio whose SHA-256 this is."""
    folder = conversation_prefix(identity.org, identity.date, identity.conversation_id)
    return f"{folder}recording={_uuid(identity.recording_id)}/{identity.part}-{sha256}.{METADATA_EXTENSION}"


def derived_day_prefix(org: str, date: str) -> str:
    """Return the prefix of what was made from one organisation's recordings of one day."""
    return f"derived/org={_word(org)}/date={date}/"


def derived_conversation_prefix(org: str, date: str, conversation_id: str) -> str:
    """Return the prefix of what was made from one conversation's recordings."""
    return f"{derived_day_prefix(org, date)}conversation={_uuid(conversation_id)}/"


def derived_prefix(identity: MediaIdentity, source_sha256: str) -> str:
    """Return the prefix of what was made from one part: its number and its SHA-256 name the source."""
    folder = derived_conversation_prefix(identity.org, identity.date, identity.conversation_id)
    return f"{folder}recording={_uuid(identity.recording_id)}/{identity.part}-{source_sha256}/"


def derived_key(identity: MediaIdentity, source_sha256: str, rendition: str, sha256: str, extension: str) -> str:
    """Return the write-once key of a derivative; ``rendition`` is such as ``mp3-mono``, ``sha256`` its own."""
    return f"{derived_prefix(identity, source_sha256)}{_word(rendition)}-{sha256}.{_extension(extension)}"


def derived_metadata_key(identity: MediaIdentity, source_sha256: str, rendition: str, sha256: str) -> str:
    """Return the key of the document beside a derivative."""
    return f"{derived_prefix(identity, source_sha256)}{_word(rendition)}-{sha256}.{METADATA_EXTENSION}"


def derived_failure_key(identity: MediaIdentity, source_sha256: str, rendition: str, sha256: str) -> str:
    """Return the key of the document that says why there is no derivative; ``sha256`` is the document's own."""
    return f"{derived_prefix(identity, source_sha256)}{_word(rendition)}-{sha256}.{FAILURE_EXTENSION}"


def day_plan_key(date: str, sha256: str) -> str:
    """Return the key of what was expected of a day, named by its content."""
    return f"{day_plan_prefix(date)}{sha256}.json"


def shard_plan_key(date: str, sha256: str) -> str:
    """Return the key of one shard's share of the plan, named by its content."""
    return f"{shard_plan_prefix(date)}{sha256}.json"


def day_plan_prefix(date: str) -> str:
    """Return the prefix of a day's plans."""
    return f"plans/date={date}/day-"


def shard_plan_prefix(date: str) -> str:
    """Return the prefix of a day's shard plans."""
    return f"plans/date={date}/shard-"


def manifest_prefix(date: str) -> str:
    """Return the prefix of a day's manifests."""
    return f"manifests/date={date}/"


def manifest_key(date: str, shard: str, sha256: str) -> str:
    """Return the key of what became of a shard.

    The content's digest stands behind the shard's, since the same ids can have a second outcome on a later run
    (pending first, archived then) and evidence is never overwritten.
    """
    return f"{manifest_prefix(date)}shard={shard}/{sha256}.json"


def commit_prefix(date: str) -> str:
    """Return the prefix of a day's commits."""
    return f"commits/date={date}/"


def commit_key(date: str, version: int) -> str:
    """Return the key of the day's numbered commit."""
    return f"{commit_prefix(date)}v={version:08d}.json"


def day_prefixes(org: str, date: str) -> tuple[str, ...]:
    """Return all prefixes that hold something of a day; those of media only where the organisation is known."""
    kinds = ("commits", "plans", "manifests", "tombstones", "erasures", "audit", "seals", "quarantine", "reports")
    prefixes = [*(f"{kind}/date={date}/" for kind in kinds), catalog_partition(date), catalog_manifest_key(date)]
    if org:
        prefixes += [media_day_prefix(org, date), f"derived/org={_word(org)}/date={date}/"]
    return tuple(prefixes)


def export_ledger_key(org: str, hour: datetime) -> str:
    """Return the key of what is settled of one hour (UTC) of the native export."""
    return f"ingest/org={_word(org)}/utc={hour:%Y-%m-%d}/hour={hour:%H}.json"


def quarantine_prefix(date: str) -> str:
    """Return the prefix of a day's refused bytes."""
    return f"{QUARANTINE}date={date}/"


def quarantine_reason_prefix(date: str, reason: str) -> str:
    """Return the prefix of a day's bytes that were refused for one reason."""
    return f"{quarantine_prefix(date)}reason={_word(reason)}/"


def tombstone_prefix(date: str) -> str:
    """Return the prefix of what stands in the place of erased conversations."""
    return f"tombstones/date={date}/"


def journal_prefix(date: str) -> str:
    """Return the prefix of a day's journal."""
    return f"audit/date={date}/"


def journal_of_run(date: str, run: str) -> str:
    """Return the prefix of the segments that one actor has written on one commit."""
    return f"{journal_prefix(date)}run={_word(run)}/"


def journal_of_actor(date: str, actor: str) -> str:
    """Return the prefix of the segments that one actor has written, on whichever commit."""
    return f"{journal_prefix(date)}run={_word(actor)}-v"


def journal_key(date: str, run: str, sha256: str) -> str:
    """Return the key of one segment of the journal, named by its content."""
    return f"{journal_of_run(date, run)}{sha256}.jsonl"


def seal_prefix(date: str) -> str:
    """Return the prefix of the seals of a day's commits.

    Not that of the commits: whoever lists those expects numbers without gaps and nothing else.
    """
    return f"seals/date={date}/"


def seals_of(date: str, version: int) -> str:
    """Return the prefix of the seals of one commit."""
    return f"{seal_prefix(date)}v={version:08d}/"


def seal_key(date: str, version: int, key_id: str) -> str:
    """Return the key of one seal of one commit, named by what it was signed with."""
    return f"{seals_of(date, version)}{_word(key_id)}.json"


def catalog_partition(date: str) -> str:
    """Return the prefix of one day's partition; below ``catalog/recordings/`` lies the table and nothing else."""
    return f"catalog/recordings/date={date}/"


def catalog_key(date: str) -> str:
    """Return the key of the only object of a partition."""
    return f"{catalog_partition(date)}part-00000.parquet"


def catalog_manifest_key(date: str) -> str:
    """Return the key of what a partition was built from: beside the table, since a reader takes all below it."""
    return f"catalog/manifests/date={date}.json"


def tombstone_key(date: str, conversation_id: str, sha256: str) -> str:
    """Return the key of a tombstone: below its conversation, named by its content as all evidence is."""
    return f"{tombstone_prefix(date)}conversation={_uuid(conversation_id)}/{sha256}.json"


def erasure_prefix(date: str) -> str:
    """Return the prefix of the certificates of a day's erasures."""
    return f"erasures/date={date}/"


def erasure_key(tombstone: str) -> str:
    """Return the key of the certificate that the erasure which left this tombstone came to its end."""
    return f"erasures/{tombstone.removeprefix('tombstones/')}"


def report_prefix(date: str) -> str:
    """Return the prefix of a day's reports."""
    return f"reports/date={date}/"


def report_key(date: str, name: str) -> str:
    """Return the key of one of the day's reports."""
    return f"{report_prefix(date)}{name}"


def outbox_key(date: str) -> str:
    """Return the key of how far the events of a day have been delivered."""
    return f"{OUTBOX}date={date}/delivery.json"


def quarantine_key(date: str, reason: str, identity: MediaIdentity, sha256: str, extension: str) -> str:
    """Return the key of bytes that were refused, filed by reason."""
    recording = _uuid(identity.recording_id) if identity.recording_id else "unknown"
    conversation = _uuid(identity.conversation_id) if identity.conversation_id else "unknown"
    folder = f"{quarantine_reason_prefix(date, reason)}conversation={conversation}/recording={recording}"
    return f"{folder}/{sha256}.{_extension(extension)}"


def shard_digest(conversation_ids: Iterable[str]) -> str:
    """Return the name of a shard: SHA-256 over its sorted ids, one a line."""
    return hashlib.sha256("".join(f"{item}\n" for item in sorted(conversation_ids)).encode()).hexdigest()


def is_uuid(text: object) -> bool:
    """Whether the text is a UUID in its canonical, hyphenated, lower-case form."""
    try:
        return str(UUID(str(text))) == text
    except ValueError:
        return False


def _uuid(text: str) -> str:
    if not is_uuid(text):
        raise IntegrityError(f"an id that goes into a key must be a UUID, not {text[:64]!r}")
    return text


def is_word(text: str) -> bool:
    """Whether the text may go into a key as a word: letters, digits, - and _ only."""
    return bool(_SAFE_WORD.match(text))


def _word(text: str) -> str:
    if not is_word(text):
        raise IntegrityError(f"a word that goes into a key may hold letters, digits, - and _ only, not {text[:64]!r}")
    return text


def _extension(text: str) -> str:
    if not _EXTENSION.match(text):
        raise IntegrityError(f"a file extension may hold small letters and digits only, not {text[:64]!r}")
    return text
