"""Every call the sandbox answered: what the tests count and a person reads after a run."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECRET_PARAMETERS = ("X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token", "access_token", "client_secret")


@dataclass(frozen=True, slots=True)
class Call:
    """One answered call. ``status`` 0 means the connection was cut before any answer."""

    method: str
    template: str
    path: str
    query: str
    port: str
    status: int
    client_id: str | None
    authorised: bool
    bytes_sent: int
    at: str
    seconds: float
    range: str | None = None

    @property
    def line(self) -> str:
        """Method and path template: what calls are counted by."""
        return f"{self.method} {self.template}"


@dataclass(slots=True)
class Journal:
    """The calls, oldest first; safe to read while the sandbox serves."""

    _calls: list[Call] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, call: Call) -> None:
        """Append one call."""
        with self._lock:
            self._calls.append(call)

    def clear(self) -> None:
        """Forget everything so far."""
        with self._lock:
            self._calls.clear()

    def calls(self, line: str = "") -> list[Call]:
        """Return the calls so far, or those of one ``METHOD template``."""
        with self._lock:
            return [call for call in self._calls if not line or call.line == line]

    def summary(self) -> dict[str, int]:
        """Return how many calls there were per ``METHOD template``."""
        return dict(sorted(Counter(call.line for call in self.calls()).items()))

    def to_json(self) -> list[dict[str, object]]:
        """Return the calls as plain JSON values."""
        return [asdict(call) for call in self.calls()]

    def __iter__(self) -> Iterator[Call]:
        return iter(self.calls())

    def __len__(self) -> int:
        return len(self.calls())


def without_secrets(query: str) -> str:
    """Return a query string without the parameters that would let someone use it again."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([(name, value) for name, value in pairs if name not in _SECRET_PARAMETERS])
