"""The document beside each recording: who called whom, and where the bytes come from; pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from include.canonical import canonical_json
from include.tool import tool
from include.transfer.channel_roles import channel_roles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from include.lake.layout import MediaIdentity
    from include.transfer.integrity import AudioFacts, Finding

SCHEMA = "recording-archive/recording/1"
BATCH, SINGLE, NATIVE_EXPORT = "batch", "single", "native_export"
"""The ways by which recordings come: ``Origin.kind``."""


DECLARED_CHARACTERS_MAX = 1_000_000
"""Whatever they are, a document with them stays below the 8 MiB in which the catalog reads it."""

MEDIA_TYPE_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a part came from: by which of the three ways, and when it was asked for and fetched.

    ``declared`` is the source's own JSON about it, as far as the policy on personal facts lets it be stored.
    ``requested_format`` is what the source was asked to render it as: that is no original, and stands among the
    derivatives.
    ``may_be_rendering``: the source chose the format and does not say whether it is the recording's own.
    ``media_uri`` is the source's key for one file of several that make up a recording: of a call, ``0`` and ``1`` are
    its channels.
    ``requested_at`` is when the job was submitted; when the part was stored says the bucket (``LastModified``).

    Of a zip that was read by ranges and never stood here whole, the digest is that of its directory: the list of its
    members with their sizes and CRC-32.
    """

    job_id: str
    url_host: str
    acquired_at: str
    etag: str | None = None
    declared_media_type: str | None = None
    archive_member: str | None = None
    archive_sha256: str | None = None
    archive_directory_sha256: str | None = None
    declared: str | None = None
    kind: str = BATCH
    requested_at: str | None = None
    requested_format: str | None = None
    may_be_rendering: bool | None = None
    media_uri: str | None = None


def storable(declared: str | None) -> str | None:
    """Return the source's own JSON about a file; of one too long for a document, its length and digest instead."""
    if declared is None or len(declared) <= DECLARED_CHARACTERS_MAX:
        return declared
    digest = hashlib.sha256(declared.encode("utf-8", "surrogatepass")).hexdigest()
    return json.dumps({"omitted_characters": len(declared), "omitted_sha256": digest})


def recording_document(  # noqa: PLR0913 - every fact of the document once
    identity: MediaIdentity,
    timezone: str,
    conversation: Mapping[str, object],
    *,
    key: str,
    size: int,
    sha256: str,
    media_type: str,
    audio: AudioFacts | None,
    findings: Sequence[Finding],
    origin: Origin,
    version_id: str | None = None,
) -> bytes:
    """Return the canonical metadata JSON of one part; ``version_id`` is that of the audio."""
    media: dict[str, object] = {"key": key, "bytes": size, "sha256": sha256, "media_type": media_type}
    if version_id is not None:
        media["version_id"] = version_id
    if audio is not None:
        media |= {name: value for name, value in asdict(audio).items() if value is not None}
        media["channel_roles"] = channel_roles(audio.channels, conversation, media_uri=origin.media_uri)
    return canonical_json(
        {
            "schema": SCHEMA,
            "org": identity.org,
            "date": identity.date,
            "timezone": timezone,
            "conversation_id": identity.conversation_id,
            "recording_id": identity.recording_id,
            "part": identity.part,
            "conversation": dict(conversation),
            "media": media,
            "source": {name: value for name, value in asdict(origin).items() if value is not None},
            "findings": [{"name": item.name, "ok": item.ok, "note": item.note} for item in findings],
            "tool": tool(),
        }
    )
