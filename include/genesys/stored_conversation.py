"""A ``Conversation`` as JSON and back, without loss: plans in the lake are made of these.

Keys are sorted and there are no floats, so equal conversations give equal bytes.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from include.errors import IntegrityError
from include.genesys.json_fields import uuid_of
from include.genesys.models import Conversation, NamedReference

if TYPE_CHECKING:
    from collections.abc import Mapping

REFERENCES = ("agents", "queues", "wrap_up_codes")
TEXT_LISTS = ("media_types", "wrap_up_tags", "division_ids")
ADDED_TEXT_LISTS = ("wrap_up_notes",)
"""Facts that plans of an earlier version do not have."""
TEXTS = ("direction", "ani", "dnis", "ani_raw", "dnis_raw", "external_tag", "flagged_reason")


def to_json(conversation: Conversation) -> dict[str, object]:
    """Return the conversation as JSON values; moments are ISO 8601 in UTC with microseconds."""
    values: dict[str, object] = {}
    for name in sorted(item.name for item in fields(Conversation)):
        value = getattr(conversation, name)
        if isinstance(value, datetime):
            value = value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        elif name in REFERENCES:
            value = [{"id": reference.id, "name": reference.name} for reference in value]
        elif isinstance(value, tuple):
            value = list(value)
        values[name] = value
    return values


def from_json(stored: Mapping[str, object]) -> Conversation:
    """Return the conversation that ``to_json`` wrote.

    Raises:
        IntegrityError: when it is not what ``to_json`` writes.
    """
    try:
        return Conversation(
            conversation_id=_uuid(stored["conversation_id"]),
            start=_moment(stored["start"]),
            end=None if stored["end"] is None else _moment(stored["end"]),
            recorded=_flag(stored["recorded"]),
            **{name: _optional_text(stored[name]) for name in TEXTS},  # type: ignore[arg-type]
            **{name: tuple(_text(text) for text in _list(stored[name])) for name in TEXT_LISTS},  # type: ignore[arg-type]
            **{name: tuple(_text(text) for text in _list(stored.get(name, []))) for name in ADDED_TEXT_LISTS},  # type: ignore[arg-type]
            **{name: tuple(_reference(entry) for entry in _list(stored[name])) for name in REFERENCES},  # type: ignore[arg-type]
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise IntegrityError(f"A stored conversation is damaged ({type(error).__name__})") from error


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return moment.astimezone(UTC)


def _reference(entry: object) -> NamedReference:
    if not isinstance(entry, dict):
        raise TypeError("reference")
    return NamedReference(_text(entry["id"]), _optional_text(entry["name"]))


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("list")
    return value


def _uuid(value: object) -> str:
    canonical = uuid_of(value)
    if canonical is None or canonical != value:
        raise ValueError("no canonical UUID")
    return canonical


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("flag")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)
