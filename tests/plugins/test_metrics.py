"""The archive's metrics as packets: what Airflow's own StatsD client puts on the wire."""

from __future__ import annotations

import socket

import pytest
from airflow.sdk._shared.observability.metrics.stats import _get_backend
from airflow.sdk.configuration import conf
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics.stats_utils import get_stats_factory

from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.metrics import AirflowMetrics
from tests.plugins.conftest import DAY

UNTIL_SECONDS = 5.0


@pytest.fixture
def packets(monkeypatch):
    """Listen where Airflow's metrics are sent; returns what came, once ``last`` has."""
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


def test_each_kind_is_sent_as_what_it_is(packets):
    """Counters, gauges and timers, the last in milliseconds; nothing for a zero."""
    metrics = AirflowMetrics()
    metrics.count("recording_archive.downloads", 3)
    metrics.count("recording_archive.api_retries", 0)
    metrics.duration("recording_archive.download_duration", 1.25)
    metrics.gauge("recording_archive.day_completeness_percent", 99.99)
    assert [
        "airflow.recording_archive.downloads:3|c",
        "airflow.recording_archive.download_duration:1250.000000|ms",
        "airflow.recording_archive.day_completeness_percent:99.99|g",
    ] == packets("airflow.recording_archive.day_completeness_percent")


def test_calls_of_a_client_are_sent_when_it_is_closed(packets, sandbox, connect, airflow_database):
    """One search of a day and its token."""
    assert airflow_database is None
    connect(sandbox)
    from genesys_archive.defaults import archive_settings  # noqa: PLC0415 - after the environment is set
    from include.local_day import LocalDay  # noqa: PLC0415

    settings = archive_settings()
    day = LocalDay(DAY, settings.timezone)
    with GenesysHook().client(settings) as source:
        source.find_conversations(day.start, day.end)
        calls = source.counts.total
    lines = packets("airflow.recording_archive.api_wait")
    assert f"airflow.recording_archive.api_calls:{calls}|c" in lines
    assert "airflow.recording_archive.api_token_requests:1|c" in lines
