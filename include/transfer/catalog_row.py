"""One archived part as a row of the catalog, from the manifest's item, its metadata and the bucket's word; pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from include.transfer.metadata import BATCH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from include.lake.catalog import Row
    from include.outcome import ItemRecord

TEXTS = (
    "direction", "ani", "ani_e164", "ani_raw", "dnis", "dnis_e164", "dnis_raw", "external_tag", "flagged_reason",
)  # fmt: skip
LISTS = ("media_types", "agents", "queues", "wrap_up_codes", "wrap_up_tags", "wrap_up_notes", "division_ids")
SOUND = ("codec", "channels", "sample_rate_hz", "duration_milliseconds")


def catalog_row(item: ItemRecord, document: Mapping[str, object], stored_at: datetime) -> Row:
    """Return the row; what an older version of the archive did not write is null or empty.

    Raises:
        KeyError, TypeError, ValueError: when the document is no metadata of a recording.
    """
    facts, media, source = (cast("dict[str, object]", document[name]) for name in ("conversation", "media", "source"))
    pii = cast("dict[str, object]", facts.get("pii") or {})
    started, ended = _moment(facts.get("start")), _moment(facts.get("end"))
    return {
        "org": document["org"],
        "conversation_id": item.conversation_id,
        "recording_id": item.recording_id,
        "part": item.part,
        "timezone": document["timezone"],
        "started_at": started,
        "ended_at": ended,
        "conversation_milliseconds": round((ended - started).total_seconds() * 1000) if started and ended else None,
        **{name: facts.get(name) for name in TEXTS},
        **{name: facts.get(name) or [] for name in LISTS},
        "pii_masked": pii.get("masked") or [],
        "pii_dropped": pii.get("dropped") or [],
        **{name: media.get(name) for name in SOUND},
        "media_type": item.media_type,
        "bytes": item.bytes,
        "sha256": item.sha256,
        "key": item.key,
        "version_id": item.version_id or None,
        "metadata_key": item.metadata_key,
        "metadata_sha256": item.metadata_sha256,
        "source": source.get("kind") or BATCH,
        "job_id": source.get("job_id"),
        "url_host": source.get("url_host"),
        "requested_at": _moment(source.get("requested_at")),
        "acquired_at": _moment(source.get("acquired_at")),
        "stored_at": stored_at,
        "tool_version": cast("dict[str, object]", document.get("tool") or {}).get("version"),
    }


def _moment(text: object) -> datetime | None:
    """Return the moment to the millisecond, as the catalog counts; Arrow refuses to cut it silently."""
    if text is None:
        return None
    moment = datetime.fromisoformat(str(text)).astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
