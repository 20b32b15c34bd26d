"""What the adapters' tests share: an Airflow of their own, a real sandbox, and connections in the environment."""

from __future__ import annotations

import json
import socket
from datetime import date

import pytest

import tests.plugins.isolation  # noqa: F401 - before anything imports Airflow
from include.sandbox.config import SandboxConfig
from include.sandbox.server import running
from tests.story.committed import ORG

DAY = date(2026, 1, 5)
UNTIL_SECONDS = 5.0
CANARY_SECRET = "canary-secret-5d1e"
STATE_NAMES = {"RECORDING_ARCHIVE_POLL_SECONDS": "0.1", "RECORDING_LAKE_URI": "s3://bucket/archive"}


@pytest.fixture(scope="session")
def airflow_database():
    """Airflow's metadata database: it is asked for connections that the environment does not have."""
    from airflow.utils.db import initdb  # noqa: PLC0415 - imports half of Airflow

    initdb()


@pytest.fixture(scope="module")
def sandbox():
    """A sandbox whose jobs take a moment; nothing limits the rate."""
    config = SandboxConfig(
        dates=(DAY,), conversations=12, job_seconds=0.3, client_secret=CANARY_SECRET, rate_limit=10_000
    )
    with running(config) as running_sandbox:
        yield running_sandbox


@pytest.fixture
def connect(monkeypatch, tmp_path):
    """Put the ``genesys_cloud`` connection to a sandbox into the environment; arguments change its fields."""
    for name, value in STATE_NAMES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RECORDING_ARCHIVE_STATE_DIR", str(tmp_path / "state"))

    def put(sandbox, *, without=(), extra=None, **fields):
        all_fields = {**connection_fields(sandbox), **fields}
        all_fields["extra"] = {**all_fields["extra"], **(extra or {})}
        for name in without:
            all_fields.pop(name, None)
            all_fields["extra"].pop(name, None)
        monkeypatch.setenv("AIRFLOW_CONN_GENESYS_CLOUD", json.dumps(all_fields))

    return put


@pytest.fixture
def connect_lake(object_store, monkeypatch):
    """Put the ``recording_lake`` connection and the address of a lake into the environment, with its zone if given."""

    def put(lake, zone=""):
        extra = {"endpoint_url": object_store.endpoint_url, "region_name": object_store.region}
        login = {"login": object_store.access_key, "password": object_store.secret_key}
        monkeypatch.setenv("AIRFLOW_CONN_RECORDING_LAKE", json.dumps({"conn_type": "aws", "extra": extra, **login}))
        monkeypatch.setenv("RECORDING_LAKE_URI", lake.location.uri)
        if zone:
            monkeypatch.setenv("GENESYS_TIMEZONE", zone)

    return put


@pytest.fixture
def connected(lake, sandbox, connect, connect_lake, airflow_database):
    """Put the connections to the sandbox and to an empty lake into the environment; returns the lake."""
    assert airflow_database is None
    connect(sandbox, extra={"org_id": ORG})
    connect_lake(lake, zone="Europe/Berlin")
    return lake


@pytest.fixture
def packets(monkeypatch):
    """Listen where Airflow's metrics are sent; returns what came, once ``last`` has."""
    # Airflow reads its configuration when it is imported, so not before a test asks for it.
    from airflow.sdk._shared.observability.metrics.stats import _get_backend  # noqa: PLC0415 - as above
    from airflow.sdk.configuration import conf  # noqa: PLC0415 - as above
    from airflow.sdk.observability import stats  # noqa: PLC0415 - as above
    from airflow.sdk.observability.metrics.stats_utils import get_stats_factory  # noqa: PLC0415 - as above

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(UNTIL_SECONDS)
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_ON", "True")
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_HOST", "127.0.0.1")
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_PORT", str(listener.getsockname()[1]))
        # As Airflow's task runner does before a task.
        stats.initialize(factory=get_stats_factory(), export_legacy_names=conf.getboolean("metrics", "legacy_names_on"))

        def received(last):
            lines = []
            while not any(line.startswith(last) for line in lines):
                lines += listener.recv(65536).decode().splitlines()
            return lines

        yield received
    # Airflow itself leaves the client's socket to the end of the process.
    _get_backend().statsd.close()
    monkeypatch.undo()
    stats.initialize(factory=get_stats_factory(), export_legacy_names=True)


def connection_fields(sandbox):
    """Return the fields of a connection to a sandbox, as a person would type them."""
    return {
        "conn_type": "http",
        "host": "mypurecloud.com",
        "login": sandbox.client_id,
        "password": sandbox.client_secret,
        "extra": {
            "contract": sandbox.world.config.contract,
            "api_base_url": sandbox.api_base_url,
            "login_base_url": sandbox.login_base_url,
            "org_id": sandbox.org_id,
            "requests_per_minute": 10_000,
            "media_hosts": "127.0.0.1",
        },
    }
