"""Whose recording it is, and under which day it lies, by as much or as little as somebody knows of it.

A media id of the guide is the hard case: its metadata is ``{id, format, size, downloadUrl}`` and names no call. Then
the lake is asked, and the day of the call where one is given. What is left is filed under a day that no call has.
"""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.errors import ConfigurationError, NotAuthorised, RecordingGone
from include.lake import key_reading, layout
from include.lake.catalog_search import place_of_recording
from include.lake.manifest import Manifest
from include.lake.tombstone import conversations_of
from include.lake.whereabouts import dates_of
from include.local_day import LocalDay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from include.genesys.models import Conversation, RecordingMetadata
    from include.lake.store import LakeStore
    from include.settings import ArchiveSettings
    from include.transfer.single_plan import PlanSource, SingleWish

log = logging.getLogger(__name__)
_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class SinglePlace:
    """A conversation and its day; ``found`` is what analytics says of it, ``None`` where it knows it no more."""

    conversation_id: str
    day: LocalDay
    found: Conversation | None

    @property
    def is_of_unknown_call(self) -> bool:
        """Whether it stands for a media object whose call nobody knows: the conversation's id is then the media's."""
        return str(self.day) == layout.UNKNOWN_CALL_DATE


def place_of(source: PlanSource, lake: LakeStore, settings: ArchiveSettings, org: str, wish: SingleWish) -> SinglePlace:
    """Return where a recording belongs.

    Raises:
        ConfigurationError: when nobody knows it, or it was erased on request.
        RetriableError, PermanentError: as the source and the lake raise them.
    """
    if wish.media_id:
        _refuse_erased_media(lake, wish.media_id)
    conversation_id = wish.conversation_id or _conversation_of(source, lake, settings, org, wish)
    if conversation_id is None:
        _refuse_media_named_by_an_erased_call(lake, org, wish.media_id)
        log.warning("Nobody says whose media %s is; with the DATE of its call it would be filed there", wish.media_id)
        return SinglePlace(wish.media_id, LocalDay.of(layout.UNKNOWN_CALL_DATE, settings.timezone), None)
    try:
        found = source.conversation(conversation_id)
    except RecordingGone:
        found = None
    return SinglePlace(conversation_id, _day_of(lake, settings, conversation_id, found), found)


def listed_recordings(source: PlanSource, conversation_id: str) -> Sequence[RecordingMetadata] | None:
    """Return what the source lists; ``None`` where it refuses this conversation, which is said when it is archived."""
    try:
        return source.recording_metadata(conversation_id)
    except RecordingGone:
        return None
    except NotAuthorised as error:
        if error.status != _FORBIDDEN:
            raise
        return None


def refuse_other_call(
    source: PlanSource, conversation_id: str, media_id: str, listed: Sequence[RecordingMetadata] | None
) -> None:
    """Stop at media that the source lists, or by their own metadata, with another call: the guide asks by media alone.

    Raises:
        ConfigurationError: when they are.
        RetriableError, PermanentError: as the source raises them.
    """
    if listed is not None and media_id not in {item.recording_id for item in listed}:
        raise ConfigurationError(f"Conversation {conversation_id} has no recording {media_id}: are both ids right?")
    try:
        named = source.guide_media(media_id).conversation_id if listed is None else None
    except RecordingGone:
        return  # said by the task that fetches
    if named is not None and named != conversation_id:
        raise ConfigurationError(f"Media {media_id} is of conversation {named}, not {conversation_id}.")


def _conversation_of(
    source: PlanSource, lake: LakeStore, settings: ArchiveSettings, org: str, wish: SingleWish
) -> str | None:
    """Return whose media it is: by its own metadata, by the lake, or by asking about each conversation of the day."""
    try:
        named, is_gone = source.guide_media(wish.media_id).conversation_id, False
    except RecordingGone:
        named, is_gone = None, True
    if named is not None and layout.is_uuid(named):
        return named
    if wish.date:
        return _of_day(source, lake, settings, org, wish)
    place = place_of_recording(lake, wish.media_id)
    if place is None and is_gone:
        raise ConfigurationError(f"Neither Genesys nor {lake.location.uri} knows media {wish.media_id}.")
    # Filed under no call: under the same id again, which is the media's own.
    return place[0] if place is not None and place[1] != layout.UNKNOWN_CALL_DATE else None


def _of_day(source: PlanSource, lake: LakeStore, settings: ArchiveSettings, org: str, wish: SingleWish) -> str:
    day = LocalDay.of(wish.date, settings.timezone)
    for key in map(key_reading.MediaKey.parse, lake.list_keys(layout.media_day_prefix(org, str(day)))):
        if key is not None and key.identity.recording_id == wish.media_id:
            return key.identity.conversation_id
    with closing(source.find_conversations(day.start, day.end)) as found:
        for conversation_id in sorted({*found.by_id, *found.undated}):
            listed = listed_recordings(source, conversation_id)
            if any(item.recording_id == wish.media_id for item in listed or ()):
                return conversation_id
    raise ConfigurationError(f"No conversation of {day} has the media {wish.media_id}: is the date right?")


def _day_of(lake: LakeStore, settings: ArchiveSettings, conversation_id: str, found: Conversation | None) -> LocalDay:
    if found is not None:
        return LocalDay(found.start.astimezone(settings.timezone).date(), settings.timezone)
    dates = [date for date in dates_of(lake, conversation_id) if date != layout.UNKNOWN_CALL_DATE]
    if len(dates) != 1:
        raise ConfigurationError(f"Neither Genesys nor {lake.location.uri} knows conversation {conversation_id}.")
    return LocalDay.of(dates[0], settings.timezone)


def _refuse_erased_media(lake: LakeStore, media_id: str) -> None:
    """Stop at media of a conversation that was erased, by whatever id: its tombstone names its keys."""
    folder = f"/recording={media_id}/".encode()
    for key in lake.list_keys(layout.TOMBSTONES):
        if key_reading.tombstone_conversation(key) is not None and folder in (lake.read(key) or b""):
            raise ConfigurationError(
                f"Media {media_id} was erased on request and is not fetched again: {lake.uri(key)} says who and why."
            )


def _refuse_media_named_by_an_erased_call(lake: LakeStore, org: str, media_id: str) -> None:
    """Stop at media that an erased conversation had and the lake never held: only its day's manifests know whose.

    They are read for nothing but this: media of which nobody else says whose it is.
    """
    tombstones = list(lake.list_keys(layout.TOMBSTONES))
    for date in sorted({key_reading.tombstone_date(key) for key in tombstones} - {""}):
        erased = conversations_of(key for key in tombstones if key_reading.tombstone_date(key) == date)
        for key in lake.list_keys(layout.manifest_prefix(date)):
            for item in Manifest.read(lake, key, org, date).items:
                if item.recording_id == media_id and item.conversation_id in erased:
                    raise ConfigurationError(
                        f"Media {media_id} was erased on request and is not fetched again: "
                        f"{lake.uri(erased[item.conversation_id])} says who and why."
                    )
