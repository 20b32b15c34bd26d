"""One derivative: the original out of the lake, through the decoder's process, and beside it back into the lake.

The original was archived and read back before, and is only read here. Whatever is wrong with its sound is a value
(``Failed``) and a document in the lake; only trouble with the lake or this machine is raised.
"""

from __future__ import annotations

import hashlib
import io
import logging
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

from include.canonical import sha256_hex
from include.lake import layout
from include.transfer.derivative_document import Derived, derivative_document, failure_document
from include.transfer.disk import disk_errors, made_folder
from include.transfer.integrity import examine, verdict
from include.transfer.rendition import MONO
from include.transfer.transcode_failure import Failed, Reason
from include.transfer.transcode_process import run_transcode

if TYPE_CHECKING:
    from pathlib import Path

    from include.lake.store import LakeStore
    from include.transfer.derivative_document import Original
    from include.transfer.integrity import Inspection
    from include.transfer.rendition import Rendition
    from include.transfer.transcode_process import Made, TranscodeLimits

log = logging.getLogger(__name__)
DURATION_SLACK_MILLISECONDS = 50
MP3_PADDING_SAMPLES = 4 * 1152
"""What an MP3's frames hold beyond its sound: the delays of encoder and decoder, and the last frame's rest."""
_BLOCK_BYTES = 1024 * 1024
_DEMUXERS = {"wav": "wav", "ogg": "ogg", "mp3": "mp3", "webm": "matroska", "mkv": "matroska", "flac": "flac"} | {
    "mp4": "mp4", "m4a": "mp4", "amr": "amr",
}  # fmt: skip
"""FFmpeg's names for what ``integrity`` knows by its bytes."""
_MEDIA_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where derivatives are made; shared by threads."""

    lake: LakeStore
    limits: TranscodeLimits
    work_folder: Path


def make_derivative(workshop: Workshop, original: Original, rendition: Rendition) -> Derived | Failed:
    """Make one derivative and put it into the lake, or the document that says why there is none.

    Raises:
        LakeUnavailable, LakeConflict, IntegrityError, NotAuthorised: as the lake raises them.
        QuotaExceeded, ConfigurationError: when this machine's disk or settings are the reason.
    """
    folder = str(made_folder(workshop.work_folder))
    with disk_errors(), TemporaryFile(dir=folder) as source, TemporaryFile(dir=folder) as target:
        outcome = _transcoded(workshop, original, rendition, cast("BinaryIO", source), cast("BinaryIO", target))
        if isinstance(outcome, Failed):
            return _failed(workshop.lake, original, rendition, outcome)
        return _kept(workshop.lake, original, rendition, outcome, cast("BinaryIO", target))


def _transcoded(
    workshop: Workshop, original: Original, rendition: Rendition, source: BinaryIO, target: BinaryIO
) -> Made | Failed:
    digest = hashlib.sha256()
    for piece in workshop.lake.chunks(original.key):
        digest.update(piece)
        source.write(piece)
    source.flush()
    if digest.hexdigest() != original.sha256:
        return Failed(Reason.SOURCE_ALTERED, "the bytes in the bucket are not those of the key")
    demuxer = _DEMUXERS[original.key.rpartition(".")[2]]
    made = run_transcode(source, target, demuxer, rendition, workshop.limits)
    return made if isinstance(made, Failed) else _checked(original, rendition, made, target)


def _checked(original: Original, rendition: Rendition, made: Made, target: BinaryIO) -> Made | Failed:
    """Look at what the process left, by the same walk that every recording passes: its word alone is not enough."""
    inspection = examine(target, target.seek(0, io.SEEK_END), _MEDIA_TYPES[rendition.derived_format])
    refusal = verdict(inspection.findings)
    if refusal is not None or not _is_as_asked(inspection, rendition, made):
        return Failed(Reason.NOT_AS_ASKED, refusal.note if refusal else "another format, number of channels or length")
    if original.milliseconds is not None:
        allowed = allowed_milliseconds(original.codec, made.sample_rate_hz)
        if abs(made.milliseconds - original.milliseconds) > allowed:
            return Failed(
                Reason.DURATION_DIFFERS,
                f"{made.milliseconds} ms were decoded, the original lasts {original.milliseconds} ms",
            )
    return made


def _is_as_asked(inspection: Inspection, rendition: Rendition, made: Made) -> bool:
    kind, audio = inspection.kind, inspection.audio
    if kind is None or audio is None or audio.duration_milliseconds is None:
        return False
    channels = 1 if rendition.channels == MONO else made.source_channels
    off = abs(audio.duration_milliseconds - made.milliseconds)
    return (
        kind.name == rendition.derived_format
        and audio.channels == made.channels == channels
        and off <= allowed_milliseconds(audio.codec, made.sample_rate_hz)
    )


def allowed_milliseconds(codec: str, sample_rate_hz: int) -> int:
    """Return by how much a length that a container of this codec states may differ from that of its sound."""
    padding = MP3_PADDING_SAMPLES * 1000 // sample_rate_hz if codec == "mp3" else 0
    return DURATION_SLACK_MILLISECONDS + padding


def _kept(lake: LakeStore, original: Original, rendition: Rendition, made: Made, target: BinaryIO) -> Derived:
    size, sha256 = _digest(target)
    derived = derived_of(original, rendition, size, sha256, made.channels)
    put_derivative(lake, original, rendition, derived, target, derivative_document(original, rendition, made, derived))
    return derived


def derived_of(original: Original, rendition: Rendition, size: int, sha256: str, channels: int) -> Derived:
    """Return where these bytes belong as a derivative of the original, and who speaks on each of its channels."""
    key = layout.derived_key(original.identity, original.sha256, rendition.name, sha256, rendition.derived_format)
    roles = ("both",) if channels == 1 else original.roles
    return Derived(key, sha256, size, _MEDIA_TYPES[rendition.derived_format], roles)


def put_derivative(
    lake: LakeStore, original: Original, rendition: Rendition, derived: Derived, sound: BinaryIO, document: bytes
) -> None:
    """Put data before anything that refers to it: the sound, then its document.

    Raises:
        LakeUnavailable, LakeConflict, IntegrityError, NotAuthorised: as the lake raises them.
    """
    size, sha256 = derived.bytes, derived.sha256
    lake = lake.kept_for(original.queues, original.divisions)
    put = lake.put_if_absent(derived.key, sound, bytes_=size, sha256=sha256, media_type=derived.media_type)
    lake.put_first(layout.derived_metadata_key(original.identity, original.sha256, rendition.name, sha256), document)
    log.info(
        "recording_id=%s part=%d derivative=%s outcome=made bytes=%d sha256=%s created=%s",
        original.identity.recording_id, original.identity.part, rendition.name, size, sha256, put.created,
    )  # fmt: skip


def _failed(lake: LakeStore, original: Original, rendition: Rendition, failed: Failed) -> Failed:
    body = failure_document(original, rendition, failed)
    place = (original.identity, original.sha256, rendition.name, sha256_hex(body))
    lake.put_document(layout.derived_failure_key(*place), body)
    log.warning(
        "recording_id=%s part=%d derivative=%s outcome=failed reason=%s word=%s",
        original.identity.recording_id, original.identity.part, rendition.name, failed.reason, failed.word,
    )  # fmt: skip
    return failed


def _digest(target: BinaryIO) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    target.seek(0)
    while block := target.read(_BLOCK_BYTES):
        digest.update(block)
        size += len(block)
    return size, digest.hexdigest()
