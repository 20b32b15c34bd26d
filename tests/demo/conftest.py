"""A small DAG folder of its own, so that these tests are about the launcher and not about the archive."""

from __future__ import annotations

import pytest

COUNT_DAG = '''
"""One task, mapped tasks in both pools, and one that fails when told."""

from airflow.sdk import dag, task


@dag(schedule=None)
def count():
    @task(pool="genesys_api")
    def numbers():
        return [1, 2, 3]

    @task(pool="recording_download")
    def double(number, dag_run=None):
        import include.settings  # the project's root is on the path

        if (dag_run.conf or {}).get("fail"):
            raise ValueError("told to fail")
        return number * 2

    double.expand(number=numbers())


count()
'''


@pytest.fixture(scope="module")
def dags_folder(tmp_path_factory):
    """A DAG folder with one small DAG."""
    folder = tmp_path_factory.mktemp("dags")
    (folder / "count.py").write_text(COUNT_DAG, "utf-8")
    return folder
