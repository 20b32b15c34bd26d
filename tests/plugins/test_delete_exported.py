"""The gate as a task: shut by default, and opened only by setting, parameter and connection together."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from genesys_archive.operators.delete_exported import DeleteExportedOperator
from genesys_archive.operators.ingest_export import IngestExportOperator
from include.errors import ConfigurationError, IntegrityError
from include.lake.layout import media_day_prefix
from include.sandbox.native_export import NativeExport
from tests.plugins.conftest import DAY
from tests.plugins.one_day import run_of

DATES = {"start_date_text": str(DAY), "end_date_text": ""}
SETTING = "RECORDING_ARCHIVE_EXPORT_DELETE_ARCHIVED"


def gate(wanted):
    """Run the task."""
    return DeleteExportedOperator(task_id="delete_exported", wanted=wanted, **DATES).execute(run_of([]))


@pytest.fixture
def ingested(connected, sandbox, connect, lake_client, object_store, versioned_bucket, monkeypatch):
    """An export in a bucket with versions, ingested; returns the lake and what the export holds."""
    connect(sandbox)
    prefix = f"exports/{uuid4().hex}"
    monkeypatch.setenv("GENESYS_TIMEZONE", "UTC")
    monkeypatch.setenv("RECORDING_ARCHIVE_EXPORT_URI", f"s3://{versioned_bucket}/{prefix}")
    monkeypatch.setenv("RECORDING_ARCHIVE_EXPORT_PATIENCE_SECONDS", "0")
    monkeypatch.setenv("RECORDING_ARCHIVE_EXPORT_DELETE_AFTER_DAYS", "0")
    NativeExport(sandbox.world.tenant, (DAY,)).write(lake_client, versioned_bucket, prefix)
    IngestExportOperator(task_id="ingest_export", **DATES).execute(run_of([]))
    extra = {"endpoint_url": object_store.endpoint_url, "region_name": object_store.region}
    login = {"login": object_store.access_key, "password": object_store.secret_key}
    connection = json.dumps({"conn_type": "aws", "extra": extra, **login})

    def media():
        page = lake_client.list_objects_v2(Bucket=versioned_bucket, Prefix=prefix)
        return [entry["Key"] for entry in page["Contents"] if not entry["Key"].endswith(".json")]

    return connected, media, connection


def test_gate_is_shut_by_default():
    """Nobody asked: skipped, before any setting is read."""
    with pytest.raises(AirflowSkipException):
        gate("False")


@pytest.mark.usefixtures("connected")
def test_parameter_alone_opens_nothing(monkeypatch):
    """Who may trigger a run may not thereby delete; nor does the setting without a connection of its own."""
    monkeypatch.setenv("RECORDING_ARCHIVE_EXPORT_URI", "s3://bucket/export")
    with pytest.raises(ConfigurationError, match=SETTING):
        gate("True")
    monkeypatch.setenv(SETTING, "true")
    with pytest.raises(ConfigurationError, match="recording_export_delete"):
        gate("True")


def test_open_gate_deletes_what_is_proved(ingested, monkeypatch):
    """Counts by what became of each, and the conflicts stay."""
    _, media, connection = ingested
    monkeypatch.setenv(SETTING, "true")
    monkeypatch.setenv("AIRFLOW_CONN_RECORDING_EXPORT_DELETE", connection)
    before = len(media())
    counts = gate("True")
    assert before - len(media()) == counts["deleted"] > 0
    assert len(media()) == sum(counts.values()) - counts["deleted"]


def test_damaged_lake_is_red_and_deletes_nothing(ingested, lake_client, sandbox, monkeypatch):
    """The error of the day as it came."""
    lake, media, connection = ingested
    monkeypatch.setenv(SETTING, "true")
    monkeypatch.setenv("AIRFLOW_CONN_RECORDING_EXPORT_DELETE", connection)
    before = media()
    key = next(key for key in lake.list_keys(media_day_prefix(sandbox.org_id, str(DAY))) if not key.endswith(".json"))
    lake_client.delete_object(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/{key}")
    with pytest.raises(IntegrityError, match="was deleted"):
        gate("True")
    assert before == media()
