"""OpenLineage datasets: what the tasks read and wrote, for a provider that may be there or not."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

from genesys_archive.lineage import DatasetName, at_source, in_lake
from genesys_archive.operators.archive_batches import ArchiveBatchesOperator
from genesys_archive.operators.catalog_day import CatalogDayOperator
from genesys_archive.operators.commit_day import CommitDayOperator
from genesys_archive.operators.reconcile_day import ReconcileDayOperator
from genesys_archive.operators.verify_day import VerifyDayOperator
from include.genesys.connection import GenesysConnection
from include.settings import LakeLocation
from include.transfer.day import commit_day
from tests.plugins.conftest import connection_fields
from tests.plugins.isolation import PROJECT
from tests.plugins.one_day import planned_day, run_of
from tests.story.committed import ORG
from tests.story.night import DAY

# The provider's two classes, as far as an operator sees them. The real ones are used in the same way.
STAND_IN = """
import sys, types
from dataclasses import dataclass

@dataclass
class OperatorLineage:
    inputs: list
    outputs: list

provider = types.ModuleType("airflow.providers.openlineage")
extractors = types.ModuleType("airflow.providers.openlineage.extractors")
extractors.OperatorLineage = OperatorLineage
sys.modules[provider.__name__], sys.modules[extractors.__name__] = provider, extractors

from airflow.providers.common.compat.openlineage import facet

@dataclass
class Dataset:
    namespace: str
    name: str

facet.Dataset = Dataset
from genesys_archive.lineage import DatasetName, NamesDatasets

class Task(NamesDatasets):
    pass

task = Task()
task.reads = (DatasetName("s3://b", "x"), DatasetName("s3://b", "x"))
task.writes = (DatasetName("s3://b", "y"),)
complete = task.get_openlineage_facets_on_complete(None)
failed = task.get_openlineage_facets_on_failure(None)
inputs, outputs = ([(one.namespace, one.name) for one in sets] for sets in (complete.inputs, complete.outputs))
print(inputs, outputs, failed == complete)
"""


def run(program):
    """Run a program as a worker would be run."""
    return subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=PROJECT / "plugins",
        env={"PYTHONPATH": f"{PROJECT}:{PROJECT / 'plugins'}", "PATH": "/usr/bin", "AIRFLOW_HOME": "/nonexistent"},
    )  # fmt: skip


def test_nothing_of_the_provider_is_imported_by_the_operators():
    """A worker without the provider, and one with it that does not ask, run the same code."""
    modules = ("archive_batches", "commit_day", "reconcile_day")
    imports = "; ".join(f"import genesys_archive.operators.{name}" for name in modules)
    done = run(f"{imports}; import sys; print([name for name in sys.modules if 'openlineage' in name])")
    assert "[]" == done.stdout.strip(), done.stderr


def test_datasets_are_handed_over_once_each_and_after_a_failure_too():
    """What was read and written becomes inputs and outputs; a red day has been archived in part."""
    done = run(STAND_IN)
    assert "[('s3://b', 'x')] [('s3://b', 'y')] True" == done.stdout.strip(), done.stderr


def test_names_are_those_of_openlineage(sandbox):
    """A bucket and a path in it; the API's address and the organisation."""
    lake = SimpleNamespace(location=LakeLocation("bucket", "archive"))
    assert DatasetName("s3://bucket", "archive/reports/date=2026-03-02") == in_lake(lake, "reports/date=2026-03-02/")
    connection = GenesysConnection.from_fields(name="genesys_cloud", **without_type(connection_fields(sandbox)))
    expected = DatasetName(sandbox.api_base_url, f"organizations/{sandbox.org_id}/recordings")
    assert expected == at_source(connection)


def test_catalog_and_verification_name_what_they_read_and_write(connected):
    """The day's commits and manifests in, its partition out; a look at a day has no output."""
    day = planned_day(connected)
    commit_day(connected, ORG, DAY, [day["plan_key"]])
    catalog = CatalogDayOperator(task_id="catalog_day", plan_task_id="plan_day", plan_only="False")
    catalog.execute(run_of([day]))
    verify = VerifyDayOperator(task_id="verify_day", days=[day])
    verify.execute({})

    def names(*prefixes):
        return tuple(in_lake(connected, f"{prefix}/date={DAY}/") for prefix in prefixes)

    assert (names("commits", "manifests"), names("catalog/recordings")) == (catalog.reads, catalog.writes)
    assert (names("commits", f"media/org={ORG}"), ()) == (verify.reads, verify.writes)


def without_type(fields):
    """Return a connection's fields as the archive takes them."""
    return {name: value for name, value in fields.items() if name != "conn_type"}


def test_tasks_that_have_not_run_name_nothing():
    """A task that ended before it knew its day has no lineage."""
    for operator in (ArchiveBatchesOperator, CommitDayOperator, ReconcileDayOperator):
        assert ((), ()) == (operator.reads, operator.writes)
