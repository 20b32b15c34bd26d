"""Archived parts as what copies are made of: read from the documents beside them, never from a name."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from include.errors import IntegrityError
from include.lake import layout
from include.transfer.channel_roles import channel_roles
from include.transfer.derivative_document import Original
from include.transfer.originals import is_original
from include.transfer.standing_derivatives import read_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from include.lake.store import LakeStore
    from include.outcome import ItemRecord


def worth_copying(parts: Iterable[Original]) -> list[Original]:
    """Return the parts of which copies are made, each with the number of those that its recording has.

    Where the lake has a recording as the source keeps it, nothing is made of other forms of it.
    """
    found = list(parts)
    whole = {_recording(item) for item in found if not item.in_other_form}
    kept = [item for item in found if not item.in_other_form or _recording(item) not in whole]
    counts = Counter(map(_recording, kept))
    return [replace(item, parts=counts[_recording(item)]) for item in kept]


def _recording(item: Original) -> tuple[str, str]:
    return item.identity.conversation_id, item.identity.recording_id


def read_original(lake: LakeStore, org: str, date: str, item: ItemRecord) -> Original:
    """Return what the metadata beside an archived part says of it.

    Raises:
        IntegrityError: when there is none, or it is none of a recording.
    """
    document = read_json(lake, item.metadata_key)
    try:
        media, conversation, source = document["media"], document["conversation"], document.get("source") or {}
        queues = [str(entry[name]) for entry in conversation.get("queues") or () for name in ("name", "id")]
        return Original(
            identity=layout.MediaIdentity(org, date, item.conversation_id, item.recording_id, item.part),
            key=item.key,
            sha256=item.sha256,
            bytes=item.bytes,
            media_type=item.media_type,
            codec=str(media.get("codec") or ""),
            channels=media.get("channels"),
            milliseconds=media.get("duration_milliseconds"),
            roles=tuple(channel_roles(media.get("channels"), conversation, media_uri=source.get("media_uri"))),
            queues=tuple(queues),
            divisions=tuple(str(item) for item in conversation.get("division_ids") or ()),
            in_other_form=not is_original(source),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"{lake.uri(item.metadata_key)} is no metadata of a recording.") from error
