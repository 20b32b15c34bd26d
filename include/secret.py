"""Values that cannot be printed by accident.

A presigned URL is a bearer credential: whoever reads it in a log can fetch the recording.
"""

from __future__ import annotations

import hmac
from typing import NoReturn
from urllib.parse import urlsplit

MASK = "***"


class Secret:
    """A string whose ``repr``, ``str`` and ``format`` are masked; ``reveal()`` is the only way out."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself, for the one line that puts it on the wire."""
        return self._value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        # surrogatepass: an environment that is not UTF-8 arrives as lone surrogates.
        return isinstance(other, Secret) and hmac.compare_digest(
            self._value.encode("utf-8", "surrogatepass"), other.reveal().encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> NoReturn:
        # XCom, trigger arguments and pickles are stored in clear text in the metadata database.
        raise TypeError("a secret is never serialised")


class PresignedUrl(Secret):
    """A pre-authorised media URL; prints as scheme, host and path, without its query."""

    __slots__ = ()

    @property
    def host(self) -> str:
        """Host name in lower case; empty where the URL has none or cannot be taken apart."""
        try:
            return urlsplit(self._value).hostname or ""
        except ValueError:
            return ""

    @property
    def location(self) -> str:
        """Scheme, host and path: safe to log; empty where the URL cannot be taken apart."""
        try:
            parts = urlsplit(self._value)
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            # urllib's own message quotes what it could not read, a password in the port's place for one.
            return ""
        return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"

    def __repr__(self) -> str:
        return f"PresignedUrl({self})"

    def __str__(self) -> str:
        return self.location or MASK

    def __format__(self, spec: str) -> str:
        return str(self)
