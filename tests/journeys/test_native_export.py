"""The native export on a real Airflow: waited for in the triggerer, archived without the API, once, and told."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date

import pytest

from demo.archive_run import wait_for_dag
from demo.object_store import BUCKET
from demo.options import EXPORT_DAG
from include.sandbox.native_export import NativeExport
from tests.journeys.organisations import EXPORTED
from tests.lake.notifications import by_s3

pytestmark = pytest.mark.journey
PREFIX = "native-export"


@pytest.fixture(scope="module")
def connected(journey, sqs_server):
    """The connection of the export: the lake's keys, and an endpoint for each service."""
    lake = journey.stack.lake
    services = {"s3": {"endpoint_url": lake.endpoint_url}, "sqs": {"endpoint_url": sqs_server.endpoint_url}}
    extra = json.dumps({"region_name": lake.region, "service_config": services})
    body = {"connection_id": "recording_export", "conn_type": "aws", "extra": extra}
    journey.api.send("POST", "/connections", json={**body, "login": lake.access_key, "password": lake.secret_key})
    return journey


@pytest.fixture(scope="module")
def exported(connected, export_queue, sqs):
    """What was in time is ingested by listing, what came late by its messages, and then there is nothing new."""
    journey = connected
    wait_for_dag(journey.stack, EXPORT_DAG)
    sandbox = journey.to("exported")
    written = NativeExport(sandbox.world.tenant, (date.fromisoformat(EXPORTED),))
    client = journey.stack.lake.client()
    written.write(client, BUCKET, PREFIX, "first")
    sandbox.journal.clear()
    runs = [journey.ingest(start_date=EXPORTED)]
    in_time = {entry["Key"] for entry in client.list_objects_v2(Bucket=BUCKET, Prefix=PREFIX)["Contents"]}
    written.write(client, BUCKET, PREFIX, "late")
    for entry in client.list_objects_v2(Bucket=BUCKET, Prefix=PREFIX)["Contents"]:
        if entry["Key"] not in in_time:
            body = by_s3(BUCKET, entry["Key"], entry["ETag"].strip('"'))
            sqs.send_message(QueueUrl=export_queue, MessageBody=body)
    client.close()
    runs.append(journey.ingest())
    after = journey.bucket.listing()
    runs.append(journey.ingest(start_date=EXPORTED))
    return written.truth(), runs, (after, journey.bucket.listing()), list(sandbox.journal)


def test_every_class_is_counted_and_the_conflict_is_red(exported):
    """Both ingests are green; the day is open for the one recording that contradicts itself, and says so."""
    truth, (first, second, _), *_ = exported
    seen = Counter()
    for run in (first, second):
        states = run.states()
        assert {"success"} == states["wait_for_export"] == states["ingest_export"], run.log("ingest_export")[-4000:]
        (day,) = run.xcoms()["ingest_export", -1, "return_value"]
        seen.update(day["seen"])
    assert truth.outcomes["archived"] == seen["archived"]
    assert truth.outcomes["conflicting"] == seen["conflicting"] == 1
    assert truth.outcomes["duplicate"] == seen["recognised"]
    assert {"failed"} == second.states()["reconcile_day"]


def test_messages_wake_the_run_and_are_put_away(exported, sqs, export_queue):
    """Ten months after its window, by the queue alone; afterwards it is empty."""
    _, (_, second, _), *_ = exported
    assert "Asking" in second.log("wait_for_export")
    assert "settled" in second.log("ingest_export")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    assert {"0"} == set(sqs.get_queue_attributes(QueueUrl=export_queue, AttributeNames=names)["Attributes"].values())


def test_receiver_and_people_are_told_as_of_the_night(exported, receiver, notices, connected):
    """Each archived recording, red day or not, and how the run ended; the gate at the source is shut."""
    truth, (_, second, _), *_ = exported
    assert {"success"} == second.states()["deliver_webhooks"]
    assert {"skipped"} == second.states()["delete_exported"]
    events = [event for event in list(receiver.events.values()) if event["date"] == EXPORTED]
    assert truth.outcomes["archived"] == len({event["key"] for event in events})
    connected.wait(lambda: any(second.run_id in notice["message"] for notice in notices), 60)


def test_third_run_is_skipped_and_writes_nothing(exported):
    """Nothing new came: skipped in the triggerer, the listing identical, times included."""
    _, (*_, again), (before, after), _ = exported
    assert {"skipped"} == again.states()["wait_for_export"] == again.states()["deliver_webhooks"]
    assert before == after


def test_api_is_never_asked(exported):
    """Not one request reached Genesys."""
    *_, calls = exported
    assert [] == calls
