"""What was made of a day's recordings, as the lake bears it out: the list that spares work, and the report."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from include.canonical import canonical_json
from include.errors import IntegrityError
from include.lake import key_reading, layout
from include.lake.store import JSON_TYPE
from include.transfer.copy_sums import REPORT, document_key, document_sums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from include.lake.key_reading import DerivedKey
    from include.lake.layout import MediaIdentity
    from include.lake.store import LakeStore

SCHEMA = "recording-archive/derivatives/1"

Place = tuple["MediaIdentity", str, str]
"""Identity and SHA-256 of the source, and the rendition's name."""


@dataclass(slots=True)
class Standing:
    """What stands below ``derived/``: whole derivatives, and the documents of those that could not be made.

    ``copies`` are the keys of the whole ones.
    """

    made: set[Place] = field(default_factory=set)
    copies: list[str] = field(default_factory=list)
    failures: dict[Place, list[str]] = field(default_factory=dict)


def standing_derivatives(lake: LakeStore, org: str, date: str, conversation_id: str = "") -> Standing:
    """List what was made, or found impossible, before: one walk over the derivatives of a day, or of a conversation."""
    standing = Standing()
    documents: set[str] = set()
    media: dict[str, DerivedKey] = {}
    day = layout.derived_day_prefix(org, date)
    prefix = layout.derived_conversation_prefix(org, date, conversation_id) if conversation_id else day
    for key in lake.list_keys(prefix):
        found = key_reading.DerivedKey.parse(key)
        if found is None:
            continue
        if found.extension == layout.FAILURE_EXTENSION:
            standing.failures.setdefault(_place(found), []).append(key)
        elif found.extension == layout.METADATA_EXTENSION:
            documents.add(key)
        else:
            media[key] = found
    standing.copies += [key for key, found in media.items() if document_key(found) in documents]
    standing.made |= {_place(media[key]) for key in standing.copies}
    return standing


def write_report(lake: LakeStore, org: str, date: str) -> Mapping[str, object]:
    """Write which derivatives the day has and which cannot be made, as the lake bears it out; return the document.

    Says nothing of this run alone, so that a run that makes nothing writes nothing.

    Raises:
        IntegrityError: when a document that says why there is no copy is none.
        LakeUnavailable, NotAuthorised, ConfigurationError: as the lake raises them.
    """
    standing = standing_derivatives(lake, org, date)
    failures = []
    for place, keys in sorted(standing.failures.items(), key=lambda entry: entry[1]):
        if place not in standing.made:
            failures += [_failure(lake, key) for key in keys]
    document = {
        "schema": SCHEMA,
        "org": org,
        "date": date,
        "derivatives": dict(Counter(name for _, _, name in standing.made)),
        "copies": document_sums(lake, date, standing.copies),
        "failures": failures,
    }
    key = layout.report_key(date, REPORT)
    # Where there is nothing any more, since somebody was erased, what was said of it before must not stand.
    if standing.made or failures or lake.head(key) is not None:
        lake.put_latest(key, canonical_json(document), JSON_TYPE)
    return document


def _failure(lake: LakeStore, key: str) -> dict[str, object]:
    document = read_json(lake, key)
    try:
        return {"key": key, **{name: document[name] for name in ("derived_from", "rendition", "reason", "word")}}
    except KeyError as error:
        raise IntegrityError(f"{lake.uri(key)} is no document of the archive.", key=key) from error


def read_json(lake: LakeStore, key: str) -> dict[str, Any]:
    """Return a document that the archive wrote.

    Raises:
        IntegrityError: when it is missing, or no JSON object.
    """
    body = lake.read(key)
    try:
        document = json.loads(body or b"")
    except ValueError as error:
        raise IntegrityError(f"{lake.uri(key)} is missing or damaged.", key=key) from error
    if not isinstance(document, dict):
        raise IntegrityError(f"{lake.uri(key)} is no document of the archive.", key=key)
    return document


def _place(found: DerivedKey) -> Place:
    return found.identity, found.source_sha256, found.rendition
