"""Why there is no derivative of a recording: a value, since the original is archived all the same."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """One stable word each; the runbook has the same list."""

    UNDECODABLE = "undecodable"
    CODEC_UNSUPPORTED = "codec_unsupported"
    NO_SOUND = "no_sound"
    NOT_AS_ASKED = "not_as_asked"
    DURATION_DIFFERS = "duration_differs"
    TOO_LARGE = "too_large"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    SOURCE_ALTERED = "source_altered"

    @property
    def is_settled(self) -> bool:
        """Whether the same decoder would say it again of the same bytes; the others hang on limits and machines."""
        return self in {
            Reason.UNDECODABLE,
            Reason.CODEC_UNSUPPORTED,
            Reason.NO_SOUND,
            Reason.NOT_AS_ASKED,
            Reason.DURATION_DIFFERS,
        }


@dataclass(frozen=True, slots=True)
class Failed:
    """The reason, and what was said."""

    reason: Reason
    word: str
