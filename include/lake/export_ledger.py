"""Which exported objects are settled, one small document for each hour of the export.

A watermark in time would skip what arrives late under an old hour. So every hour of the window is listed again, and an
object is new when its key is not here or stands here with another ETag. The ledger only saves work: an entry that was
lost costs a second look at an object that the lake then recognises.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from include.canonical import canonical_json
from include.lake import layout
from include.lake.store import JSON_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from include.lake.store import LakeStore

SCHEMA = "recording-archive/export-ledger/1"


def settled_objects(lake: LakeStore, org: str, hour: datetime) -> dict[str, str]:
    """Return key to ETag of an hour's settled objects; a document that cannot be read counts as none.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: as the lake raises them.
    """
    body = lake.read(layout.export_ledger_key(org, hour))
    try:
        known = json.loads(body or b"{}").get("objects", {})
        return {str(key): str(etag) for key, etag in known.items()}
    except (ValueError, AttributeError):
        return {}


def settle(lake: LakeStore, org: str, hour: datetime, objects: Mapping[str, str]) -> bool:
    """Remember an hour's settled objects; tell whether that was news. Raises as ``settled_objects``."""
    known = settled_objects(lake, org, hour)
    if known | dict(objects) == known:
        return False
    document = {"schema": SCHEMA, "org": org, "hour": hour.isoformat(), "objects": known | dict(objects)}
    return lake.put_latest(layout.export_ledger_key(org, hour), canonical_json(document), JSON_TYPE)
