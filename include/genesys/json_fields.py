"""Tolerant readers for single JSON fields: the wrong type reads as absent, never as an exception.

What matters (ids that become paths or keys) is checked strictly where it is used.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

from include.genesys.answer import Malformed

TEXT_CHARACTERS_MAX = 1024
COUNT_MAX = 1_000_000_000
NUMBER_MAX = 2**63
MOMENT_FIRST, MOMENT_AFTER_LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Years 1, 1970 and 9999 are how programs spell "never": no call was then, and a zone leads out of the calendar."""
LONGEST = timedelta(days=366)
"""Longer than any conversation: what claims more is a mistake in one of its moments."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UNENCODABLE = re.compile(r"[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def object_of(value: object) -> dict[str, object]:
    """Return a JSON object.

    Raises:
        Malformed: when it is none.
    """
    if not isinstance(value, dict):
        raise Malformed("it is no JSON object")
    return cast("dict[str, object]", value)


def envelope_of(value: object) -> dict[str, object]:
    """Return the JSON object around the items of an answer; what its own fields count must be numbers.

    Raises:
        Malformed: when it is no object, or a field of its own is a number that nobody can mean; which is in the words.
    """
    envelope = object_of(value)
    for name, field in envelope.items():
        if is_odd(field):
            raise Malformed(f"its {text_of(name)} is a number that nobody can mean")
    return envelope


def is_odd(value: object) -> bool:
    """Whether it is a number, and none that a field can mean: NaN, infinite, or more than 64 bits hold."""
    return isinstance(value, int | float) and not -NUMBER_MAX <= value <= NUMBER_MAX


def entries_of(value: object) -> list[dict[str, object]]:
    """Return the objects of a list; anything else is left out."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def texts_of(value: object) -> list[str]:
    """Return the usable texts of a list."""
    texts = [text_of(entry) for entry in value] if isinstance(value, list) else []
    return [text for text in texts if text is not None]


def text_of(value: object) -> str | None:
    """Return one line of text, clipped, that any encoder accepts; ``None`` for empty text and other types."""
    if not isinstance(value, str):
        return None
    line = _CONTROL.sub(" ", _UNENCODABLE.sub("\ufffd", value[:TEXT_CHARACTERS_MAX])).strip()
    return line or None


def count_of(value: object) -> int:
    """Return a number that is zero or more; anything else is zero."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= COUNT_MAX:
        return 0
    return int(value)


def uuid_of(value: object) -> str | None:
    """Return a UUID in its canonical form (lower case, dashes), ``None`` for anything else.

    >>> uuid_of("0F8FAD5B-D9CB-469F-A165-70867728950E")
    '0f8fad5b-d9cb-469f-a165-70867728950e'
    """
    return str(UUID(value)) if isinstance(value, str) and _UUID.fullmatch(value) else None


def id_of(value: object) -> str | None:
    """Return an id in the one spelling it has here: a UUID canonical, any other text as ``text_of``.

    >>> id_of("0F8FAD5B-D9CB-469F-A165-70867728950E"), id_of("Code A")
    ('0f8fad5b-d9cb-469f-a165-70867728950e', 'Code A')
    """
    return uuid_of(value) or text_of(value)


def moment_of(value: object) -> datetime | None:
    """Return an ISO 8601 moment of this century as aware UTC; ``None`` without an offset, or where it is no moment."""
    if not isinstance(value, str) or len(value) > TEXT_CHARACTERS_MAX:
        return None
    try:
        moment = datetime.fromisoformat(value)
        found = None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found is not None and MOMENT_FIRST <= found < MOMENT_AFTER_LAST else None


def end_of(start: datetime, moment: datetime | None) -> datetime | None:
    """Return when something ended; ``None`` where that lies before its start, or further off than anything lasts."""
    return moment if moment is not None and start <= moment <= start + LONGEST else None
