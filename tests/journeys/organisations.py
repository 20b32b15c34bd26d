"""Sandbox organisations for the journeys: one organisation, one archive, several days that go differently.

They run in the test's own process, so that a test knows every token that was ever issued. Each day belongs to one
sandbox; the seed, and with it the organisation's id, is the same for all, since a lake prefix holds one organisation.
"""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date

from include.sandbox.config import SandboxConfig
from include.sandbox.server import running

ZONE = "Europe/Berlin"
MONDAY, DRY, GUIDE, ROUGH, STUCK, INTERRUPTED = (
    "2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08", "2026-01-09", "2026-01-10",
)  # fmt: skip
RANGE = ("2026-01-12", "2026-01-13")
BACKFILLED = ("2026-01-14", "2026-01-15")
LATE, AFTER_LATE = "2026-01-19", "2026-01-20"
SINGLE, SINGLE_GUIDE = "2026-01-22", "2026-01-23"
EXPORTED = "2026-01-26"
COPIED = "2026-01-28"

WEBHOOK_KEY, WEBHOOK_TOKEN = "canary-webhook-key-of-thirty-two-bytes", "canary-webhook-token"

ORGANISATIONS = {
    # Ripening takes long enough to look at what waiting costs.
    "ordinary": {"dates": (MONDAY, DRY), "conversations": 40, "job_seconds": 8.0},
    "guide": {"dates": (GUIDE,), "conversations": 24, "contract": "guide"},
    "rough": {"dates": (ROUGH,), "conversations": 40, "scenario": "rough"},
    "stuck": {"dates": (STUCK,), "conversations": 12, "scenario": "stuck"},
    "late": {"dates": (LATE,), "conversations": 24, "scenario": "next-day", "late_after_submissions": 1000},
    "quick": {"dates": (*RANGE, *BACKFILLED), "conversations": 12},
    "single": {"dates": (SINGLE,), "conversations": 6, "scenario": "clean"},
    "single-guide": {"dates": (SINGLE_GUIDE,), "conversations": 6, "scenario": "clean", "contract": "guide"},
    "exported": {"dates": (EXPORTED,), "conversations": 12, "scenario": "clean"},
    "copied": {"dates": (COPIED,), "conversations": 8, "contract": "guide", "job_seconds": 2.0},
    "patient": {"dates": (INTERRUPTED,), "conversations": 12, "job_seconds": 12.0},
}


@dataclass
class Organisations:
    """The sandboxes that are running, by name; ``connection(name)`` starts one on first use."""

    _stack: ExitStack = field(default_factory=ExitStack)
    _running: dict = field(default_factory=dict)

    def __getitem__(self, name):
        if name not in self._running:
            options = {"job_seconds": 1.0, "timezone": ZONE, **ORGANISATIONS[name]}
            options["dates"] = tuple(date.fromisoformat(day) for day in options["dates"])
            # Clients of their own: the request budget is per client, and none of the journeys is about it.
            config = SandboxConfig(client_id=f"client-{name}", client_secret=f"canary-secret-of-{name}", **options)
            self._running[name] = self._stack.enter_context(running(config))
        return self._running[name]

    def secrets(self):
        """Return what must never be seen: each client's secret, alone and as it travels, and each token issued."""
        found = {"webhook key": WEBHOOK_KEY, "webhook token": WEBHOOK_TOKEN}
        for name, sandbox in self._running.items():
            pair = f"{sandbox.client_id}:{sandbox.client_secret}".encode()
            found[f"client secret of {name}"] = sandbox.client_secret
            found[f"basic credentials of {name}"] = base64.b64encode(pair).decode()
            tokens = enumerate(sandbox.world.tokens._issued)
            found.update({f"token {number} of {name}": token for number, token in tokens})
        return found

    def close(self):
        """Stop them all."""
        self._stack.close()

    def connection(self, name):
        """Return the Airflow connection to one of them, as REST takes it."""
        sandbox = self[name]
        extra = {
            "contract": sandbox.world.config.contract,
            "api_base_url": sandbox.api_base_url,
            "login_base_url": sandbox.login_base_url,
            "org_id": sandbox.org_id,
            "media_hosts": "127.0.0.1",
        }
        return {
            "connection_id": "genesys_cloud",
            "conn_type": "http",
            "host": "mypurecloud.com",
            "login": sandbox.client_id,
            "password": sandbox.client_secret,
            "extra": json.dumps(extra),
        }


def media_calls(sandbox):
    """Return how many requests for media the sandbox has answered."""
    return sum(call.port == "media" for call in sandbox.journal)


def api_calls(sandbox):
    """Return how many API calls the sandbox has answered, by endpoint; neither tokens nor media."""
    return {line: count for line, count in sandbox.journal.summary().items() if " /api/" in line}
