"""The daily DAG's tasks and edges, as the architecture draws them."""

from __future__ import annotations

import json
from dataclasses import asdict
from types import SimpleNamespace

import pytest
from airflow.sdk import AssetAlias, TriggerRule
from airflow.sdk.definitions.taskgroup import MappedTaskGroup
from airflow.serialization.serialized_objects import DagSerialization
from jinja2 import Template

from include.lake.layout import shard_plan_key
from include.transfer.day_plan import ShardTask
from include.transfer.derivative_slices import Slice
from include.transfer.submit import SubmittedShard

DAY = "2026-01-31"
PLAN_KEY = shard_plan_key(DAY, "0" * 64)
SUBMITTED = SubmittedShard(PLAN_KEY, (), ()).to_json()
GROUP = "export_shard"
EDGES = {
    "plan_day": {"export_shard.submit_batches"},
    "export_shard.submit_batches": {"export_shard.wait_for_batches", "export_shard.archive_batches"},
    "export_shard.wait_for_batches": {"export_shard.archive_batches"},
    "export_shard.archive_batches": {"commit_day", "reconcile_day"},
    "commit_day": {"catalog_day", "reconcile_day", "plan_derivatives", "deliver_webhooks"},
    "catalog_day": set(),
    "reconcile_day": set(),
    "plan_derivatives": {"make_derivatives"},
    "make_derivatives": {"report_derivatives"},
    "report_derivatives": set(),
    "deliver_webhooks": set(),
}


def edges(dag):
    """Return the downstream tasks of each task."""
    return {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}


def stored_and_read(dag):
    """Return a DAG as the scheduler has it: through JSON, without the file."""
    return DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))


def test_tasks_and_edges(daily):
    """Plan, then each shard on its own, then commit, then reconcile, and derivatives beside it."""
    assert EDGES == edges(daily)


def test_verdict_waits_for_the_shards_themselves(daily):
    """A run of which only the failed tasks are cleared does not run a green commit again: nothing else holds it."""
    assert {"commit_day", "export_shard.archive_batches"} == daily.get_task("reconcile_day").upstream_task_ids


def test_audit_is_the_night_with_another_plan(bag):
    """The same group of the same tasks, from another first task; each verdict is a leaf, so it colours the run."""
    audit = bag.dags["genesys_archive_audit"]
    night = {"plan_audit" if name == "plan_day" else name: after for name, after in EDGES.items()}
    verified = {name: night[name] | {"verify_day"} for name in ("plan_audit", "commit_day")}
    assert {**night, **verified, "verify_day": set()} == edges(audit)
    rules = {task.task_id: task.trigger_rule for task in audit.tasks}
    assert TriggerRule.ALL_DONE_MIN_ONE_SUCCESS == rules["verify_day"]
    assert {TriggerRule.ALL_DONE} == {rules["commit_day"], rules["reconcile_day"]}


def test_single_recording_ends_with_its_verdict(bag):
    """Commit and catalog are the night's; the verdict is a leaf behind all but the catalog: it colours the run."""
    single = bag.dags["genesys_recording_single"]
    assert {
        "request_recording": {"archive_recording", "confirm_recording"},
        "archive_recording": {"commit_day", "confirm_recording"},
        "commit_day": {"catalog_day", "confirm_recording", "deliver_webhooks"},
        "catalog_day": set(),
        "deliver_webhooks": set(),
        "confirm_recording": set(),
    } == edges(single)
    assert {TriggerRule.ALL_SUCCESS} == {task.trigger_rule for task in single.tasks}
    assert not single.timetable.can_be_scheduled


@pytest.mark.parametrize(
    ("task_id", "argument"),
    [
        ("export_shard.submit_batches", {"shard": asdict(ShardTask(DAY, PLAN_KEY, 1, 1))}),
        ("export_shard.wait_for_batches", {"submitted": SUBMITTED}),
        ("export_shard.archive_batches", {"submitted": SUBMITTED}),
        ("make_derivatives", {"part": Slice(DAY, 3, 4).to_json()}),
    ],
)
def test_squares_of_a_mapped_task_are_told_apart_by_their_day(bag, task_id, argument):
    """An audit has four days in one grid: a red square says which, before its log is open."""
    for dag_id in ("genesys_recordings_daily", "genesys_archive_audit"):
        template = bag.dags[dag_id].get_task(task_id).map_index_template
        context = {"task": SimpleNamespace(**argument), "ti": SimpleNamespace(map_index=3)}
        assert f"{DAY} / 3" == Template(template).render(context)


def test_shards_are_mapped_as_a_group(daily):
    """A shard that is ready does not wait for the others."""
    assert isinstance(daily.task_group.children[GROUP], MappedTaskGroup)
    mapped = {task.task_id for task in daily.tasks if task.get_closest_mapped_task_group()}
    assert {name for name in EDGES if name.startswith(GROUP)} == mapped


def test_commit_runs_whatever_became_of_a_shard(daily):
    """One failed shard must not keep the others from being committed, nor one failed day the others' reports."""
    rules = {task.task_id: task.trigger_rule for task in daily.tasks}
    whatever = dict.fromkeys(("commit_day", "catalog_day", "reconcile_day", "deliver_webhooks"), TriggerRule.ALL_DONE)
    assert {**dict.fromkeys(EDGES, TriggerRule.ALL_SUCCESS), **whatever} == rules


def test_verdict_announces_the_asset(daily):
    """Only the verdict updates the asset of recordings, only the catalog its own."""
    outlets = {task.task_id: [asset.name for asset in task.outlets] for task in daily.tasks if task.outlets}
    assert {"reconcile_day": ["genesys_recordings"], "catalog_day": ["genesys_recording_catalog"]} == outlets


def test_an_export_announces_by_an_alias(bag):
    """It names no call that it lacks: its verdict may announce a day, and a green verdict alone announces none."""
    export = bag.dags["genesys_s3_export_ingest"]
    outlets = {task.task_id: task.outlets for task in export.tasks if task.outlets}
    assert {"reconcile_day", "catalog_day"} == outlets.keys()
    assert [True] == [isinstance(outlet, AssetAlias) for outlet in outlets["reconcile_day"]]


def test_an_export_is_told_of_as_the_night_is(bag):
    """Webhooks stand beside the verdict, run whatever became of single days, and not where nothing was new."""
    export = bag.dags["genesys_s3_export_ingest"]
    assert {
        "wait_for_export": {"ingest_export"},
        "ingest_export": {"reconcile_day", "catalog_day", "deliver_webhooks", "delete_exported"},
        "reconcile_day": set(),
        "catalog_day": set(),
        "deliver_webhooks": set(),
        "delete_exported": set(),
    } == edges(export)
    rules = {task.task_id: task.trigger_rule for task in export.tasks}
    assert TriggerRule.NONE_SKIPPED == rules.pop("deliver_webhooks")
    assert TriggerRule.NONE_FAILED == rules.pop("delete_exported")
    assert {TriggerRule.ALL_SUCCESS} == set(rules.values())


def test_early_shards_are_finished_first(daily):
    """Downloads of the first shard go before submissions of the last."""
    assert {"upstream"} == {str(task.weight_rule) for task in daily.tasks}


# Airflow itself reads plugins/.airflowignore with a class that pathspec has renamed.
@pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")
def test_serialization_round_trips(bag, daily):
    """What the scheduler reads from the database has the same tasks, edges and schedule."""
    again = {name: stored_and_read(dag) for name, dag in bag.dags.items()}
    assert {name: edges(dag) for name, dag in bag.dags.items()} == {name: edges(dag) for name, dag in again.items()}
    schedule = again["genesys_recordings_daily"].timetable.serialize()
    facts = (daily.timetable.expression, daily.timetable.run_offset, daily.timetable.key_format)
    assert facts == (schedule["expression"], schedule["run_offset"], schedule["key_format"])


def test_database_holds_no_setting_of_this_machine(daily, monkeypatch):
    """The stored DAG has no lake, no connection and no secret in it."""
    monkeypatch.setenv("RECORDING_LAKE_URI", "s3://canary-bucket/x")
    assert "canary-bucket" not in str(DagSerialization.to_dict(daily))
