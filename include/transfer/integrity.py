"""Are these bytes a whole recording? Findings as data; one place decides which of them stops the item.

A good signature proves nothing about the end of a file, so each format is walked by its own lengths and checksums,
at constant memory. Nothing here decodes sound, and nothing raises for a bad file.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from include.transfer.media import amr, document, ebml, flac, mp3, mp4, ogg, wav
from include.transfer.media.signature import HEAD_BYTES, MediaKind, sniff
from include.transfer.media.structure import AudioFacts, Malformed, Structure, Window

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HEAD_BYTES", "AudioFacts", "Finding", "Inspection", "MediaKind", "examine", "inspect", "sniff", "verdict"]

_WALKS: dict[str, Callable[[Window], Structure]] = {
    "wav": wav.walk,
    "ogg": ogg.walk,
    "mp3": mp3.walk,
    "webm": ebml.walk,
    "mkv": ebml.walk,
    "flac": flac.walk,
    "mp4": mp4.walk,
    "m4a": mp4.walk,
    "amr": amr.walk,
    "json": document.walk_json,
    "eml": document.walk_any,
}
DURATION_SLACK_PART = 20
DURATION_SLACK_MILLISECONDS = 2000
"""Call legs are declared by signalling times, which lie a little outside of the sound; encoders pad."""

_SAYS_NOTHING = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/x-download"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. A ``required`` one that is not ``ok`` keeps the item out of the archive."""

    name: str
    ok: bool
    required: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything one look at a file found. ``kind`` comes from the bytes alone."""

    kind: MediaKind | None
    findings: tuple[Finding, ...]
    audio: AudioFacts | None = None


def inspect(stream: BinaryIO, size: int, declared_content_type: str | None) -> tuple[Finding, ...]:
    """Return the findings of ``examine``."""
    return examine(stream, size, declared_content_type).findings


def verdict(findings: tuple[Finding, ...]) -> Finding | None:
    """Return the first required finding that failed, or ``None`` when the item may be archived."""
    return next((finding for finding in findings if finding.required and not finding.ok), None)


def examine(
    stream: BinaryIO, size: int, declared_content_type: str | None, declared_milliseconds: int | None = None
) -> Inspection:
    """Check a file: not empty, of a known kind, as declared, whole, with sound in it.

    Args:
        stream: the file, seekable; its position afterwards is undefined.
        size: its length in bytes.
        declared_content_type: what the source called it; only compared, never believed.
        declared_milliseconds: how long the source says it is; likewise.

    Returns:
        The findings in the order of the checks. Later checks are left out where an earlier one makes them void.
    """
    not_empty = Finding("not_empty", size > 0, required=True, note="" if size else "the file has no bytes")
    if size == 0:
        return Inspection(None, (not_empty,))
    stream.seek(0, io.SEEK_SET)
    kind = sniff(stream.read(HEAD_BYTES))
    findings: tuple[Finding, ...] = (not_empty, _known(kind))
    if kind is None or kind.name not in _WALKS:
        return Inspection(kind, findings)
    findings = (*findings, _declared(kind, declared_content_type))
    try:
        structure = _WALKS[kind.name](Window(stream, size))
    except Malformed as error:
        return Inspection(kind, (*findings, Finding("structure_whole", ok=False, required=True, note=str(error))))
    findings = (*findings, Finding("structure_whole", ok=True, required=True, note="; ".join(structure.notes)))
    if kind.audio:
        note = "headers, and no sound" if structure.empty else ""
        findings = (*findings, Finding("contains_sound", ok=not structure.empty, required=False, note=note))
    audio = structure.audio.credible() if structure.audio else None
    if audio and declared_milliseconds and audio.duration_milliseconds is not None:
        findings = (*findings, _lasts(audio.duration_milliseconds, declared_milliseconds))
    return Inspection(kind, findings, audio)


def _lasts(measured: int, declared: int) -> Finding:
    off = abs(measured - declared)
    # Whole numbers only: a job may declare one that no float can hold.
    agrees = off <= max(DURATION_SLACK_MILLISECONDS, declared // DURATION_SLACK_PART)
    note = "" if agrees else f"declared as {declared} ms, the sound lasts {measured} ms"
    return Finding("declared_duration_agrees", agrees, required=False, note=note)


def _known(kind: MediaKind | None) -> Finding:
    if kind is None:
        return Finding("signature_known", ok=False, required=True, note="the first bytes are of no known kind")
    if kind.name not in _WALKS:
        return Finding("signature_known", ok=False, required=True, note=f"the file is {kind.name}, no recording")
    return Finding("signature_known", ok=True, required=True, note=kind.name)


def _declared(kind: MediaKind, declared: str | None) -> Finding:
    plain = (declared or "").partition(";")[0].strip().lower()
    agrees = plain in _SAYS_NOTHING or plain == kind.media_type or plain in kind.aliases
    note = "" if agrees else f"declared as {plain[:100]!r}, the bytes are {kind.media_type}"
    return Finding("declared_type_agrees", agrees, required=False, note=note)
