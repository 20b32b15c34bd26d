"""The archive's metrics as packets: what Airflow's own StatsD client puts on the wire."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.metrics import AirflowMetrics
from genesys_archive.operators.deliver_webhooks import DeliverWebhooksOperator
from genesys_archive.operators.reconcile_day import ReconcileDayOperator
from include.audit.figures import DayFigures
from include.canonical import canonical_json
from include.lake.layout import report_key
from tests.plugins.conftest import DAY
from tests.plugins.one_day import planned_day, run_of
from tests.story import night
from tests.story.committed import commit_parts


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


def test_outbox_that_nobody_takes_is_sent_as_gauges(packets, connected, monkeypatch):
    """How many events wait, for how long, and how many were given up: from the task itself, which stays green."""
    commit_parts(connected, (1, 0), (2, 0))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("RECORDING_WEBHOOK_URL", f"http://127.0.0.1:{listener.getsockname()[1]}/hook")
    monkeypatch.setenv("RECORDING_ARCHIVE_WEBHOOK_KEY", "a-key-of-more-than-thirty-two-bytes")
    monkeypatch.setenv("RECORDING_ARCHIVE_WEBHOOK_PATIENCE_SECONDS", "0.1")
    task = DeliverWebhooksOperator(task_id="deliver_webhooks", plan_task_id="plan_day", plan_only="False")
    assert [2] == [day["waiting"] for day in task.execute(run_of([{"date": str(night.DAY)}]))]
    lines = packets("airflow.recording_archive.outbox_dead")
    assert {"airflow.recording_archive.outbox_undelivered:2|g", "airflow.recording_archive.outbox_dead:0|g"} <= {*lines}
    (age,) = [line for line in lines if line.startswith("airflow.recording_archive.outbox_age_seconds:")]
    assert 0 <= float(age.split(":")[1].removesuffix("|g")) < 600


def test_days_that_wait_are_counted_whatever_day_the_run_is_about(packets, connected):
    """A held day of last week and an open one stay in the gauges when another day is reconciled and is well."""
    today = datetime.now(UTC).date()
    for back, state in ((3, "held"), (7, "open"), (8, "held"), (9, "closed")):
        figures = DayFigures(str(today - timedelta(days=back)), 1, state=state)
        connected.put_latest(report_key(figures.date, "figures.json"), canonical_json(figures.to_json()), "text/json")
    task = ReconcileDayOperator(task_id="reconcile_day", plan_task_id="plan_day", plan_only="False")
    task.execute(run_of([planned_day(connected)]))
    lines = packets("airflow.recording_archive.days_held")
    assert {"airflow.recording_archive.days_open:1|g", "airflow.recording_archive.days_held:2|g"} <= {*lines}
