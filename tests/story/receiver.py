"""The receiver of ``docs/webhook.md``, run as a reader would copy it, and a time that only tests move."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.loopback import listening

PAGE = Path(__file__).parents[2] / "docs" / "webhook.md"
KEY, NEXT = "first-key-first-key-first-key-0001", "other-key-other-key-other-key-0002"


def published():
    """Return the names that the page's own program defines."""
    (source,) = re.findall(r"(?ms)^```python\n(.*?)^```", PAGE.read_text("utf-8"))
    names = {"__name__": "published"}
    exec(compile(source, str(PAGE), "exec"), names)  # noqa: S102 - the point: what the page says is what is tested
    return names


class VirtualClock:
    """Passes only while somebody sleeps, and so fast."""

    def __init__(self):
        self.moment = datetime(2026, 3, 3, 4, tzinfo=UTC)

    def now(self):
        """Return the time."""
        return self.moment

    def sleep(self, seconds):
        """Let time pass."""
        self.moment += timedelta(seconds=seconds)


@contextmanager
def receiving(*keys, clock=None):
    """Run the receiver; ``requests`` gets the path and headers of all that came."""
    names = published()
    server = names["Receiver"](("127.0.0.1", 0), [key.encode() for key in keys])
    if clock is not None:
        server.clock = lambda: clock.now().timestamp()
    with listening(server):
        yield server
