"""Whether the lake has a recording as it is wanted: the reason why nothing is fetched twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from include.errors import IntegrityError
from include.lake import layout
from include.transfer.channel_roles import CHANNEL_KEYS
from include.transfer.originals import documents_of
from include.transfer.rendition import Rendition
from include.transfer.standing_derivatives import standing_derivatives

if TYPE_CHECKING:
    from collections.abc import Mapping

    from include.lake.store import LakeStore
    from include.transfer.single_urls import Wanted
    from include.transfer.stored import StoredParts


def is_held(lake: LakeStore, org: str, date: str, wanted: Wanted, parts: StoredParts) -> bool:
    """Whether the original is archived and, where a format is wanted, is in it or has its copy beside it.

    Where it came channel by channel, all channels must be here. Of the guide's media nobody knows what the original is.

    Raises:
        IntegrityError: when the metadata of a part is none.
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    known = parts.get((wanted.conversation_id, wanted.recording_id), {})
    if not known:
        return False
    identity = layout.MediaIdentity(org, date, wanted.conversation_id, wanted.recording_id, 0)
    documents = list(documents_of(lake, identity, known))
    if wanted.output_format is None:
        return wanted.by_media_id or _is_whole(documents)
    rendition = Rendition(wanted.output_format)
    made = standing_derivatives(lake, org, date, wanted.conversation_id).made
    numbered = sorted(known.items())  # as their documents are
    return all(
        (replace(identity, part=part), sha256, rendition.name) in made or _is_so_by_nature(document, rendition)
        for (sha256, part), document in zip(numbered, documents, strict=True)
    )


def _is_so_by_nature(document: Mapping[str, Mapping[str, Any]], rendition: Rendition) -> bool:
    """A WAV is its own rendering: asked for as WAV, the source would give the same bytes again."""
    media = document["media"]
    try:
        return rendition.is_met_by(media["media_type"], media.get("codec", ""), media.get("channels"))
    except KeyError as error:
        raise IntegrityError("The metadata of a recording has no media type.") from error


def _is_whole(documents: list[dict[str, dict[str, Any]]]) -> bool:
    sources = [item["source"] for item in documents]
    kept = [item for item in sources if not (item.get("requested_format") or item.get("may_be_rendering"))]
    keys = {item.get("media_uri") for item in kept}
    return None in keys or keys.issuperset(CHANNEL_KEYS)
