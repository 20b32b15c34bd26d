"""What the source holds of a conversation: recordings, the parts each comes out as, and their bytes on request."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from include.sandbox import audio
from include.sandbox.body import Body, body_of
from include.sandbox.scenario import Damage, Outcome
from include.sandbox.transcripts import email_bytes, screen_webm, transcript_json

if TYPE_CHECKING:
    from datetime import datetime

STATE_OUTCOMES = {
    "DELETED": Outcome.DELETED,
    "ARCHIVED": Outcome.ARCHIVED_AT_SOURCE,
    "UPLOADING": Outcome.PENDING,
    "RESTORING": Outcome.PENDING,
    "ERROR": Outcome.SOURCE_ERROR,
}
OUTPUT_FORMATS = {"WAV": "wav_pcm16", "WAV_ULAW": "wav_ulaw", "MP3": "mp3", "OGG_OPUS": "ogg_opus"}
"""``formatId`` values (and the guide's output formats) that the sandbox can render."""

CHANNEL_INDEX = 90
"""What is added to a channel's number to tell its file from those of the parts."""

EXTENSIONS = {"application/json": "json", "message/rfc822": "eml", "video/webm": "webm"}
_HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Your session has expired.</body></html>"


@dataclass(frozen=True, slots=True)
class Part:
    """One result of a recording: a stretch of sound (or a transcript) that becomes one file."""

    index: int
    form: str
    voice: int
    channels: int
    seconds: float
    damage: Damage | None = None
    tagging: int = 3


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording as the source describes it. ``late`` ones are UPLOADING until they have landed."""

    id: str
    conversation_id: str
    session_id: str
    media: str
    subtype: str
    file_state: str
    start: datetime
    parts: tuple[Part, ...]
    late: bool = False
    restricted: bool = False

    @property
    def outcome(self) -> Outcome:
        """What becomes of it in an honest archive, once it has landed; damage is judged per part."""
        if self.restricted:
            return Outcome.RESTRICTED
        if self.file_state != "AVAILABLE":
            return STATE_OUTCOMES[self.file_state]
        return Outcome.ARCHIVED if self.media == "audio" else Outcome.NOT_SELECTED

    @property
    def seconds(self) -> float:
        """Length of all parts together."""
        return sum(part.seconds for part in self.parts)

    @property
    def merged(self) -> Part:
        """All parts, one after the other; of a recording in one part it is that part, byte for byte."""
        first, *others = self.parts
        return replace(first, index=len(self.parts), seconds=self.seconds) if others else first

    def channel(self, number: int) -> Part:
        """One channel of the whole, as a file with one; of a recording in mono it is the whole."""
        whole = self.merged
        if whole.channels == 1:
            return whole
        return replace(whole, index=CHANNEL_INDEX + number, channels=1, voice=audio.channel_voice(whole.voice, number))


def outcome_of(recording: Recording, part: Part) -> Outcome:
    """Return what becomes of one part."""
    if part.damage and recording.outcome is Outcome.ARCHIVED:
        return Outcome.QUARANTINED
    return recording.outcome


def content_type_of(recording: Recording, part: Part, output_format: str | None = None) -> str:
    """Return the content type the source announces, whatever the bytes are."""
    other = {
        "screen": "video/webm",
        "email": "message/rfc822",
        "chat": "application/json",
        "message": "application/json",
    }
    if recording.media in other:
        return other[recording.media]
    return audio.CONTENT_TYPES[OUTPUT_FORMATS[output_format] if output_format else part.form]


def extension_of(content_type: str) -> str:
    """Return the file name extension the zip of the guide contract uses."""
    audio_types = {content: audio.EXTENSIONS[form] for form, content in audio.CONTENT_TYPES.items()}
    return {**EXTENSIONS, **audio_types}[content_type]


def body_for(recording: Recording, part: Part, output_format: str | None = None) -> Body:
    """Return the stored bytes of one part, or the source's rendering of it in another format."""
    comment = f"{recording.id}/{part.index:02d}"
    content_type = content_type_of(recording, part, output_format)
    if recording.media != "audio":
        return _other(recording, content_type)
    sound = _rendered(OUTPUT_FORMATS[output_format], comment, part) if output_format else _sound(part, comment)
    return _damaged(Body(sound.stretches, content_type), part.damage, comment)


def _sound(part: Part, comment: str) -> Body:
    if part.form == "ogg_opus":
        return audio.ogg_opus(comment, part.voice, part.channels, part.seconds)
    if part.form == "mp3":
        return audio.mp3(comment, part.voice, part.channels, part.seconds, part.tagging)
    return audio.wav(comment, part.voice, part.channels, part.seconds, mulaw=part.form == "wav_ulaw")


def _rendered(form: str, comment: str, part: Part) -> Body:
    if form == part.form:
        return _sound(part, comment)
    seconds = audio.sounding_seconds(part.form, part.voice, part.channels, part.seconds)
    if form == "mp3":
        return audio.mp3(comment, part.voice, part.channels, seconds, part.tagging)
    return audio.wav(comment, part.voice, part.channels, seconds, mulaw=False)


def _other(recording: Recording, content_type: str) -> Body:
    if recording.media == "screen":
        return body_of(screen_webm(recording.id, recording.seconds), content_type)
    if recording.media == "email":
        return body_of(email_bytes(recording.id, recording.start), content_type)
    transcript = transcript_json(recording.id, recording.conversation_id, recording.start)
    return body_of(json.dumps(transcript, ensure_ascii=False).encode(), content_type)


def _damaged(body: Body, damage: Damage | None, comment: str) -> Body:
    if damage is None:
        return body
    if damage is Damage.EMPTY:
        return body_of(b"", body.content_type)
    if damage is Damage.HTML:
        return body_of(_HTML + f"<!-- {comment} -->".encode(), body.content_type)
    data = body.bytes()
    if damage is Damage.WRONG_MAGIC:
        return body_of(b"\0\0\0\0" + data[4:], body.content_type)
    return body_of(data[: len(data) * 3 // 5], body.content_type)
