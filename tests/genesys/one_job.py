"""A question about one job, for tests of what may happen to any question."""

from __future__ import annotations

from tests.genesys.scripted_server import BATCHES

JOB = f"{BATCHES}/job-1"
OPEN = {"jobId": "job-1", "status": "InProgress"}


def ask(client):
    """Make one idempotent call."""
    return client.batch_status("job-1")
