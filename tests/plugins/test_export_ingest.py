"""The adapters of the native export: the trigger finds what is new and changes nothing, the sensor goes on or skips."""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import replace
from uuid import uuid4

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred
from airflow.sdk.execution_time.context import OutletEventAccessors
from airflow.sdk.module_loading import import_string

from genesys_archive.defaults import EXPORT_ALIAS
from genesys_archive.operators.ingest_export import IngestExportOperator
from genesys_archive.operators.reconcile_day import ReconcileDayOperator
from genesys_archive.sensors.wait_for_export import WaitForExportSensor
from genesys_archive.triggers.export_objects import ExportObjectsTrigger
from include.errors import ConfigurationError
from include.lake.plan import DayPlan, read_expected
from include.local_day import LocalDay
from include.sandbox.native_export import Irregularities, NativeExport
from include.sandbox.tenant import Tenant
from include.settings import zone_named
from tests.lake.notifications import by_s3
from tests.plugins.conftest import DAY

DATES = {"start_date_text": str(DAY), "end_date_text": ""}


class Notes(dict):
    """The context of a task, as far as these operators use it."""

    try_number, max_tries = 1, 0

    def xcom_push(self, key, value):
        """Remember."""
        self[key] = value


@pytest.fixture
def exported(sandbox, connect, connect_lake, lake, lake_client, object_store, monkeypatch):
    """Connections, an empty lake, and an export with everything in it."""
    connect(sandbox)
    connect_lake(lake)
    export = f"{lake.location.prefix}-export"
    monkeypatch.setenv("RECORDING_ARCHIVE_EXPORT_URI", f"s3://{object_store.bucket}/{export}")
    monkeypatch.setenv("RECORDING_ARCHIVE_EXPORT_PATIENCE_SECONDS", "0")
    written = NativeExport(sandbox.world.tenant, (DAY,))
    written.write(lake_client, object_store.bucket, export)
    return written


@pytest.fixture
def regular(exported, lake_client, object_store, monkeypatch):
    """An export without an irregularity, of conversations that each have one recording."""
    prefix = f"exports/{uuid4().hex}"
    monkeypatch.setenv("RECORDING_ARCHIVE_EXPORT_URI", f"s3://{object_store.bucket}/{prefix}")
    config = replace(exported.tenant.config, scenario="clean")
    written = NativeExport(Tenant(config), (DAY,), Irregularities(0, 0, 0, 0))
    written.write(lake_client, object_store.bucket, prefix)
    return written


def fired(seconds=0.0, *, notified=False, window=("2026-01-04", "2026-01-06")):
    """Run a trigger over these dates, the day's own by default, to its end and return its only event."""

    async def events():
        trigger = ExportObjectsTrigger(*window, 0.1, time.time() + seconds, notified)
        path, arguments = trigger.serialize()
        again = import_string(path)(**json.loads(json.dumps(arguments)))
        return [event.payload async for event in again.run()]

    (event,) = asyncio.run(asyncio.wait_for(events(), 30))
    return event


@pytest.mark.usefixtures("airflow_database")
def test_trigger_fires_until_everything_is_settled(exported, lake):
    """It writes nothing while it looks; afterwards nothing is new, and a day is handed over until it is reported."""
    assert {"found": True} == fired()
    assert [] == list(lake.list_keys(""))
    task, notes = IngestExportOperator(task_id="ingest_export", **DATES), Notes()
    (day,) = task.execute({"ti": notes})
    assert (str(DAY), exported.truth().outcomes["archived"]) == (day["date"], day["seen"]["archived"])
    assert [day["plan_key"]] == [planned["plan_key"] for planned in notes["days"]]
    assert {"found": False} == fired()
    assert [] == task.execute({"ti": notes})
    assert [str(DAY)] == [left["date"] for left in notes["days"]]
    with pytest.raises(AirflowFailException, match="is not complete"):
        ReconcileDayOperator(task_id="reconcile_day", plan_task_id="ingest_export", plan_only="False").execute(
            {"ti": Handed(notes["days"]), "outlet_events": {}}
        )
    assert [] == task.execute({"ti": notes}) == notes["days"]


class Handed(Notes):
    """The context of a verdict: what the ingest left, and Airflow's own list of events to be."""

    def __init__(self, days):
        super().__init__(days=days)
        self.events = OutletEventAccessors()

    def xcom_pull(self, task_ids, key):
        """Return what the ingest left."""
        return self.get(key) if task_ids == "ingest_export" else []

    def announced(self, operator):
        """Run the verdict; return the assets it updates, with the dates."""
        operator.execute({"ti": self, "outlet_events": self.events})
        return [
            (event.dest_asset_key.name, [day["date"] for day in event.extra["days"]])
            for event in self.events[EXPORT_ALIAS].asset_alias_events
        ]


@pytest.mark.usefixtures("airflow_database")
def test_day_is_announced_once_somebody_has_asked_what_calls_it_had(regular, lake):
    """The export's word alone makes no complete day; a plan of analytics with the same calls does."""
    notes = Notes()
    IngestExportOperator(task_id="ingest_export", **DATES).execute({"ti": notes})
    verdict = ReconcileDayOperator(
        task_id="reconcile_day", plan_task_id="ingest_export", plan_only="False", outlets=[EXPORT_ALIAS]
    )
    assert [] == Handed(notes["days"]).announced(verdict)
    day = LocalDay.of(str(DAY), zone_named("UTC"))
    plan = DayPlan(regular.tenant.config.org_id, day, read_expected(lake, notes["days"][0]["plan_key"],
                   regular.tenant.config.org_id, str(DAY)))  # fmt: skip
    lake.put_document(plan.key, plan.body())
    assert [("genesys_recordings", [str(DAY)])] == Handed(notes["days"]).announced(verdict)


@pytest.mark.usefixtures("airflow_database")
def test_ingest_is_measured_by_class(exported, packets):
    """What became of the exported objects, and the downloads and records that a shard of the night counts too."""
    IngestExportOperator(task_id="ingest_export", **DATES).execute({"ti": Notes()})
    lines = packets("airflow.recording_archive.recordings.quarantined")
    truth = exported.truth().outcomes
    for name, count in {
        "export_waiting": "0|g",
        "export_objects.archived": f"{truth['archived']}|c",
        "export_objects.conflicting": f"{truth['conflicting']}|c",
        "recordings.archived": f"{truth['archived']}|c",
    }.items():
        assert f"airflow.recording_archive.{name}:{count}" in lines


@pytest.mark.usefixtures("exported", "airflow_database")
def test_trigger_says_what_a_person_must_repair(monkeypatch):
    """A bucket that is not there ends the wait with a sentence, not with a retry for ever."""
    monkeypatch.setenv("RECORDING_ARCHIVE_EXPORT_URI", "s3://no-such-bucket/export")
    assert "no-such-bucket" in fired()["error"]


@pytest.fixture
def notified(exported, sqs_server, sqs, queue_url, object_store, monkeypatch):
    """The same export with a queue, through a connection of its own; returns how to announce its objects."""
    services = {"s3": object_store.endpoint_url, "sqs": sqs_server.endpoint_url}
    extra = {
        "region_name": object_store.region,
        "service_config": {name: {"endpoint_url": url} for name, url in services.items()},
    }
    login = {"login": object_store.access_key, "password": object_store.secret_key}
    monkeypatch.setenv("AIRFLOW_CONN_RECORDING_EXPORT", json.dumps({"conn_type": "aws", "extra": extra, **login}))
    monkeypatch.setenv("RECORDING_ARCHIVE_EXPORT_QUEUE_URL", queue_url)
    assert exported.truth().outcomes["archived"]

    def announce(key):
        body = by_s3(object_store.bucket, key, "etag-of-the-event")
        sqs.send_message(QueueUrl=queue_url, MessageBody=body)

    return announce


@pytest.mark.usefixtures("airflow_database", "packets")
def test_message_wakes_and_the_ingest_puts_it_away(notified, exported, object_store, lake_client):
    """The trigger consumes none; the task finds the day by its message alone, months after its window."""
    prefix = os.environ["RECORDING_ARCHIVE_EXPORT_URI"].removeprefix(f"s3://{object_store.bucket}/")
    page = lake_client.list_objects_v2(Bucket=object_store.bucket, Prefix=prefix, MaxKeys=1)
    notified(page["Contents"][0]["Key"])
    # The window has nothing; and the triggerer may come to it only when the time is over.
    for seconds in (60.0, 0.0):
        assert {"found": True} == fired(seconds, notified=True, window=("2026-06-01", "2026-06-02"))
    task, notes = IngestExportOperator(task_id="ingest_export", start_date_text="", end_date_text=""), Notes()
    (day,) = task.execute({"ti": notes})
    assert (str(DAY), exported.truth().outcomes["archived"]) == (day["date"], day["seen"]["archived"])
    assert {"found": False} == fired(notified=True)


@pytest.mark.usefixtures("notified", "airflow_database")
def test_silent_queue_is_not_believed():
    """At the end of the wait it lists once: a message that was lost costs some time."""
    assert {"found": True} == fired(0.5, notified=True)


def test_sensor_asks_the_queue_where_there_is_one(monkeypatch):
    """But lists at once where a person names days."""
    monkeypatch.setenv("RECORDING_ARCHIVE_EXPORT_URI", "s3://bucket/export")
    monkeypatch.setenv("RECORDING_ARCHIVE_EXPORT_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/q")
    for start, notified in (("", True), (str(DAY), False)):
        with pytest.raises(TaskDeferred) as deferred:
            WaitForExportSensor(task_id="wait", start_date_text=start, end_date_text="").execute({})
        assert notified is deferred.value.trigger.notified
    monkeypatch.setenv("RECORDING_ARCHIVE_EXPORT_QUEUE_URL", "recordings")
    with pytest.raises(ConfigurationError, match="RECORDING_ARCHIVE_EXPORT_QUEUE_URL"):
        WaitForExportSensor(task_id="wait", **DATES).execute({})


def test_sensor_defers_goes_on_skips_and_fails(monkeypatch):
    """Four ends, each by its own way."""
    sensor = WaitForExportSensor(task_id="wait_for_export", **DATES)
    with pytest.raises(ConfigurationError, match="RECORDING_ARCHIVE_EXPORT_URI"):
        sensor.execute({})
    monkeypatch.setenv("RECORDING_ARCHIVE_EXPORT_URI", "s3://bucket/export")
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute({})
    assert ("2026-01-04", "2026-01-06") == (deferred.value.trigger.first, deferred.value.trigger.last)
    sensor.resume({}, {"found": True})
    with pytest.raises(AirflowSkipException):
        sensor.resume({}, {"found": False})
    with pytest.raises(AirflowFailException, match="refused"):
        sensor.resume({}, {"error": "refused"})


@pytest.mark.parametrize(("start", "end"), [("2026-1-5", ""), ("2026-01-05", "2026-01-04")])
def test_dates_that_are_none_are_named(monkeypatch, start, end):
    """The parameter is named before anything is listed."""
    monkeypatch.setenv("RECORDING_ARCHIVE_EXPORT_URI", "s3://bucket/export")
    with pytest.raises(ConfigurationError, match=r"(start|end)_date"):
        WaitForExportSensor(task_id="wait", start_date_text=start, end_date_text=end).execute({})
