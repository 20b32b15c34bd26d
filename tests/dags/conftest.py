"""The DAG folder, parsed once, by an Airflow of the tests' own."""

from __future__ import annotations

import pytest

from tests.plugins.isolation import PROJECT


@pytest.fixture(scope="session")
def bag():
    """Everything that Airflow finds in ``dags/``."""
    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415 - imports half of Airflow

    folder = PROJECT / "dags"
    return DagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags-folder")


@pytest.fixture(scope="session")
def daily(bag):
    """The nightly DAG."""
    return bag.dags["genesys_recordings_daily"]
