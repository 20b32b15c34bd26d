"""The native export on a real Airflow: waited for in the triggerer, archived without the API, once."""

from __future__ import annotations

from datetime import date

import pytest

from demo.archive_run import wait_for_dag
from demo.object_store import BUCKET
from demo.options import EXPORT_DAG
from include.sandbox.native_export import NativeExport
from tests.journeys.organisations import EXPORTED

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def exported(journey):
    """Everything is written, then ingested twice: what was written, both runs, and the bucket after each."""
    wait_for_dag(journey.stack, EXPORT_DAG)
    sandbox = journey.to("exported")
    written = NativeExport(sandbox.world.tenant, (date.fromisoformat(EXPORTED),))
    client = journey.stack.lake.client()
    written.write(client, BUCKET, "native-export")
    client.close()
    sandbox.journal.clear()
    first = journey.ingest(start_date=EXPORTED)
    after = journey.bucket.listing()
    second = journey.ingest(start_date=EXPORTED)
    return written.truth(), (first, second), (after, journey.bucket.listing()), list(sandbox.journal)


def test_every_class_is_counted_and_the_conflict_is_red(exported):
    """The ingest is green; the day is open for the one recording that contradicts itself, and says so."""
    truth, (run, _), *_ = exported
    assert {"success"} == run.states()["ingest_export"], run.log("ingest_export")[-4000:]
    (day,) = run.xcoms()["ingest_export", -1, "return_value"]
    assert truth.outcomes["archived"] == day["seen"]["archived"]
    assert truth.outcomes["conflicting"] == day["seen"]["conflicting"] == 1
    assert truth.outcomes["duplicate"] == day["seen"]["recognised"]
    states = run.states()
    assert {"success"} == states["wait_for_export"] == states["ingest_export"]
    assert {"failed"} == states["reconcile_day"]


def test_second_run_is_skipped_and_writes_nothing(exported):
    """Nothing new came: skipped in the triggerer, the listing identical, times included."""
    _, (_, again), (before, after), _ = exported
    assert {"skipped"} == again.states()["wait_for_export"]
    assert before == after


def test_api_is_never_asked(exported):
    """Not one request reached Genesys."""
    *_, calls = exported
    assert [] == calls
