"""One stack for all journeys: a start costs as much as a run. Each journey has days of its own in the same lake."""

from __future__ import annotations

import json

import pytest
from cryptography.fernet import Fernet

from demo.archive_run import wait_for_dag
from demo.object_store import BUCKET
from demo.options import DAILY_DAG, StackOptions
from demo.stack import running_stack
from tests.journeys.journey import Journey
from tests.journeys.notices import told
from tests.journeys.organisations import MONDAY, WEBHOOK_KEY, WEBHOOK_TOKEN, ZONE, Organisations
from tests.journeys.statsd import receiving
from tests.story.receiver import receiving as receiving_events

FERNET_KEY = Fernet.generate_key().decode()
ENVIRONMENT = {
    "AIRFLOW__CORE__FERNET_KEY": FERNET_KEY,
    # A killed triggerer's work is taken over when its heartbeat is this old; 30 is the default.
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
    "GENESYS_TIMEZONE": ZONE,
    # Nobody waits for a half that never comes.
    "RECORDING_ARCHIVE_EXPORT_URI": f"s3://{BUCKET}/native-export",
    "RECORDING_ARCHIVE_EXPORT_PATIENCE_SECONDS": "0",
    "RECORDING_ARCHIVE_EXPORT_WAIT_SECONDS": "1",
    # Two shards for a day of forty conversations.
    "RECORDING_ARCHIVE_BATCH_ITEMS": "20",
}


def sending_to(port):
    """Return the settings that send Airflow's metrics to a port."""
    return {
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
        "AIRFLOW__METRICS__STATSD_PORT": str(port),
    }


@pytest.fixture(scope="package")
def statsd():
    """Where the stack's metrics arrive."""
    with receiving() as received:
        yield received


@pytest.fixture(scope="package")
def receiver():
    """Where the webhook's events arrive: the receiver of the page."""
    with receiving_events(WEBHOOK_KEY) as server:
        yield server


@pytest.fixture(scope="package")
def notices():
    """What people are told: title and type of each notice."""
    with told() as heard:
        yield heard


def telling(receiver, notices):
    """Return the settings of the webhook and of the notices."""
    path = {"path": f"json://127.0.0.1:{notices.port}/"}
    return {
        "RECORDING_WEBHOOK_URL": f"http://127.0.0.1:{receiver.server_port}/hook?token={WEBHOOK_TOKEN}",
        "RECORDING_ARCHIVE_WEBHOOK_KEY": WEBHOOK_KEY,
        "RECORDING_ARCHIVE_NOTIFY_CONN_ID": "on_call",
        "RECORDING_ARCHIVE_NOTIFY_ON": "always",
        "AIRFLOW_CONN_ON_CALL": json.dumps({"conn_type": "apprise", "extra": {"config": [path]}}),
    }


@pytest.fixture(scope="package")
def export_queue(sqs_server, sqs):
    """The queue with the notifications of the native export's bucket."""
    return sqs_server.new_queue(sqs)


@pytest.fixture(scope="package")
def journey(tmp_path_factory, statsd, receiver, notices, export_queue):
    """A running stack that knows the daily DAG, and the organisations it can be pointed at."""
    options = StackOptions(
        directory=tmp_path_factory.mktemp("journeys"),
        sandbox=None,
        environment={
            **ENVIRONMENT,
            **sending_to(statsd.port),
            **telling(receiver, notices),
            "RECORDING_ARCHIVE_EXPORT_QUEUE_URL": export_queue,
        },
    )
    organisations = Organisations()
    try:
        with running_stack(options) as stack:
            wait_for_dag(stack, DAILY_DAG)
            journey = Journey(stack, organisations)
            yield journey
            journey.bucket.close()
            stack.airflow.close()
    finally:
        organisations.close()


@pytest.fixture(scope="package")
def watched():
    """What was seen while the first day waited: pools, states, and the triggers' stored arguments."""
    return []


@pytest.fixture(scope="package")
def monday(journey, watched):
    """The first run of an ordinary day, looked at while it waits."""
    from tests.journeys.waiting import Watcher  # noqa: PLC0415 - only where a day is watched

    journey.to("ordinary")
    return journey.run(Watcher(journey, watched), start_date=MONDAY)
