"""A door that refuses poisoned conversations without a network: for properties that need thousands of calls."""

from __future__ import annotations

from types import SimpleNamespace

from include.errors import RequestRejected
from include.genesys.models import Contract
from tests.genesys.scripted_server import items_of


class RefusingDoor:
    """Answers batch submissions only."""

    connection = SimpleNamespace(contract=Contract.PLATFORM)

    def __init__(self, poisoned: set[str]) -> None:
        self.poisoned = poisoned
        self.accepted = 0

    def fetch(self, request, read):
        """Accept or refuse one batch."""
        if any(item["conversationId"] in self.poisoned for item in items_of(request.body)):
            raise RequestRejected("no", status=400, code="batch.download.bad.request")
        self.accepted += 1
        return read({"id": f"job-{self.accepted}"})
