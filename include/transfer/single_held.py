"""Whether the lake has a recording in the format that is wanted: the reason why nothing is fetched twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from include.errors import IntegrityError
from include.lake import layout
from include.transfer.rendition import Rendition

if TYPE_CHECKING:
    from include.lake.store import LakeStore
    from include.transfer.single_urls import Wanted
    from include.transfer.stored import StoredParts


def is_held(lake: LakeStore, org: str, date: str, wanted: Wanted, parts: StoredParts) -> bool:
    """Whether one part is in the wanted format, by request or by nature; under the guide, which offers none, in any.

    Raises:
        IntegrityError: when the metadata of a part is none.
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    known = parts.get((wanted.conversation_id, wanted.recording_id), {})
    if wanted.by_media_id:
        return bool(known)
    places = (
        (layout.MediaIdentity(org, date, wanted.conversation_id, wanted.recording_id, part), sha256)
        for sha256, part in known.items()
    )
    return any(_is_in_format(lake, layout.metadata_key(*place), wanted.output_format) for place in places)


def _is_in_format(lake: LakeStore, key: str, output_format: str | None) -> bool:
    try:
        document = json.loads(lake.read(key) or b"")
        media, requested = document["media"], document["source"].get("requested_format")
        if output_format is None:
            return requested is None
        # A WAV is its own rendering: asked for as WAV, the source would give the same bytes again.
        by_nature = Rendition(output_format).is_met_by(media["media_type"], media.get("codec", ""), None)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"{lake.uri(key)} is no metadata of a recording.", key=key) from error
    return by_nature or requested == output_format.upper()
