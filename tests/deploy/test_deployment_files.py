"""Image, chart values and pools name the same things as the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from include.genesys.connection import REQUESTS_PER_MINUTE

PROJECT = Path(__file__).parents[2]
POOLS = {"genesys_api", "recording_download"}


def locked_version(package):
    """Return the version that requirements.txt pins."""
    text = (PROJECT / "requirements.txt").read_text("utf-8")
    return re.search(rf"(?m)^{re.escape(package)}==(\S+)", text)[1]


@pytest.fixture(scope="module")
def values():
    """The chart's values."""
    return yaml.safe_load((PROJECT / "deploy" / "helm" / "values.yaml").read_text("utf-8"))


def test_image_is_the_locked_airflow():
    """The Dockerfile's base image is the version that the lock was made for."""
    text = (PROJECT / "Dockerfile").read_text("utf-8")
    assert locked_version("apache-airflow") == re.search(r"FROM apache/airflow:([\d.]+)-", text)[1]


def test_chart_deploys_the_locked_airflow(values):
    """The chart decides by airflowVersion, so it must be the image's."""
    assert locked_version("apache-airflow") == values["airflowVersion"]


def test_chart_takes_its_connections_from_secrets(values):
    """No connection stands in the values."""
    expected = {f"AIRFLOW_CONN_{name}" for name in ("GENESYS_CLOUD", "RECORDING_LAKE", "TASK_LOGS")}
    assert expected == {one["envName"] for one in values["secret"]}


def test_chart_names_the_share_of_each_pod(values):
    """Pods share no file, so each gets its part of the 300 requests a minute."""
    text = (PROJECT / "deploy" / "helm" / "values.yaml").read_text("utf-8")
    pods = values["workers"]["celery"]["replicas"] + values["triggerer"]["replicas"]
    assert REQUESTS_PER_MINUTE // pods == int(re.search(r'"requests_per_minute": (\d+)', text)[1])


def test_pools_have_the_names_the_tasks_use():
    """Airflow leaves a task of an unknown pool waiting for ever."""
    pools = json.loads((PROJECT / "deploy" / "pools.json").read_text("utf-8"))
    assert set(pools) == POOLS


def test_waiting_jobs_take_no_slot():
    """A deferred wait must not keep a pool from those that work."""
    pools = json.loads((PROJECT / "deploy" / "pools.json").read_text("utf-8"))
    assert {False} == {pool["include_deferred"] for pool in pools.values()}


def test_image_gets_no_file_that_it_does_not_copy():
    """Secrets and data of the working folder never reach a build: everything is ignored but what is named."""
    lines = [line for line in (PROJECT / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert "*" == lines[0]
    assert [] == [line for line in lines if line.startswith("!") and ".env" in line]
