"""An archived part as what is made of it: read from the document beside it, never from a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.errors import IntegrityError
from include.lake import layout
from include.transfer.channel_roles import channel_roles
from include.transfer.derivative_document import Original
from include.transfer.standing_derivatives import read_json

if TYPE_CHECKING:
    from include.lake.store import LakeStore
    from include.outcome import ItemRecord


def read_original(lake: LakeStore, org: str, date: str, item: ItemRecord, parts: int = 1) -> Original:
    """Return what the metadata beside an archived part says of it; ``parts`` is how many its recording has.

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
            parts=parts,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"{lake.uri(item.metadata_key)} is no metadata of a recording.") from error
