"""After whole days: no secret, token or signed address is anywhere that a person, a backup or an auditor can read.

Runs last of the journeys by its name, so that it searches what all of them left; alone, it searches after one day.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.journeys.haystack import found_in_bucket, found_in_database, found_in_files

pytestmark = pytest.mark.journey

PLANTED = "planted-control-2f7c"


@pytest.fixture(scope="module")
def needles(journey, monday):
    """What must not be found, by a name that a failure may print."""
    assert monday.state
    secrets = journey.organisations.secrets()
    assert 3 <= len(secrets)
    return {**secrets, "lake secret key": journey.stack.lake.secret_key, "signature": "X-Amz-Signature"}


@pytest.fixture(scope="module")
def present(journey, monday):
    """What must be found: the search is not blind."""
    job_id = monday.xcoms()["export_shard.submit_batches", 0, "return_value"]["jobs"][0]["job_id"]
    return {"run": monday.run_id, "job": job_id, "organisation": journey.organisations["ordinary"].org_id}


def names(found):
    """Return which needles were found."""
    return {name for name, _ in found}


def test_task_logs_hold_no_secret(journey, needles, present):
    """Neither those of the workers nor those of the triggerer."""
    folder = journey.stack.airflow_home / "logs"
    assert set() == found_in_files(folder, needles)
    assert "run" in names(found_in_files(folder, present))


def test_component_logs_hold_no_secret(journey, needles, present):
    """What the four components printed."""
    assert set() == found_in_files(journey.stack.logs, needles)
    assert "run" in names(found_in_files(journey.stack.logs, present))


def test_database_holds_no_secret(journey, needles, present):
    """Every column of every table: XComs, rendered fields, task state, connections (encrypted by Airflow)."""
    database = journey.stack.airflow_home / "airflow.db"
    assert set() == found_in_database(database, needles)
    assert {"run", "job"} <= names(found_in_database(database, present))


def test_triggers_hold_no_secret(watched, needles, present):
    """What stood in the trigger table while the day waited, decrypted with Airflow's own key."""
    stored = "\n".join(text for look in watched for text in look.triggers)
    assert [] == [name for name, needle in needles.items() if needle in stored]
    assert present["job"] in stored


def test_bucket_holds_no_secret(journey, needles, present):
    """Plans, manifests, commits, reports, metadata, and the audio itself."""
    assert set() == found_in_bucket(journey.bucket, needles)
    assert "organisation" in names(found_in_bucket(journey.bucket, present))


def test_search_finds_a_planted_secret(tmp_path):
    """In a file deep down, and in a database, as text and as bytes."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "task.log").write_text(f"Authorization: Bearer {PLANTED}\n", "utf-8")
    with closing(sqlite3.connect(tmp_path / "some.db")) as database:
        database.execute("create table xcom (id integer, value text, raw blob)")
        database.execute("insert into xcom values (1, ?, ?)", (f'{{"url": "{PLANTED}"}}', PLANTED.encode()))
        database.commit()
    needles = {"planted": PLANTED}
    assert "planted" in names(found_in_files(tmp_path / "deep", needles))
    expected = {("planted", "xcom.value"), ("planted", "xcom.raw")}
    assert expected == found_in_database(tmp_path / "some.db", needles)
