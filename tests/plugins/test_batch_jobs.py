"""The trigger against a real sandbox: it waits, gives up at its deadline, and changes nothing."""

from __future__ import annotations

import asyncio
import json
import time
from uuid import uuid4

import pytest
from airflow.sdk.module_loading import import_string

from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.triggers.batch_jobs import BatchJobsTrigger, _shared_source
from include.genesys.waiting import poll_pause_seconds
from tests.plugins.conftest import CANARY_SECRET, DAY

BOUND_SECONDS = 30


@pytest.fixture(autouse=True)
def _fresh_client(sandbox, connect):
    """Each test begins with a connection to the sandbox, no faults, and ends with its connections closed."""
    connect(sandbox)
    sandbox.faults.switch_off()
    _shared_source.cache_clear()
    yield
    sandbox.faults.switch_off()
    _shared_source(GenesysHook().genesys_connection(), archive_settings()).client.close()
    _shared_source.cache_clear()


def submitted(sandbox, batches=1):
    """Submit batches as the archive does, and return their job ids."""
    ids = [item.conversation_id for item in sandbox.truth(DAY).conversations]
    with GenesysHook().client(archive_settings()) as client:
        return [client.submit_batch(ids[: number + 1]) for number in range(batches)]


def trigger_for(job_ids, seconds=BOUND_SECONDS):
    """Return a trigger that gives up after so many seconds."""
    return BatchJobsTrigger("genesys_cloud", job_ids, poll_seconds=0.1, deadline=time.time() + seconds)


async def events_of(trigger):
    """Return the payloads of everything the trigger says."""
    return [event.payload async for event in trigger.run()]


def fired(trigger):
    """Run a trigger to its end, within a bound, and return its only event."""
    (event,) = asyncio.run(asyncio.wait_for(events_of(trigger), BOUND_SECONDS))
    return event


def test_serialize_round_trips_through_json():
    """What Airflow stores leads back to the same class and the same arguments."""
    path, arguments = trigger_for(["a", "b"]).serialize()
    again = import_string(path)(**json.loads(json.dumps(arguments)))
    assert (BatchJobsTrigger, (path, arguments)) == (type(again), again.serialize())


def test_stored_arguments_hold_ids_and_numbers_only(sandbox):
    """No secret, token or address is among what Airflow writes into its database."""
    job_ids = submitted(sandbox)
    trigger = trigger_for(job_ids)
    fired(trigger)
    _, arguments = trigger.serialize()
    stored = json.dumps(arguments)
    assert {"genesys_conn_id", "job_ids", "poll_seconds", "deadline"} == set(arguments)
    assert [] == [text for text in (CANARY_SECRET, "http", "Bearer", "X-Amz") if text in stored]


def test_finished_jobs_are_named(sandbox):
    """One event says that both jobs finished, after more polls than one."""
    job_ids = submitted(sandbox, batches=2)
    event = fired(trigger_for(job_ids))
    assert (sorted(job_ids), [], []) == (event["finished"], event["unfinished"], event["gone"])
    assert "error" not in event
    assert event["polls"] > len(job_ids)


def test_event_is_small_and_holds_no_url(sandbox):
    """The event goes into the database: ids and a count."""
    event = fired(trigger_for(submitted(sandbox)))
    assert {"finished", "unfinished", "gone", "polls", "waited_seconds"} == set(event)
    assert "http" not in json.dumps(event)


def test_stuck_job_is_unfinished_at_the_deadline(sandbox):
    """A job that never completes does not hold back what the others have."""
    sandbox.faults.switch_on("batch-stuck")
    stuck, fine = submitted(sandbox, batches=2)
    began = time.monotonic()
    event = fired(trigger_for([stuck, fine], seconds=2))
    assert ([fine], [stuck]) == (event["finished"], event["unfinished"])
    assert 1.5 < time.monotonic() - began < 6


def test_deadline_in_the_past_asks_nothing(sandbox):
    """A trigger that comes back after its deadline, as after a long outage, ends at once."""
    job_ids = submitted(sandbox)
    sandbox.journal.clear()
    event = fired(trigger_for(job_ids, seconds=-1))
    assert (job_ids, 0, {}) == (event["unfinished"], event["polls"], sandbox.journal.summary())


def test_shard_without_jobs_waits_for_nothing(sandbox):
    """All of its conversations were erased: nobody is asked, and it is over at once."""
    sandbox.journal.clear()
    assert ([], [], 0) == tuple(fired(trigger_for([]))[name] for name in ("finished", "unfinished", "polls"))
    assert {} == sandbox.journal.summary()


def test_unknown_job_is_gone(sandbox):
    """A job that the source no longer knows is named, and not waited for."""
    (job_id,), lost = submitted(sandbox), str(uuid4())
    event = fired(trigger_for([lost, job_id]))
    assert ([lost], [job_id], []) == (event["gone"], event["finished"], event["unfinished"])


def test_refused_credentials_are_an_event_with_the_sentence(sandbox, connect):
    """A person must act, so the wait ends now, and the sentence does not hold what was refused."""
    job_ids = submitted(sandbox)
    connect(sandbox, password="not-the-secret")
    event = fired(trigger_for(job_ids))
    assert "genesys_cloud" in event["error"]
    assert [] == [text for text in ("not-the-secret", CANARY_SECRET) if text in json.dumps(event)]


def test_missing_connection_is_an_event_with_the_sentence(sandbox, connect):
    """A connection without a field is named as in every other task."""
    job_ids = submitted(sandbox)
    connect(sandbox, without=["org_id"])
    event = fired(trigger_for(job_ids))
    connect(sandbox)
    assert "Connection 'genesys_cloud': org_id is not set" in event["error"]


def test_missing_setting_is_an_event_with_the_sentence(monkeypatch):
    """A triggerer that lacks a variable its workers have would otherwise fail the task without a word."""
    with monkeypatch.context() as patch:
        patch.delenv("RECORDING_LAKE_URI")
        event = fired(trigger_for(["job"]))
    assert event["error"].startswith("RECORDING_LAKE_URI is not set")


def test_two_triggers_for_the_same_jobs_agree(sandbox):
    """Airflow may run a trigger twice: both see the same end, and neither submits anything."""
    job_ids = submitted(sandbox, batches=2)
    sandbox.journal.clear()

    async def both():
        return await asyncio.gather(*(events_of(trigger_for(job_ids)) for _ in range(2)))

    first, second = asyncio.run(asyncio.wait_for(both(), BOUND_SECONDS))
    assert [{**event, "polls": 0} for event in first] == [{**event, "polls": 0} for event in second]
    written = [line for line in sandbox.journal.summary() if line.startswith("POST /api/")]
    assert [] == written


def test_triggers_of_a_process_share_one_token(sandbox):
    """Waiting for three shards costs one token call, not three."""
    job_ids = submitted(sandbox, batches=3)
    sandbox.journal.clear()

    async def each():
        await asyncio.gather(*(events_of(trigger_for([job_id])) for job_id in job_ids))

    asyncio.run(asyncio.wait_for(each(), BOUND_SECONDS))
    assert 1 == sandbox.journal.summary()["POST /oauth/token"]


def test_passing_server_errors_are_no_news(sandbox, monkeypatch):
    """When the door has no patience left, the trigger still has: it asks again at the next poll."""
    monkeypatch.setenv("RECORDING_ARCHIVE_API_DEADLINE_SECONDS", "0.2")
    job_ids = submitted(sandbox)
    sandbox.faults.switch_on("api-500:3")
    event = fired(trigger_for(job_ids))
    assert 3 == sandbox.faults.list()[0]["fired"]
    assert job_ids == event["finished"]


def test_source_that_answers_nothing_does_not_move_the_deadline(sandbox, monkeypatch):
    """Each open job may use up the door's patience once, not all of them one after another."""
    monkeypatch.setenv("RECORDING_ARCHIVE_API_DEADLINE_SECONDS", "1.5")
    job_ids = submitted(sandbox, batches=5)
    sandbox.faults.switch_on("api-500:100000")
    began = time.monotonic()
    event = fired(trigger_for(job_ids, seconds=1))
    assert sorted(job_ids) == event["unfinished"]
    assert time.monotonic() - began < 4


def test_many_open_jobs_are_polled_less_often():
    """Two hundred and fifty jobs leave half of the allowance to others; three are polled as often as was wished."""
    assert 10.0 == poll_pause_seconds(10.0, 3, 300)
    assert 100.0 == poll_pause_seconds(10.0, 250, 300)
