"""The DAG that the page of metrics shows, for those who wait for a complete day."""

from __future__ import annotations

from airflow.dag_processing.dagbag import DagBag

from genesys_archive.defaults import RECORDINGS_ASSET
from tests.docs.pages import page


def test_example_of_a_downstream_dag_is_one(tmp_path):
    """Airflow parses it, it has its two tasks, and it waits for the archive's asset."""
    (source,) = [fence.text for fence in page("docs/metrics.md").fences if fence.language == "python"]
    (tmp_path / "example.py").write_text(source, "utf-8")
    bag = DagBag(dag_folder=tmp_path, bundle_path=tmp_path, bundle_name="dags-folder")
    assert {} == bag.import_errors
    (dag,) = bag.dags.values()
    assert {"complete_days", "transcribe"} == set(dag.task_ids)
    assert [(RECORDINGS_ASSET.name, RECORDINGS_ASSET.uri)] == [
        (asset.name, asset.uri) for asset in dag.timetable.asset_condition.objects
    ]
