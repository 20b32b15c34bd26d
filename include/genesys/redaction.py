"""Foreign text made safe to show: what a server says may echo a token, a signed URL or a line break.

Used for every word of a server that reaches a log line or an error message.
"""

from __future__ import annotations

import re

SHOWN_CHARACTERS = 300

_CREDENTIAL = re.compile(r"\b(bearer|basic)\s+\S+", re.IGNORECASE)
_QUERY = re.compile(r"(?<=\S)\?\S*")
_QUERY_IN_JSON = re.compile(r'\?(?:[^"\\\s]|\\.)+')
_SIGNED = re.compile(
    r"[?&](?:x-amz-(?:signature|credential|security-token)|signature|sig|access_token|token)=", re.IGNORECASE
)
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def shown(text: object, *secrets: str, limit: int = SHOWN_CHARACTERS) -> str:
    """Return one printable line of at most ``limit`` characters without credentials and URL queries.

    >>> shown("see https://host/a?X-Amz-Signature=1 with Bearer abc")
    'see https://host/a?*** with Bearer ***'
    """
    line = str(text)[: 4 * limit]
    for secret in secrets:
        line = line.replace(secret, "***") if secret else line
    line = _QUERY.sub("?***", _CREDENTIAL.sub(r"\1 ***", line))
    return "".join(character if character.isprintable() else " " for character in line)[:limit].strip()


def unsigned(document: str) -> str:
    """Return a JSON text in which no address has its signature; whoever reads that could fetch what it stands for.

    Any other query stays, as it may say something, and JSON stays JSON: no quote and no half of an escape is cut.

    >>> unsigned('{"a": "https://h/x?id=7", "b": "https://h/x?id=7&Signature=s", "c": "sure?"}')
    '{"a": "https://h/x?id=7", "b": "https://h/x?***", "c": "sure?"}'
    """
    return _QUERY_IN_JSON.sub(lambda match: "?***" if _SIGNED.search(match[0]) else match[0], document)


def correlation_id_of(value: str | None) -> str | None:
    """Return a correlation id that is safe to log, or ``None``."""
    return value if value is not None and _CORRELATION_ID.fullmatch(value) else None
