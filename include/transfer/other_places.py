"""Where else one conversation lies: what an erasure or a hold of it has to reach beside its own day.

Its start may have moved over midnight between two looks, or the export may have filed it by another hour: then two
days have it. And what was fetched by a media id alone, before anybody knew whose it was, lies under no call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.lake import key_reading, layout
from include.lake.erasures import erasures_of
from include.lake.plan import day_plans_of, read_expected
from include.lake.whereabouts import dates_of
from include.local_day import ONE_DAY, LocalDay
from include.transfer.conversation_objects import objects_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from include.lake.store import LakeStore


def places_of(lake: LakeStore, org: str, day: LocalDay, conversation_id: str) -> tuple[tuple[LocalDay, str], ...]:
    """Return each day and id under which the conversation lies, the day that was asked for first.

    Raises:
        IntegrityError: a manifest or a plan of one of these days was altered.
        LakeUnavailable, NotAuthorised, ConfigurationError: as the lake raises them.
    """
    # By every version: what a delete marker hides is there as well.
    refused = frozenset(version.key for version in lake.versions.list(layout.QUARANTINE))
    days = (day, *_other_days(lake, org, day, conversation_id, refused))
    unknown = LocalDay.of(layout.UNKNOWN_CALL_DATE, day.zone)
    there = layout.quarantine_prefix(layout.UNKNOWN_CALL_DATE)
    refused_there = {key_reading.conversation_in(key) for key in refused if key.startswith(there)}
    recordings = {item for each in days for item in objects_of(lake, org, each, conversation_id).recording_ids}
    copies = [
        (unknown, recording_id)
        for recording_id in sorted(recordings - {conversation_id})
        if recording_id in refused_there
        or any(lake.versions.list(layout.conversation_prefix(org, str(unknown), recording_id)))
    ]
    return (*((each, conversation_id) for each in days), *copies)


def _other_days(
    lake: LakeStore, org: str, day: LocalDay, conversation_id: str, refused: Collection[str]
) -> Iterator[LocalDay]:
    """Yield the days that have audio, a tombstone or refused bytes of it, and those beside its own that expect it.

    Of a conversation that was erased before, a day that only expects it is none: its manifest calls it erased.
    """
    own = (key for key in refused if key_reading.conversation_in(key) == conversation_id)
    dates = {*dates_of(lake, conversation_id), *key_reading.dates_in(own)}
    if str(day) != layout.UNKNOWN_CALL_DATE:
        beside = (LocalDay(day.date + shift * ONE_DAY, day.zone) for shift in (-1, 1))
        before = conversation_id in erasures_of(lake, "")
        dates |= {str(each) for each in beside if _concerns(lake, org, each, conversation_id, erased_before=before)}
    for date in sorted(dates - {str(day), layout.UNKNOWN_CALL_DATE}):
        yield LocalDay.of(date, day.zone)


def _concerns(lake: LakeStore, org: str, day: LocalDay, conversation_id: str, *, erased_before: bool) -> bool:
    if not _is_expected(lake, org, day, conversation_id):
        return False
    return not erased_before or bool(objects_of(lake, org, day, conversation_id).versions)


def _is_expected(lake: LakeStore, org: str, day: LocalDay, conversation_id: str) -> bool:
    """Whether a plan of the day names it: shard plans know who called before anything is archived."""
    date = str(day)
    return any(conversation_id in read_expected(lake, key, org, date) for key in day_plans_of(lake, date))
