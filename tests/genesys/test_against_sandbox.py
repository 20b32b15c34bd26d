"""The client against the sandbox: another hand's reading of the same wire."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from include.errors import NotAuthorised, RecordingGone
from include.genesys.client import GenesysClient
from include.genesys.connection import GenesysConnection
from include.genesys.retry import Timekeeping
from include.sandbox.config import SandboxConfig
from include.sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.sandbox.server import Sandbox

THE_DAY = date(2026, 1, 5)
DAY = (datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC))


@pytest.fixture(scope="module", params=["platform", "guide"])
def sandbox(request) -> Iterator[Sandbox]:
    """A day of 230 conversations under either contract, jobs that complete at once, calls without limit."""
    config = SandboxConfig(
        dates=(THE_DAY,), conversations=230, contract=request.param, job_seconds=0.0, rate_limit=100_000
    )
    with running(config) as server:
        yield server


@pytest.fixture
def archive_client(sandbox, settings) -> Iterator[GenesysClient]:
    """A client of the sandbox that does not really wait."""
    sandbox.faults.switch_off()
    with GenesysClient(connection_of(sandbox), settings, timekeeping=NO_WAITING) as client:
        yield client


NO_WAITING = Timekeeping(sleep=lambda _seconds: None)


def connection_of(sandbox: Sandbox, **fields: str) -> GenesysConnection:
    """Return the connection a person would configure for this sandbox."""
    return GenesysConnection.from_fields(
        name="genesys_cloud",
        host="mypurecloud.com",
        login=sandbox.client_id,
        password=fields.get("password", sandbox.client_secret),
        extra={
            "contract": sandbox.world.config.contract,
            "api_base_url": sandbox.api_base_url,
            "org_id": sandbox.org_id,
            "requests_per_minute": 10_000,
        },
    )


def expected(sandbox: Sandbox) -> list[str]:
    """Return the conversations that the sandbox says an honest archive must find."""
    return sorted(item.conversation_id for item in sandbox.truth(THE_DAY).conversations)


@pytest.mark.parametrize(
    "fault",
    [
        None,
        "analytics-duplicates",
        "analytics-drift",
        "api-429-storm:5",
        "api-500:3",
        "api-503-with-retry-after:2",
        "api-504:2",
        "api-reset:2",
        "api-truncated-json:3",
        "token-revoked:1",
    ],
)
def test_the_whole_day_is_found_under_every_fault(sandbox, archive_client, fault):
    """What the sandbox knows to be there is found, no more and no less."""
    if fault:
        sandbox.faults.switch_on(fault)
    found = archive_client.find_conversations(*DAY)
    assert expected(sandbox) == [item.conversation_id for item in found.conversations]
    assert () == found.rejected


def test_names_are_resolved_whatever_the_directory_does(sandbox, archive_client):
    """Every agent the sandbox employs has a name; one unknown id does not cost the others theirs."""
    sandbox.faults.switch_on("users-unknown-404")
    named = archive_client.resolve_names(archive_client.find_conversations(*DAY).conversations)
    agents = {agent.id: agent.name for item in named for agent in item.agents}
    assert agents
    assert sum(name is None for name in agents.values()) <= 1
    assert any(queue.name for item in named for queue in item.queues)


def test_a_poisoned_conversation_is_set_aside(sandbox, archive_client):
    """One refused id among 100, the others in jobs that complete."""
    ids = expected(sandbox)[:100]
    sandbox.faults.switch_on(f"batch-poisoned-id:match={ids[41]}")
    submitted = archive_client.submit_batches(ids)
    assert (ids[41],) == submitted.poisoned
    assert sorted(set(ids) - {ids[41]}) == sorted(value for job in submitted.jobs for value in job.conversation_ids)


def test_a_lost_reply_ends_in_a_job_all_the_same(sandbox, archive_client):
    """The accepted job whose reply was lost is an orphan; ours is another."""
    sandbox.faults.switch_on("batch-lost-reply:1")
    job_id = archive_client.submit_batch(expected(sandbox)[:3])
    assert job_id == archive_client.batch_status(job_id).job_id


def test_a_job_ends_with_a_result_for_what_was_asked(sandbox, archive_client):
    """Under the platform each conversation is spoken of, under the guide one archive covers all."""
    ids = expected(sandbox)[:20]
    status = archive_client.batch_status(archive_client.submit_batch(ids))
    if sandbox.world.config.contract == "guide":
        [result] = status.results
        assert (None, True, "application/zip") == (status.completed, status.counts_agree, result.content_type)
        assert result.url is not None
    else:
        assert status.completed
        assert {item.conversation_id for item in status.results} <= set(ids)
        assert any(item.url for item in status.results)


def test_metadata_is_what_the_sandbox_recorded(sandbox, archive_client):
    """Ids and states agree with the truth, conversation by conversation."""
    for truth in sandbox.truth(THE_DAY).conversations[:30]:
        if truth.outcome == "restricted":
            with pytest.raises(NotAuthorised) as caught:
                archive_client.recording_metadata(truth.conversation_id)
            assert (403, "recording.recording.view.permission.check.failed") == (caught.value.status, caught.value.code)
            continue
        known = archive_client.recording_metadata(truth.conversation_id)
        assert {part.recording_id for part in truth.parts} <= {item.recording_id for item in known}


def test_what_is_not_there_is_gone(archive_client):
    """Unknown jobs and conversations are named absences."""
    with pytest.raises(RecordingGone):
        archive_client.batch_status("no-such-job")
    with pytest.raises(RecordingGone):
        archive_client.recording_metadata("00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize("fault", [None, "wrong-secret-400"])
def test_a_wrong_secret_is_final(sandbox, settings, fault):
    """400 or 401: the connection is named and nothing is retried."""
    sandbox.faults.switch_off()
    if fault:
        sandbox.faults.switch_on(fault)
    connection = connection_of(sandbox, password="canary-wrong")
    with (
        GenesysClient(connection, settings, timekeeping=NO_WAITING) as client,
        pytest.raises(NotAuthorised, match="genesys_cloud") as caught,
    ):
        client.find_conversations(DAY[0], DAY[0] + timedelta(days=1))
    assert "canary-wrong" not in str(caught.value)
    assert 1 == client.counts.token_requests
