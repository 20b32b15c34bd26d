"""Every key of the lake, spelt once; pure.

``date`` is the conversation's local start day. A key never holds text that the source chose freely: ids are parsed as
UUIDs, everything else is a digest, a number or a word of ours.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date as calendar_date
from typing import TYPE_CHECKING, Self
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
FAILURE_EXTENSION = "failed.json"
_MEDIA_KEY = re.compile(
    r"media/org=(?P<org>[^/]+)/date=(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"/conversation=(?P<conversation>[^/]+)/recording=(?P<recording>[^/]+)"
    r"/(?P<part>0|[1-9][0-9]*)-(?P<sha256>[0-9a-f]{64})\.(?P<extension>[a-z0-9]{1,16}|metadata\.json)\Z"
)

_PLAN_KEY = re.compile(r"plans/date=(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})/")
_TOMBSTONE_KEY = re.compile(
    r"tombstones/date=[0-9]{4}-[0-9]{2}-[0-9]{2}/conversation=(?P<conversation>[^/]+)/[0-9a-f]{64}\.json\Z"
)
_DERIVED_KEY = re.compile(
    r"derived/org=(?P<org>[^/]+)/date=(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"/conversation=(?P<conversation>[^/]+)/recording=(?P<recording>[^/]+)"
    r"/(?P<part>0|[1-9][0-9]*)-(?P<source_sha256>[0-9a-f]{64})"
    r"/(?P<rendition>[a-z0-9-]{1,64})-(?P<sha256>[0-9a-f]{64})"
    r"\.(?P<extension>[a-z0-9]{1,16}|metadata\.json|failed\.json)\Z"
)
COMMITS = "commits/"
_COMMIT_KEY = re.compile(r"commits/date=[0-9-]{10}/v=(?P<version>[0-9]{8})\.json\Z")
_CONVERSATION = re.compile(r"/conversation=([0-9a-f-]{36})/")
COMMITS = "commits/"
_NAMED_BY_EVIDENCE = ("media/", "quarantine/", "manifests/")
_BULK = ("media/", "quarantine/")
_VIEWS = ("reports/", "catalog/", "outbox/", "derived/", "ingest/")
_DATE = re.compile(r"/date=([0-9]{4}-[0-9]{2}-[0-9]{2})/")
_NAMED_BY_CONTENT = re.compile(
    r"(?:media|derived|plans|manifests|audit|quarantine|tombstones)/.*[/-](?P<sha256>[0-9a-f]{64})"
    r"\.(?!metadata\.json|failed\.json)[a-z0-9]{1,16}\Z"
)
_DOCUMENT_KEY = re.compile(
    r"(?:plans/{date}/(?:day|shard)-{sha256}\.json|manifests/{date}/shard={sha256}/{sha256}\.json"
    r"|commits/{date}/v=[0-9]{{8}}\.json|audit/{date}/run=[^/]+/{sha256}\.jsonl"
    r"|quarantine/{date}/reason=[^/]+/conversation=[^/]+/recording=[^/]+/{sha256}\.[a-z0-9]{{1,16}}"
    r"|(?:seals|tombstones|erasures)/{date}/.+\.json|reports/{date}/[^/]+|(?:catalog|outbox|ingest)/.+)\Z".format(
        date="date=[0-9]{4}-[0-9]{2}-[0-9]{2}", sha256="[0-9a-f]{64}"
    )
)
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


@dataclass(frozen=True, slots=True)
class MediaKey:
    """A media key taken apart again."""

    identity: MediaIdentity
    sha256: str
    extension: str

    @classmethod
    def parse(cls, key: str) -> Self | None:
        """Read a key as this module spells it, without the lake's prefix; ``None`` for any other key."""
        match = _MEDIA_KEY.match(key)
        if match is None or not (is_uuid(match["conversation"]) and is_uuid(match["recording"])):
            return None
        if not _SAFE_WORD.match(match["org"]):
            return None
        identity = MediaIdentity(
            org=match["org"],
            date=match["date"],
            conversation_id=match["conversation"],
            recording_id=match["recording"],
            part=int(match["part"]),
        )
        return cls(identity, match["sha256"], match["extension"])


@dataclass(frozen=True, slots=True)
class DerivedKey:
    """A derivative's key taken apart again; ``identity`` and ``source_sha256`` name the part it was made from."""

    identity: MediaIdentity
    source_sha256: str
    rendition: str
    sha256: str
    extension: str

    @classmethod
    def parse(cls, key: str) -> Self | None:
        """Read a key below ``derived/`` as this module spells it; ``None`` for any other key."""
        match = _DERIVED_KEY.match(key)
        if match is None or not (is_uuid(match["conversation"]) and is_uuid(match["recording"])):
            return None
        if not _SAFE_WORD.match(match["org"]):
            return None
        identity = MediaIdentity(
            match["org"], match["date"], match["conversation"], match["recording"], int(match["part"])
        )
        return cls(identity, match["source_sha256"], match["rendition"], match["sha256"], match["extension"])


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


def plan_date(key: str) -> str:
    """Return the day of a plan's key.

    Raises:
        IntegrityError: when it is no key of a plan.
    """
    match = _PLAN_KEY.match(key)
    if match is None:
        raise IntegrityError(f"{key[:128]!r} is no plan of the archive", key=key)
    return match["date"]


def is_shard_plan(key: str) -> bool:
    """Whether the key is that of a shard plan, without the lake's prefix."""
    return bool(_PLAN_KEY.match(key)) and "/shard-" in key


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


def commit_number(key: str) -> int:
    """Return the number of a commit's key, 0 for any other key."""
    match = _COMMIT_KEY.match(key)
    return int(match["version"]) if match else 0


def dates_in(keys: Iterable[str]) -> frozenset[str]:
    """Return the days that these keys are filed under; what no calendar has is no day."""
    return frozenset(match[1] for key in keys if (match := _DATE.search(key)) and _is_date(match[1]))


def is_ours(key: str) -> bool:
    """Whether the archive itself could have written this key."""
    dated = _DATE.search(key)
    return (dated is None or _is_date(dated[1])) and bool(
        _DOCUMENT_KEY.match(key) or MediaKey.parse(key) or _DERIVED_KEY.match(key)
    )


def conversation_in(key: str) -> str:
    """Return the conversation that a key of media or quarantine is filed under, empty where there is none."""
    match = _CONVERSATION.search(key)
    return match[1] if match else ""


def is_catalog_stranger(key: str) -> bool:
    """Whether a key lies in the catalog's table and is none of its partitions."""
    dates = dates_in([key]) if key.startswith("catalog/recordings/") else ()
    return any(key != catalog_key(date) for date in dates)


def tells_of_erasure(key: str) -> bool:
    """Whether a key is that of a tombstone or a certificate, which stay when a conversation goes."""
    return key.startswith(("tombstones/", "erasures/"))


def is_replaceable(key: str) -> bool:
    """Whether the archive may replace what stands there: views, which are made anew from evidence."""
    return key.startswith(_VIEWS)


def must_be_named(key: str) -> bool:
    """Whether a commit leads to every such object in the end: recordings, refused bytes and manifests."""
    return key.startswith(_NAMED_BY_EVIDENCE) and f"/reason={UNMAPPED}/" not in key


def is_bulk(key: str) -> bool:
    """Whether a key is one of very many, and none of the few documents of a day."""
    return key.startswith(_BULK)


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
    return f"quarantine/date={date}/"


def named_digest(key: str) -> str:
    """Return the SHA-256 that a key promises of its bytes, empty where its name promises none.

    Plans, manifests, tombstones, the journal, media and quarantine are named by their content; the metadata beside a
    recording is named by the recording's.

    >>> named_digest("reports/date=2026-03-02/report.md")
    ''
    """
    match = _NAMED_BY_CONTENT.match(key)
    return match["sha256"] if match else ""


def tombstone_prefix(date: str) -> str:
    """Return the prefix of what stands in the place of erased conversations."""
    return f"tombstones/date={date}/"


def journal_prefix(date: str) -> str:
    """Return the prefix of a day's journal."""
    return f"audit/date={date}/"


def journal_key(date: str, run: str, sha256: str) -> str:
    """Return the key of one segment of the journal, named by its content."""
    return f"{journal_prefix(date)}run={_word(run)}/{sha256}.jsonl"


def seal_prefix(date: str) -> str:
    """Return the prefix of the seals of a day's commits.

    Not that of the commits: whoever lists those expects numbers without gaps and nothing else.
    """
    return f"seals/date={date}/"


def seal_key(date: str, version: int, key_id: str) -> str:
    """Return the key of one seal of one commit, named by what it was signed with."""
    return f"{seal_prefix(date)}v={version:08d}/{_word(key_id)}.json"


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


def tombstone_conversation(key: str) -> str | None:
    """Return whose tombstone a key names; ``None`` for any other key."""
    match = _TOMBSTONE_KEY.match(key)
    return match["conversation"] if match and is_uuid(match["conversation"]) else None


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
    folder = f"{quarantine_prefix(date)}reason={_word(reason)}/conversation={conversation}/recording={recording}"
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


def _is_date(text: str) -> bool:
    try:
        return calendar_date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _uuid(text: str) -> str:
    if not is_uuid(text):
        raise IntegrityError(f"an id that goes into a key must be a UUID, not {text[:64]!r}")
    return text


def _word(text: str) -> str:
    if not _SAFE_WORD.match(text):
        raise IntegrityError(f"a word that goes into a key may hold letters, digits, - and _ only, not {text[:64]!r}")
    return text


def _extension(text: str) -> str:
    if not _EXTENSION.match(text):
        raise IntegrityError(f"a file extension may hold small letters and digits only, not {text[:64]!r}")
    return text
