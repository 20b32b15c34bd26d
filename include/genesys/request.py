"""One call to the API as a value: what will be sent, before anything is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """Method, path, query and body of one call.

    ``endpoint`` is the path template, for counts and log lines: it holds no id. ``lost_replies_max`` bounds how often
    a call is repeated whose outcome is unknown; ``None`` leaves it to the general limits. Repeating is always safe
    here: reads change nothing, and a second batch job only costs quota.
    """

    method: str
    endpoint: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: object = None
    lost_replies_max: int | None = None

    @property
    def target(self) -> str:
        """Path and query as they go on the wire."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def payload(self) -> bytes | None:
        """The body as JSON, or ``None``."""
        return None if self.body is None else json.dumps(self.body, separators=(",", ":")).encode()


def path_of(template: str, *ids: str) -> str:
    """Fill the ``{}`` of a path template with percent-encoded ids, so that no id can leave its place.

    >>> path_of("/api/v2/conversations/{}/recordingmetadata", "../a?b")
    '/api/v2/conversations/..%2Fa%3Fb/recordingmetadata'
    """
    return template.format(*(quote(value, safe="") for value in ids))
