"""The independent judge: the vendor's unmodified SDK makes every call the pipeline makes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from include.sandbox.config import SandboxConfig
from include.sandbox.server import running

DAY = date(2026, 1, 5)
EXPECTED_CALLS = {
    "GET /api/v2/analytics/conversations/details/jobs/availability",
    "GET /api/v2/analytics/conversations/details/jobs/{jobId}",
    "GET /api/v2/analytics/conversations/details/jobs/{jobId}/results",
    "GET /api/v2/conversations/{conversationId}/recordingmetadata",
    "GET /api/v2/conversations/{conversationId}/recordingmetadata/{recordingId}",
    "GET /api/v2/conversations/{conversationId}/recordings",
    "GET /api/v2/conversations/{conversationId}/recordings/{recordingId}",
    "GET /api/v2/recording/batchrequests/{jobId}",
    "GET /api/v2/recording/jobs",
    "GET /api/v2/recording/jobs/{jobId}",
    "GET /api/v2/recording/jobs/{jobId}/failedrecordings",
    "GET /api/v2/recording/settings",
    "GET /api/v2/routing/queues",
    "GET /api/v2/routing/wrapupcodes",
    "GET /api/v2/users",
    "GET /api/v2/users/{userId}",
    "POST /api/v2/analytics/conversations/details/jobs",
    "POST /api/v2/analytics/conversations/details/query",
    "POST /api/v2/recording/batchrequests",
    "POST /api/v2/recording/jobs",
    "POST /oauth/token",
    "PUT /api/v2/recording/jobs/{jobId}",
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What the SDK made of a clean day, the day's truth, and the calls the sandbox noted."""
    config = SandboxConfig(dates=(DAY,), conversations=40, scenario="clean", job_seconds=0.4)
    with running(config) as sandbox:
        environment = {**os.environ, "HOME": str(tmp_path_factory.mktemp("home")), "PYTHONDONTWRITEBYTECODE": "1"}
        interval = "2026-01-05T00:00:00.000Z/2026-01-06T00:00:00.000Z"
        script = str(Path(__file__).with_name("sdk_caller.py"))
        command = [sys.executable, script, sandbox.api_base_url, sandbox.client_id, sandbox.client_secret, interval]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)  # noqa: S603 - our script
        assert done.returncode == 0, done.stderr[-3000:]
        yield json.loads(done.stdout), sandbox.truth(DAY), sandbox.journal


def test_sdk_makes_every_call_of_the_pipeline(seen):
    """Each operation of the pipeline is understood by the sandbox when the vendor's SDK speaks it, and none fails."""
    _, _, journal = seen
    assert set(journal.summary()) == EXPECTED_CALLS
    assert {call.status for call in journal} <= {200, 202}


def test_sdk_finds_exactly_the_conversations_of_the_day(seen):
    """Paging by the synchronous query and the cursor of the asynchronous job find the day's truth, in order."""
    facts, truth, _ = seen
    expected = [conversation.conversation_id for conversation in truth.conversations]
    assert expected == facts["conversations"]
    assert expected == facts["job_ids"]


def test_sdk_sees_a_job_that_agrees_early_and_completes_late(seen):
    """A batch job is InProgress while its counts agree for the first time, and Completed only with every result."""
    facts, truth, _ = seen
    results, expected = facts["batch_counts"][0]
    parts = sum(len(conversation.parts) for conversation in truth.conversations)
    assert results == expected < parts
    assert facts["batch_statuses"][0] == "InProgress"
    assert facts["batch_statuses"][-1] == "Completed"
    assert parts == facts["batch_results"]


def test_sdk_waits_for_a_rendering(seen):
    """A single recording answers 202 with an estimate first, then one merged file under the key S."""
    facts, _, _ = seen
    assert facts["transcoding_first"] == 1000
    assert facts["media_keys"] == ["S"]
    assert facts["recordings"][0] == 0
    assert facts["recordings"][-1] >= 1


def test_sdk_looks_up_names_and_settings(seen):
    """Metadata, users, queues, codes, settings and availability answer in the published shapes."""
    facts, _, _ = seen
    assert "AVAILABLE" in facts["metadata"]
    assert facts["users"] == facts["users_asked"]
    assert all(facts[name] for name in ("metadata_one", "user", "queues", "codes", "available"))
    assert facts["settings"] == 60


def test_sdk_walks_the_state_machines(seen):
    """Details jobs end FULFILLED; bulk jobs go PENDING, READY, PROCESSING, FULFILLED."""
    facts, _, _ = seen
    states, failed, total = facts["bulk"]
    assert facts["job_states"][-1] == "FULFILLED"
    assert ["PENDING", "READY", "PROCESSING", "FULFILLED"] == sorted(set(states), key=states.index)
    assert (0, 1) == (failed, total)
