"""The documents beside a derivative, and in place of one that cannot be made; pure.

They hold no time and no machine: a run that crashed and runs again writes the same bytes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from include.canonical import canonical_json
from include.tool import tool

if TYPE_CHECKING:
    from include.lake.layout import MediaIdentity
    from include.transfer.integrity import AudioFacts
    from include.transfer.metadata import Origin
    from include.transfer.rendition import Rendition
    from include.transfer.transcode_failure import Failed
    from include.transfer.transcode_process import Made

MADE_SCHEMA = "recording-archive/derivative/1"
RENDERED_BY = {"name": "genesys_cloud"}
"""The transcoder of what the source rendered; its version nobody says."""
FAILED_SCHEMA = "recording-archive/derivative-failure/1"


@dataclass(frozen=True, slots=True)
class Original:
    """The archived part that a derivative is made of, by its own metadata.

    ``roles`` are who speaks on each channel; ``parts`` is of how many parts the recording is archived. One that is
    ``in_other_form`` is not as the source keeps it, such as one channel of two.
    """

    identity: MediaIdentity
    key: str
    sha256: str
    bytes: int
    media_type: str
    codec: str
    channels: int | None
    milliseconds: int | None
    roles: tuple[str, ...]
    queues: tuple[str, ...]
    divisions: tuple[str, ...] = ()
    parts: int = 1
    in_other_form: bool = False


@dataclass(frozen=True, slots=True)
class Derived:
    """The bytes of a derivative, as an examination of them found."""

    key: str
    sha256: str
    bytes: int
    media_type: str
    roles: tuple[str, ...]


def transcoder() -> dict[str, str]:
    """Return what decodes and encodes: PyAV's wheel brings its own FFmpeg, so that its version names both."""
    return {"name": "pyav", "version": version("av")}


def _kept(derived: Derived) -> dict[str, object]:
    """Return what both kinds of document say of the copy itself."""
    return {
        "key": derived.key,
        "sha256": derived.sha256,
        "bytes": derived.bytes,
        "media_type": derived.media_type,
        "channel_roles": list(derived.roles),
    }


def derivative_document(original: Original, rendition: Rendition, made: Made, derived: Derived) -> bytes:
    """Return the document beside a derivative."""
    return canonical_json(
        {
            "schema": MADE_SCHEMA,
            **_of(original, rendition),
            "media": {
                **_kept(derived),
                "codec": made.codec,
                "channels": made.channels,
                "sample_rate_hz": made.sample_rate_hz,
                "samples": made.samples,
                "duration_milliseconds": made.milliseconds,
            },
            "parameters": {"filters": made.filters, "bit_rate": made.bit_rate, "decoder": made.source_codec},
            "transcoder": {**transcoder(), "ffmpeg": made.ffmpeg},
            "tool": tool(),
        }
    )


def rendered_document(
    original: Original, rendition: Rendition, audio: AudioFacts, derived: Derived, origin: Origin
) -> bytes:
    """Return the document beside a derivative that the source rendered; it says from which job it came."""
    return canonical_json(
        {
            "schema": MADE_SCHEMA,
            **_of(original, rendition),
            "media": {
                **_kept(derived),
                **{name: value for name, value in asdict(audio).items() if value is not None},
            },
            "transcoder": RENDERED_BY,
            "source": {name: value for name, value in asdict(origin).items() if value is not None},
            "tool": tool(),
        }
    )


def failure_document(original: Original, rendition: Rendition, failed: Failed) -> bytes:
    """Return the document that says why there is no derivative."""
    return canonical_json(
        {
            "schema": FAILED_SCHEMA,
            **_of(original, rendition),
            "reason": failed.reason,
            "word": failed.word,
            "transcoder": transcoder(),
        }
    )


def _of(original: Original, rendition: Rendition) -> dict[str, object]:
    identity = original.identity
    return {
        "org": identity.org,
        "date": identity.date,
        "conversation_id": identity.conversation_id,
        "recording_id": identity.recording_id,
        "part": identity.part,
        "derived_from": {"key": original.key, "sha256": original.sha256, "bytes": original.bytes},
        "rendition": {"format": rendition.derived_format, "channels": rendition.channels},
    }
