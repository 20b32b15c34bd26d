"""What a key says of the object that it names: the other direction of ``layout.py``; pure.

Keys are given without the lake's prefix, as a listing of the lake returns them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date as calendar_date
from typing import TYPE_CHECKING, Self

from include.errors import IntegrityError
from include.lake.layout import UNMAPPED, MediaIdentity, catalog_key, is_uuid, is_word

if TYPE_CHECKING:
    from collections.abc import Iterable

_MEDIA_KEY = re.compile(
    r"media/org=(?P<org>[^/]+)/date=(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"/conversation=(?P<conversation>[^/]+)/recording=(?P<recording>[^/]+)"
    r"/(?P<part>0|[1-9][0-9]*)-(?P<sha256>[0-9a-f]{64})\.(?P<extension>[a-z0-9]{1,16}|metadata\.json)\Z"
)
_PLAN_KEY = re.compile(r"plans/date=(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})/")
_TOMBSTONE_KEY = re.compile(
    r"tombstones/date=(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})/conversation=(?P<conversation>[^/]+)/[0-9a-f]{64}\.json\Z"
)
_DERIVED_KEY = re.compile(
    r"derived/org=(?P<org>[^/]+)/date=(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"/conversation=(?P<conversation>[^/]+)/recording=(?P<recording>[^/]+)"
    r"/(?P<part>0|[1-9][0-9]*)-(?P<source_sha256>[0-9a-f]{64})"
    r"/(?P<rendition>[a-z0-9-]{1,64})-(?P<sha256>[0-9a-f]{64})"
    r"\.(?P<extension>[a-z0-9]{1,16}|metadata\.json|failed\.json)\Z"
)
_COMMIT_KEY = re.compile(r"commits/date=[0-9-]{10}/v=(?P<version>[0-9]{8})\.json\Z")
_CONVERSATION = re.compile(r"/conversation=([0-9a-f-]{36})/")
_RECORDING = re.compile(r"/recording=([0-9a-f-]{36})/")
_NAMED_BY_EVIDENCE = ("media/", "quarantine/", "manifests/")
_BULK = ("media/", "quarantine/")
_VIEWS = ("reports/", "catalog/", "outbox/", "derived/", "ingest/")
_DATE = re.compile(r"/date=([0-9]{4}-[0-9]{2}-[0-9]{2})/")
_NAMED_BY_CONTENT = re.compile(
    r"(?:media|derived|plans|manifests|audit|quarantine|tombstones)/.*[/-](?P<sha256>[0-9a-f]{64})"
    r"\.(?!metadata\.json)(?:failed\.json|[a-z0-9]{1,16})\Z"
)
_DOCUMENT_KEY = re.compile(
    r"(?:plans/{date}/(?:day|shard)-{sha256}\.json|manifests/{date}/shard={sha256}/{sha256}\.json"
    r"|commits/{date}/v=[0-9]{{8}}\.json|audit/{date}/run=[^/]+/{sha256}\.jsonl"
    r"|quarantine/{date}/reason=[^/]+/conversation=[^/]+/recording=[^/]+/{sha256}\.[a-z0-9]{{1,16}}"
    r"|(?:seals|tombstones|erasures)/{date}/.+\.json|reports/{date}/[^/]+|(?:catalog|outbox|ingest)/.+)\Z".format(
        date="date=[0-9]{4}-[0-9]{2}-[0-9]{2}", sha256="[0-9a-f]{64}"
    )
)


@dataclass(frozen=True, slots=True)
class MediaKey:
    """A media key taken apart again."""

    identity: MediaIdentity
    sha256: str
    extension: str

    @classmethod
    def parse(cls, key: str) -> Self | None:
        """Read a key as ``media_key`` or ``metadata_key`` spells it; ``None`` for any other key."""
        match = _MEDIA_KEY.match(key)
        identity = _identity(match)
        return cls(identity, match["sha256"], match["extension"]) if match and identity else None


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
        """Read a key below ``derived/`` as ``layout.py`` spells it; ``None`` for any other key."""
        match = _DERIVED_KEY.match(key)
        identity = _identity(match)
        if match is None or identity is None:
            return None
        return cls(identity, match["source_sha256"], match["rendition"], match["sha256"], match["extension"])


def _identity(match: re.Match[str] | None) -> MediaIdentity | None:
    """Return the part that a key's segments name, ``None`` where one of them is not as ``layout.py`` spells it."""
    if match is None or not is_word(match["org"]):
        return None
    if not (is_uuid(match["conversation"]) and is_uuid(match["recording"])):
        return None
    return MediaIdentity(match["org"], match["date"], match["conversation"], match["recording"], int(match["part"]))


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
    """Whether the key is that of a shard plan."""
    return bool(_PLAN_KEY.match(key)) and "/shard-" in key


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


def recording_in(key: str) -> str:
    """Return the recording that a key of media, derivatives or quarantine is filed under, empty where there is none."""
    match = _RECORDING.search(key)
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


def named_digest(key: str) -> str:
    """Return the SHA-256 that a key promises of its bytes, empty where its name promises none.

    Plans, manifests, tombstones, the journal, media, copies and quarantine are named by their content; the metadata
    beside a recording or a copy is named by theirs.

    >>> named_digest("reports/date=2026-03-02/report.md")
    ''
    """
    match = _NAMED_BY_CONTENT.match(key)
    return match["sha256"] if match else ""


def tombstone_conversation(key: str) -> str | None:
    """Return whose tombstone a key names; ``None`` for any other key."""
    match = _TOMBSTONE_KEY.match(key)
    return match["conversation"] if match and is_uuid(match["conversation"]) else None


def tombstone_date(key: str) -> str:
    """Return the day that a tombstone is filed under, empty for any other key."""
    match = _TOMBSTONE_KEY.match(key)
    return match["date"] if match else ""


def _is_date(text: str) -> bool:
    try:
        return calendar_date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
