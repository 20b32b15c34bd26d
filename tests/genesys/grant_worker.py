"""A process that asks for grants; light to import, because each process imports it."""

from __future__ import annotations

import time

from include.genesys.budget import RequestBudget


def ask_for_grants(path, limit: int, count: int, results) -> None:
    """Ask ``count`` times and report when, and what wait was imposed, without waiting."""
    budget = RequestBudget(path, limit, sleep=lambda _seconds: None)
    results.put([(time.monotonic(), budget.acquire()) for _ in range(count)])
