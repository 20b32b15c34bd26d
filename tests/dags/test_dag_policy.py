"""What every DAG of the archive has: an owner, a runbook, limits, retries, pools that exist."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest

from genesys_archive.defaults import OWNER, TAGS
from genesys_archive.retry_policy import ARCHIVE_RETRY_POLICY
from include.errors import ConfigurationError
from tests.plugins.isolation import PROJECT

DAG_IDS = sorted(file.stem for file in (PROJECT / "dags").glob("*.py"))
DAILY_PARAMS = ["start_date", "end_date", "only_failed", "dry_run", "output_format", "channels", "analytics"]
AUDIT_PARAMS = {
    "start_date": None, "end_date": None, "offsets": [1, 3, 7, 30], "only_failed": False, "ask_each": True,
    "deep_verify": False,
    "accept_empty": False, "output_format": "original", "channels": "original",
}  # fmt: skip
POOLS = json.loads((PROJECT / "deploy" / "pools.json").read_text("utf-8"))


@pytest.fixture(params=DAG_IDS)
def dag(request, bag):
    """Each DAG in turn."""
    return bag.dags[request.param]


def test_each_file_is_one_dag_of_its_name(bag):
    """A person who sees the id knows the file."""
    assert DAG_IDS == sorted(bag.dags)


def test_has_owner_tags_and_runbook(dag):
    """Who to call, where to find it, what to do."""
    assert {OWNER} == {task.owner for task in dag.tasks}
    assert set(TAGS) < dag.tags
    assert "red" in dag.doc_md


def test_is_bounded(dag):
    """No task and no run goes on for ever, and no two runs work on the same day side by side."""
    endless = [task.task_id for task in dag.tasks if not task.execution_timeout]
    assert [] == endless
    assert timedelta(hours=1) <= dag.dagrun_timeout <= timedelta(days=1)
    assert (1, False) == (dag.max_active_runs, dag.catchup)


def test_steps_fit_into_the_run(dag):
    """A single task cannot outlive its run."""
    assert [] == [task.task_id for task in dag.tasks if task.execution_timeout > dag.dagrun_timeout]


def test_retries_follow_the_error(dag):
    """Each task retries, by the one table."""
    assert [] == [task.task_id for task in dag.tasks if task.retries < 2 or not task.retry_delay]
    assert [] == [task.task_id for task in dag.tasks if task.retry_policy is not ARCHIVE_RETRY_POLICY]


def test_pools_exist(dag):
    """A task in a pool that nobody made would wait for ever."""
    assert {task.pool for task in dag.tasks} <= {"default_pool", *POOLS}


def test_tasks_that_work_have_a_pool(daily):
    """What calls the API or moves media is bounded; a deferred wait holds no slot."""
    pools = {task.task_id.split(".")[-1]: task.pool for task in daily.tasks}
    assert {
        "plan_day": "genesys_api",
        "submit_batches": "genesys_api",
        "wait_for_batches": "default_pool",
        "archive_batches": "recording_download",
        "commit_day": "default_pool",
        "catalog_day": "default_pool",
        "reconcile_day": "default_pool",
        "plan_derivatives": "default_pool",
        "make_derivatives": "recording_download",
        "report_derivatives": "default_pool",
        "deliver_webhooks": "default_pool",
    } == pools
    assert [] == [name for name, pool in POOLS.items() if pool["include_deferred"]]


def test_dates_are_pickers(daily):
    """The form shows a calendar and refuses what is no date; neither is required."""
    for name in ("start_date", "end_date"):
        schema = daily.params.get_param(name).schema
        assert (["null", "string"], "date") == (schema["type"], schema["format"])
        assert daily.params[name] is None


def test_params_are_the_published_ones(daily):
    """Names that scripts rely on, each with a title and a description."""
    assert DAILY_PARAMS == list(daily.params)
    schemas = [daily.params.get_param(name).schema for name in DAILY_PARAMS]
    assert all(schema.get("title") and schema.get("section") for schema in schemas)
    assert all(daily.params.get_param(name).description for name in DAILY_PARAMS)


def test_misspelt_parameter_is_refused_by_each_first_task(dag):
    """A run would else take the default for it: yesterday in place of the day that somebody wanted."""
    (first,) = dag.roots
    given = dict.fromkeys(dag.params) | {"openlineage": {}}
    for known in ({}, None, given):
        first._pre_execute_hook({"dag": dag, "dag_run": SimpleNamespace(conf=known)})
    with pytest.raises(ConfigurationError, match=r"^Start_date is no parameter of this DAG; there are \w.*\.$"):
        first._pre_execute_hook({"dag": dag, "dag_run": SimpleNamespace(conf={**given, "Start_date": "2026-01-31"})})


def test_params_of_the_audit(bag):
    """The form of the audit: dates like the night's, days back that the form checks, and switches that are off."""
    audit = bag.dags["genesys_archive_audit"]
    assert AUDIT_PARAMS == {name: audit.params[name] for name in audit.params}
    assert {"type": "integer", "minimum": 1} == audit.params.get_param("offsets").schema["items"]
    assert all(audit.params.get_param(name).description for name in AUDIT_PARAMS)


def test_params_of_a_single_recording(bag):
    """Ids as text that may be left out, a date that is a picker, and the formats that Genesys can be asked for."""
    single = bag.dags["genesys_recording_single"]
    assert {
        **dict.fromkeys(("conversation_id", "recording_id", "media_id", "date")), "output_format": "original",
    } == {name: single.params[name] for name in single.params}  # fmt: skip
    assert "date" == single.params.get_param("date").schema["format"]
    assert ["original", "wav", "mp3"] == single.params.get_param("output_format").schema["enum"]
    assert all(single.params.get_param(name).description for name in single.params)


def test_export_is_only_read_by_default(bag):
    """The gate's parameter is off unless the setting is on."""
    export = bag.dags["genesys_s3_export_ingest"]
    assert {"start_date": None, "end_date": None, "delete_archived": False} == {
        name: export.params[name] for name in export.params
    }


def test_start_date_is_far_in_the_past(dag):
    """Airflow ends a manual run that lies before it as a success without a single task."""
    assert dag.start_date.year <= 2020


def test_tasks_that_write_what_others_read_name_their_datasets(bag):
    """In every DAG: such a task is a node of the lineage and not a blank in it. The others write what is ours alone."""
    from genesys_archive.lineage import NamesDatasets  # noqa: PLC0415 - after Airflow is isolated

    tasks = [task for dag in bag.dags.values() for task in dag.tasks]
    kinds = {getattr(task, "operator_class", type(task)) for task in tasks}
    assert {
        "ConfirmRecordingOperator", "DeleteExportedOperator", "DeliverWebhooksOperator", "PlanAuditOperator",
        "PlanDayOperator", "PlanDerivativesOperator", "ReportDerivativesOperator", "RequestRecordingOperator",
        "SubmitBatchesOperator", "WaitForBatchesSensor", "WaitForExportSensor",
    } == {kind.__name__ for kind in kinds if not issubclass(kind, NamesDatasets)}  # fmt: skip
