"""Which parts in the lake are a recording as the source keeps it, and which are only some form of it.

One channel of two, and what the guide's media endpoint gives in a format of its own choice, are archived and proven
like any bytes; so was, in older lakes, a rendering that was asked for. They never stand in for the original: nothing is
recognised by them, and the day keeps asking for what they were made from.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from include.errors import IntegrityError
from include.lake import layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from include.lake.store import LakeStore

_OTHER_FORMS = ("requested_format", "may_be_rendering", "media_uri")


def is_original(source: Mapping[str, object]) -> bool:
    """Whether a part with this ``source`` in its metadata is the recording as the source keeps it.

    >>> is_original({"kind": "batch"}), is_original({"kind": "single", "media_uri": "0"})
    (True, False)
    """
    return not any(source.get(name) for name in _OTHER_FORMS)


def sources_of(lake: LakeStore, identity: layout.MediaIdentity, parts: Mapping[str, int]) -> list[dict[str, object]]:
    """Return where each of a recording's parts says that it came from; ``parts`` maps SHA-256 to number.

    Raises:
        IntegrityError: when the metadata of a part is none.
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    return [document["source"] for document in documents_of(lake, identity, parts)]


def has_original(lake: LakeStore, identity: layout.MediaIdentity, parts: Mapping[str, int]) -> bool:
    """Whether one of these parts is the recording as the source keeps it. Raises as ``sources_of``."""
    return any(is_original(source) for source in sources_of(lake, identity, parts))


def documents_of(
    lake: LakeStore, identity: layout.MediaIdentity, parts: Mapping[str, int]
) -> Iterator[dict[str, dict[str, object]]]:
    """Yield the metadata of each part. Raises as ``sources_of``."""
    for sha256, part in sorted(parts.items()):
        key = layout.metadata_key(replace(identity, part=part), sha256)
        try:
            document = json.loads(lake.read(key) or b"")
            source, media = document["source"], document["media"]
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(f"{lake.uri(key)} is no metadata of a recording.", key=key) from error
        if not (isinstance(source, dict) and isinstance(media, dict)):
            raise IntegrityError(f"{lake.uri(key)} is no metadata of a recording.", key=key)
        yield document
