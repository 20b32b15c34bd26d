"""Whether the lake has a recording as it is wanted: the reason why nothing is fetched twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from include.errors import IntegrityError
from include.lake import layout
from include.transfer.rendition import Rendition
from include.transfer.standing_derivatives import standing_derivatives

if TYPE_CHECKING:
    from include.lake.store import LakeStore
    from include.transfer.single_urls import Wanted
    from include.transfer.stored import StoredParts


def is_held(lake: LakeStore, org: str, date: str, wanted: Wanted, parts: StoredParts) -> bool:
    """Whether the original is archived and, where a format is wanted, is in it or has its copy beside it.

    Raises:
        IntegrityError: when the metadata of a part is none.
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    known = parts.get((wanted.conversation_id, wanted.recording_id), {})
    if wanted.output_format is None or not known:
        return bool(known)
    rendition = Rendition(wanted.output_format)
    made = standing_derivatives(lake, org, date, wanted.conversation_id).made
    places = (
        (layout.MediaIdentity(org, date, wanted.conversation_id, wanted.recording_id, part), sha256)
        for sha256, part in known.items()
    )
    return all(
        (*place, rendition.name) in made or _is_so_by_nature(lake, layout.metadata_key(*place), rendition)
        for place in places
    )


def _is_so_by_nature(lake: LakeStore, key: str, rendition: Rendition) -> bool:
    """A WAV is its own rendering: asked for as WAV, the source would give the same bytes again."""
    try:
        media = json.loads(lake.read(key) or b"")["media"]
        return rendition.is_met_by(media["media_type"], media.get("codec", ""), media.get("channels"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"{lake.uri(key)} is no metadata of a recording.", key=key) from error
