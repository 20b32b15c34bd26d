"""Keys that the native AWS S3 integration writes, taken apart; pure.

``{org}/year=/month=/day=/hour=/conversation_id={id}/{recording id}…``, the hour being that of the conversation's start
in UTC (Genesys Resource Center, "Working with exported recordings in AWS S3 bucket"). Whether months, days and hours
are padded, which extension the media have, and whether ``_metadata.json`` follows the extension is not published: every
such spelling is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from include.genesys.json_fields import uuid_of

_KEY = re.compile(
    r"(?P<org>[^/]+)/year=(?P<year>[0-9]{4})/month=(?P<month>[0-9]{1,2})/day=(?P<day>[0-9]{1,2})"
    r"/hour=(?P<hour>[0-9]{1,2})/conversation_id=(?P<conversation>[^/]+)/(?P<id>[0-9A-Fa-f-]{36})(?P<rest>[^/]*)\Z"
)
_METADATA = re.compile(r"(?:\.[A-Za-z0-9]+)?_metadata\.json(?:\.(?:pgp|gpg|asc))?\Z")
_SEALED = (".pgp", ".gpg", ".asc")
_FOLDER = re.compile(r"(?:year|month|day)=([0-9]{1,4})/\Z")


@dataclass(frozen=True, slots=True)
class ExportKey:
    """What a key says. ``recording_id`` may be the conversation's own id where metadata speak of all its recordings."""

    conversation_id: str
    recording_id: str
    hour: datetime
    is_metadata: bool
    is_sealed: bool

    @classmethod
    def parse(cls, key: str, org: str) -> ExportKey | None:
        """Read a key without the export's prefix; ``None`` for what is none, or another organisation's."""
        match = _KEY.match(key)
        if match is None or match["org"].lower() != org.lower():
            return None
        conversation_id, recording_id = uuid_of(match["conversation"]), uuid_of(match["id"])
        if conversation_id is None or recording_id is None:
            return None
        try:
            hour = datetime(*(int(match[name]) for name in ("year", "month", "day", "hour")), tzinfo=UTC)  # type: ignore[misc, arg-type]  # four numbers
        except ValueError:
            return None
        rest = match["rest"]
        return cls(conversation_id, recording_id, hour, bool(_METADATA.match(rest)), rest.lower().endswith(_SEALED))


def folder_number(folder: str) -> int | None:
    """Return the number of a folder such as ``month=3/``, padded or not; ``None`` for another folder.

    >>> folder_number("month=03/"), folder_number("month=3/"), folder_number("media/")
    (3, 3, None)
    """
    match = _FOLDER.match(folder)
    return int(match[1]) if match else None


def date_of_folders(year: int, month: int, day: int) -> date | None:
    """Return the date that three folders name, ``None`` where there is none.

    >>> date_of_folders(2026, 2, 30) is None
    True
    """
    try:
        return date(year, month, day)
    except ValueError:
        return None
