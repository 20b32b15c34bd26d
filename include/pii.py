"""Which personal facts are stored, masked or dropped: one word for each group of fields; pure.

Applied where facts are first written (the shard plan), and once more where they are written beside the recording: what
must not be stored never reaches the bucket. What is already there stays as it is; a stricter word counts from then on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from include.environment import variable_of
from include.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VARIABLE_PREFIX = variable_of("pii_")
MASK = "***"
KEPT_CHARACTERS = 2
SHORT_CHARACTERS = 4
"""A text this short shows nothing: two characters of four are half of it."""

FIELDS = {
    "ani": ("ani", "ani_raw", "ani_e164"),
    "dnis": ("dnis", "dnis_raw", "dnis_e164"),
    "agent_names": ("agents",),
    "external_tag": ("external_tag",),
    "wrap_up_tags": ("wrap_up_tags",),
    "wrap_up_notes": ("wrap_up_notes",),
}
"""Group to the facts it covers. Ids are no group: without them no recording could be found or erased."""

TECHNICAL = frozenset({
    "conversationId", "recordingId", "sessionId", "media", "mediaSubtype", "fileName", "contentType", "sizeInBytes",
    "durationMs", "durationMilliseconds", "durationMillis", "startTime", "endTime", "direction",
})  # fmt: skip
"""Keys of the source's own JSON about a file that name no person (the guide's index and the OpenAPI's recording)."""


class Keep(StrEnum):
    """What becomes of a group of fields."""

    STORE = "store"
    MASK = "mask"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class PiiPolicy:
    """One word for each group, read from ``RECORDING_ARCHIVE_PII_<GROUP>``.

    Masked texts keep their last two characters (``+49305612292`` becomes ``***92``): enough for a person who compares
    a recording with a call list, and not a key to join by. A digest would be such a key, and one that everybody can
    reverse who tries all numbers of a country.
    """

    ani: Keep = Keep.STORE
    dnis: Keep = Keep.STORE
    agent_names: Keep = Keep.STORE
    external_tag: Keep = Keep.STORE
    wrap_up_tags: Keep = Keep.STORE
    wrap_up_notes: Keep = Keep.DROP

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> PiiPolicy:
        """Build from environment variables; what is unset or empty has its default.

        Raises:
            ConfigurationError: when a value is none of the three words, or a variable names no group: a misspelt one
                would store what somebody meant to drop.
        """
        values: dict[str, Keep] = {}
        for variable, text in environment.items():
            if not variable.startswith(VARIABLE_PREFIX) or not text:
                continue
            group = variable.removeprefix(VARIABLE_PREFIX).lower()
            if group not in FIELDS:
                known = ", ".join(f"{VARIABLE_PREFIX}{name.upper()}" for name in FIELDS)
                raise ConfigurationError(f"{variable} is no setting; these are: {known}")
            if text.lower() not in set(Keep):
                raise ConfigurationError(f"{variable} must be store, mask or drop, not {text!r}")
            values[group] = Keep(text.lower())
        return cls(**values)

    def withheld(self, word: Keep) -> frozenset[str]:
        """Return the groups that are kept this way."""
        return frozenset(item.name for item in fields(self) if getattr(self, item.name) is word)

    def applied(self, facts: Mapping[str, object]) -> dict[str, object]:
        """Return a conversation's facts as they may be stored, with what was withheld by name under ``pii``.

        Applying twice is the same as once. Where facts were withheld before, by this policy or another, they stay so.
        """
        if not facts:
            return {}
        stored = dict(facts)
        earlier = facts.get("pii")
        said: Mapping[str, list[str]] = earlier if isinstance(earlier, dict) else {}
        for word, changed in ((Keep.MASK, _masked), (Keep.DROP, _dropped)):
            for name in (name for group in self.withheld(word) for name in FIELDS[group]):
                if name in stored:
                    stored[name] = _changed(stored[name], changed)
        dropped = self.withheld(Keep.DROP) | set(said.get("dropped", ()))
        masked = (self.withheld(Keep.MASK) | set(said.get("masked", ()))) - dropped
        stored["pii"] = {"dropped": sorted(dropped), "masked": sorted(masked)}
        return stored

    def declared(self, text: str | None) -> str | None:
        """Return the source's own JSON about a file as it may be stored.

        Verbatim where everything may be stored. Its field names are the source's choice, so where more than the notes
        is withheld, or notes are nested too deep to be looked for, only what is known to be technical is left.
        """
        withheld = self.withheld(Keep.MASK) | self.withheld(Keep.DROP)
        if text is None or not withheld:
            return text
        try:
            row = json.loads(text)
        except RecursionError:  # it was read before, from a shallower place
            return None
        kept = _without_notes(row) if withheld == {"wrap_up_notes"} else None
        if kept is None:
            kept = {key: value for key, value in row.items() if key in TECHNICAL and not isinstance(value, dict | list)}
        return json.dumps(kept, sort_keys=True, ensure_ascii=False)


def _changed(value: object, change: Callable[[str], str | None]) -> object:
    """Change a text, the texts of a list, or the names of references; an id stays."""
    if isinstance(value, str):
        return change(value)
    if not isinstance(value, list):
        return value
    if any(isinstance(entry, dict) for entry in value):
        return [{**entry, "name": _changed(entry.get("name"), change)} for entry in value]
    return [text for entry in value if (text := _changed(entry, change)) is not None]


def _masked(text: str) -> str:
    return MASK if len(text) <= SHORT_CHARACTERS else MASK + text[-KEPT_CHARACTERS:]


def _dropped(_: str) -> None:
    return None


def _without_notes(row: object) -> object:
    """Return the source's words without notes; ``None`` where they are nested too deep to be searched."""
    try:
        return _searched(row)
    except RecursionError:
        return None


def _searched(value: object) -> object:
    if isinstance(value, dict):
        return {key: _searched(inner) for key, inner in value.items() if "note" not in key.lower()}
    return [_searched(inner) for inner in value] if isinstance(value, list) else value
