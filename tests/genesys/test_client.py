"""The facade, from finding conversations to the state of a job."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from include.errors import SourceUnavailable
from tests.genesys.scripted_server import BATCHES, QUERY, USERS, Reply, uuid

DAY = (datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC))


def row(number: int, **changes: object) -> dict:
    """Return an analytics row of that day."""
    return {
        "conversationId": uuid(number),
        "conversationStart": "2026-01-05T09:00:00.000Z",
        "conversationEnd": "2026-01-05T09:05:00.000Z",
        "participants": [{"purpose": "agent", "userId": uuid(900), "sessions": []}],
        **changes,
    }


def test_a_day_goes_from_conversations_to_a_job(client, genesys):
    """Finding, naming, submitting and asking work together over real sockets."""
    genesys.rows = [row(number) for number in range(250)]
    genesys.names = {USERS: {uuid(900): "Ada"}}
    found = client.find_conversations(*DAY)
    assert [uuid(number) for number in range(250)] == [item.conversation_id for item in found.conversations]
    assert (2 * 4, 0, ()) == (found.pages, found.duplicates, found.rejected)
    named = client.resolve_names(found.conversations)
    assert {"Ada"} == {item.agents[0].name for item in named}
    submitted = client.submit_batches(item.conversation_id for item in named)
    assert [100, 100, 50] == [len(batch.conversation_ids) for batch in submitted.jobs]
    status = client.batch_status(submitted.jobs[0].job_id)
    assert (False, ()) == (status.completed, status.results)
    assert 8 == client.counts.calls[f"POST {QUERY}"]
    assert 3 == client.counts.calls[f"POST {BATCHES}"]
    assert 1 == client.counts.token_requests


def test_one_conversation_is_the_one_that_was_asked_for(client, genesys):
    """The facts of another call would stand beside the recording as its own."""
    path = f"/api/v2/analytics/conversations/{uuid(1)}/details"
    genesys.script(path, Reply(body=row(1, conversationId=uuid(1).upper())), *[Reply(body=row(2))] * 10)
    assert uuid(1) == client.conversation(uuid(1)).conversation_id
    with pytest.raises(SourceUnavailable, match="another conversation"):
        client.conversation(uuid(1))
