"""Where a conversation stands, for a person who has its id and perhaps not its day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.canonical import read_document
from include.errors import ConfigurationError, IntegrityError
from include.lake import layout
from include.local_day import LocalDay

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from include.lake.store import LakeStore

_DATE, _ORG = "date=", "org="


def dates_of(lake: LakeStore, conversation_id: str) -> tuple[str, ...]:
    """Return the days under which the lake holds audio or a tombstone of a conversation: one question per day.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: as the lake raises them.
    """
    found = {
        date
        for org in _folders(lake, "media/", _ORG)
        for date in _folders(lake, f"media/org={org}/", _DATE)
        if any(True for _ in lake.list_keys(layout.conversation_prefix(org, date, conversation_id)))
    }
    erased = {
        date
        for date in _folders(lake, "tombstones/", _DATE)
        if f"conversation={conversation_id}/" in lake.list_folders(layout.tombstone_prefix(date))
    }
    return tuple(sorted(found | erased))


def organisation_of(lake: LakeStore, date: str) -> str:
    """Return whose day it is, by its first commit, or else by its media.

    Raises:
        ConfigurationError: when the lake holds nothing of the day.
        IntegrityError: when its first commit is none.
    """
    key = layout.commit_key(date, 1)
    body = lake.read(key)
    if body is not None:
        try:
            return str(read_document(body)["org"])
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(f"{lake.uri(key)} is no commit: it was altered.", key=key) from error
    owners = [org for org in _folders(lake, "media/", _ORG) if any(lake.list_keys(layout.media_day_prefix(org, date)))]
    if len(owners) != 1:
        raise ConfigurationError(f"{lake.location.uri} holds no commit of {date}: is the date right?")
    return owners[0]


def _folders(lake: LakeStore, prefix: str, name: str) -> list[str]:
    folders = (folder.rstrip("/") for folder in lake.list_folders(prefix))
    return [folder.removeprefix(name) for folder in folders if folder.startswith(name)]


def check_conversation_id(text: str) -> None:
    """Refuse what is no conversation's id, before it becomes part of a key.

    Raises:
        ConfigurationError: when it is none.
    """
    if not layout.is_uuid(text):
        raise ConfigurationError(f"CONVERSATION must be a conversation's id, not {text[:64]!r}")


def place_of(lake: LakeStore, conversation_id: str, date: str, zone: ZoneInfo) -> tuple[str, LocalDay]:
    """Return organisation and day of a conversation; ``date`` may be empty where the lake can tell.

    Raises:
        ConfigurationError: when the date is none, or the lake cannot tell; the message says what to give.
    """
    check_conversation_id(conversation_id)
    if not date:
        found = dates_of(lake, conversation_id)
        if len(found) != 1:
            where = f"on {', '.join(found)}" if found else "nowhere, or not as audio"
            raise ConfigurationError(f"{lake.location.uri} holds {conversation_id} {where}: give DATE=YYYY-MM-DD too")
        date = found[0]
    day = LocalDay.of(date, zone)
    return organisation_of(lake, str(day)), day
