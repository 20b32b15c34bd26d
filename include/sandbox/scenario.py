"""Named days: which kinds of conversation happen, and how often.

A *profile* is one kind of conversation; a *scenario* is a mix of profiles. Adding a case to the sandbox is adding a
profile here and, if it is new behaviour at all, one branch where that behaviour lives.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What an honest archive must come to, for one part of one recording or for a conversation without any."""

    ARCHIVED = "archived"
    NO_RECORDING = "no_recording"
    DELETED = "deleted_at_source"
    ARCHIVED_AT_SOURCE = "archived_at_source"
    RESTRICTED = "restricted"
    NOT_SELECTED = "not_selected"
    PENDING = "pending"
    QUARANTINED = "quarantined"
    SOURCE_ERROR = "source_error"


class Damage(StrEnum):
    """How the stored bytes of a recording are bad, for good: fetching again does not help."""

    HTML = "html"
    WRONG_MAGIC = "wrong_magic"
    EMPTY = "empty"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class RecordingKind:
    """One recording of a profile, as the source holds it."""

    media: str = "audio"
    subtype: str = "Trunk"
    file_state: str = "AVAILABLE"
    results: int = 1
    damage: Damage | None = None
    late: bool = False
    hidden: bool = False
    """Nobody speaks of it, not even ``recordingmetadata``, before ``POST /sandbox/late``."""


AUDIO = RecordingKind()


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of conversation."""

    media_type: str = "voice"
    recorded: bool = True
    recordings: tuple[RecordingKind, ...] = (AUDIO,)
    closed: bool = True
    ends_late: bool = False
    """Still open, until ``POST /sandbox/late``."""
    legs: int = 1
    agent: str = "present"
    sip: bool = False
    at_midnight: bool = False
    restricted: bool = False
    stuck: bool = False
    default_wrap_up: bool = False


PROFILES: dict[str, Profile] = {
    "plain": Profile(),
    "transfer": Profile(legs=2),
    "two_recordings": Profile(recordings=(AUDIO, RecordingKind(subtype="Station"))),
    "two_results": Profile(recordings=(RecordingKind(results=2),)),
    "screen": Profile(recordings=(AUDIO, RecordingKind(media="screen", subtype="Screen"))),
    "chat_attached": Profile(recordings=(AUDIO, RecordingKind(media="chat"))),
    "message_attached": Profile(recordings=(AUDIO, RecordingKind(media="message"))),
    "email_attached": Profile(recordings=(AUDIO, RecordingKind(media="email"))),
    "sip_caller": Profile(sip=True),
    "departed_agent": Profile(agent="departed"),
    "unknown_agent": Profile(agent="unknown"),
    "over_midnight": Profile(at_midnight=True),
    "default_wrap_up": Profile(default_wrap_up=True),
    "no_recording": Profile(recordings=()),
    "deleted": Profile(recordings=(RecordingKind(file_state="DELETED"),)),
    "half_deleted": Profile(recordings=(AUDIO, RecordingKind(subtype="Station", file_state="DELETED"))),
    "archived": Profile(recordings=(RecordingKind(file_state="ARCHIVED"),)),
    "restricted": Profile(restricted=True),
    "uploading": Profile(recordings=(RecordingKind(file_state="UPLOADING"),)),
    "restoring": Profile(recordings=(RecordingKind(file_state="RESTORING"),)),
    "error": Profile(recordings=(RecordingKind(file_state="ERROR"),)),
    "html_body": Profile(recordings=(RecordingKind(damage=Damage.HTML),)),
    "wrong_magic": Profile(recordings=(RecordingKind(damage=Damage.WRONG_MAGIC),)),
    "empty_body": Profile(recordings=(RecordingKind(damage=Damage.EMPTY),)),
    "truncated_body": Profile(recordings=(RecordingKind(damage=Damage.TRUNCATED),)),
    "late": Profile(recordings=(RecordingKind(late=True),)),
    "appears_late": Profile(recordings=(RecordingKind(late=True, hidden=True),)),
    "second_appears_late": Profile(recordings=(AUDIO, RecordingKind(subtype="Station", late=True, hidden=True))),
    "ends_late": Profile(ends_late=True),
    "screen_only": Profile(recordings=(RecordingKind(media="screen", subtype="Screen"),)),
    "stuck": Profile(stuck=True),
    "open": Profile(closed=False),
    "unrecorded": Profile(recorded=False, recordings=()),
    "chat": Profile(media_type="chat", recorded=False, recordings=()),
    "email": Profile(media_type="email", recorded=False, recordings=()),
    "callback": Profile(media_type="callback", recorded=False, recordings=()),
    "message": Profile(media_type="message", recorded=False, recordings=()),
}

_CLEAN = {"plain": 640, "transfer": 70, "two_recordings": 50, "two_results": 20, "sip_caller": 20}
_PASSERS_BY = {"open": 6, "unrecorded": 50, "chat": 40, "email": 30, "callback": 25, "message": 16}
_ORDINARY = {
    **_CLEAN,
    **_PASSERS_BY,
    "plain": 540,
    "screen": 25,
    "chat_attached": 8,
    "message_attached": 6,
    "email_attached": 8,
    "departed_agent": 20,
    "unknown_agent": 4,
    "over_midnight": 8,
    "no_recording": 12,
    "deleted": 8,
    "half_deleted": 6,
    "archived": 8,
    "restricted": 8,
}
_VARIED = {
    "plain": 4,
    "two_recordings": 1,
    "two_results": 1,
    "screen": 1,
    "no_recording": 1,
    "deleted": 1,
    "archived": 1,
    "restricted": 1,
    "unrecorded": 1,
}
_BAD = {
    "default_wrap_up": 10,
    "uploading": 8,
    "restoring": 6,
    "error": 6,
    "html_body": 5,
    "wrong_magic": 5,
    "empty_body": 5,
    "truncated_body": 5,
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A mix of profiles (weights, in any unit) with a sentence that says what it is for."""

    name: str
    about: str
    weights: dict[str, int] = field(hash=False)
    audio_seconds: tuple[int, int] | None = None
    formats: tuple[str, ...] | None = None
    near_midnight: bool = False
    single: str | None = None
    """A profile that occurs exactly once a day, instead of one ``plain``."""


SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario("ordinary", "a normal day: everything ends archived or in a settled exclusion", _ORDINARY),
        Scenario("clean", "every conversation is recorded, closed, and can be archived", _CLEAN),
        Scenario("rough", "ordinary plus uploading, restoring, errors and damaged bodies", {**_ORDINARY, **_BAD}),
        Scenario("varied", "a dozen calls, of every kind that ends archived or in a settled exclusion", _VARIED),
        Scenario("spoiled", "varied, with one body that is no audio", _VARIED, single="wrong_magic"),
        Scenario("empty", "a day on which nobody called", {}),
        Scenario(
            "large-recordings",
            "calls of 10 to 40 minutes in WAV and MP3, up to some 75 MB each",
            _CLEAN,
            audio_seconds=(600, 2400),
            formats=("wav_pcm16", "wav_pcm16", "wav_ulaw", "mp3"),
        ),
        Scenario("stuck", "a clean day with one conversation whose batch job never completes", _CLEAN, single="stuck"),
        Scenario(
            "late",
            "clean, but a tenth of the recordings land only after another submission or POST /sandbox/late",
            {**_CLEAN, "late": 90},
        ),
        Scenario(
            "next-day",
            "clean, but 5 % of the recordings appear and 3 % of the calls end only with POST /sandbox/late",
            {**_CLEAN, "late": 18, "appears_late": 14, "second_appears_late": 14, "ends_late": 27},
        ),
        Scenario(
            "every-class",
            "rough, and also conversations with nothing but a screen, and some whose batch job never completes",
            {**_ORDINARY, **_BAD, "screen_only": 12, "stuck": 1},
        ),
        Scenario(
            "midnight", "an ordinary mix, most calls within minutes of local midnight", _ORDINARY, near_midnight=True
        ),
        Scenario(
            "odd-codes", "clean, with default wrap-up codes that are no UUIDs", {**_CLEAN, "default_wrap_up": 100}
        ),
    )
}
