"""The operators translate: templates in, one call, a small value out; and they refuse before they call."""

from __future__ import annotations

import inspect
from importlib import import_module
from pkgutil import iter_modules

import pytest
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

import genesys_archive.operators
import genesys_archive.sensors
from genesys_archive.operators.catalog_day import CatalogDayOperator
from genesys_archive.operators.commit_day import CommitDayOperator
from genesys_archive.operators.plan_day import PlanDayOperator
from genesys_archive.operators.planned import planned_days
from genesys_archive.operators.reconcile_day import ReconcileDayOperator
from genesys_archive.operators.request_recording import RequestRecordingOperator
from include.errors import ConfigurationError

NOT_TEMPLATED = {"genesys_conn_id", "lake_conn_id", "plan_task_id"}
PLAN = {
    "start_date_text": "", "end_date_text": "", "partition_key": "", "only_failed": "False", "plan_only": "False",
    "output_format": "original", "channels": "original",
}  # fmt: skip


def operators():
    """Return every operator class of the plugin, by name."""
    modules = [
        import_module(f"{package.__name__}.{found.name}")
        for package in (genesys_archive.operators, genesys_archive.sensors)
        for found in iter_modules(package.__path__)
    ]
    classes = [
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, BaseOperator) and value.__module__ == module.__name__
    ]
    return {found.__name__: found for found in classes}


OPERATORS = operators()


def test_five_tasks_are_found():
    """The search sees them all: the tests below are not empty."""
    assert len(OPERATORS) >= 5


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_every_argument_is_templated(name):
    """What varies from run to run is a template; only the names of connections and tasks are not."""
    operator = OPERATORS[name]
    own = [
        parameter.name
        for ours in operator.__mro__
        if ours.__module__.startswith("genesys_archive.") and "__init__" in vars(ours)
        for parameter in inspect.signature(ours.__init__).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    assert set(own) - NOT_TEMPLATED == set(operator.template_fields)


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_execute_is_short_and_catches_nothing(name):
    """Decisions belong to ``include``; errors keep their class, which the retry policy reads."""
    source = inspect.getsource(OPERATORS[name].execute)
    assert len(source.splitlines()) <= 50
    assert "except" not in source.replace("exception", "")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"start_date_text": "2026-01-06", "end_date_text": "2026-01-05"}, "start_date 2026-01-06 is after end_date"),
        ({"start_date_text": "2999-01-01"}, "lies in the future"),
        ({"start_date_text": "yesterday"}, "start_date must be a date like 2026-01-31, not 'yesterday'"),
        ({"partition_key": "2026-W02-1"}, "start_date must be a date like 2026-01-31"),
        ({"start_date_text": "2020-01-01", "end_date_text": "2020-12-31"}, "are 366 days; one run takes at most 31"),
        ({"channels": "stereo"}, "stereo"),
        ({"output_format": "flac"}, "flac"),
    ],
)
def test_plan_refuses_before_it_calls(sandbox, connect, changes, sentence):
    """A form that makes no sense costs no API call."""
    connect(sandbox)
    sandbox.journal.clear()
    with pytest.raises(ConfigurationError, match=sentence):
        PlanDayOperator(task_id="plan", **{**PLAN, **changes}).execute({})
    assert {} == sandbox.journal.summary()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Give media_id"),
        ({"conversation_id": "abc"}, "conversation_id must be an id"),
        ({"media_id": "0f8fad5b-d9cb-469f-a165-70867728950e"}, "The platform contract knows no media_id"),
    ],
)
def test_a_single_recording_that_is_not_named_costs_no_call(sandbox, connect, fields, sentence):
    """As for the plan of a day."""
    connect(sandbox)
    sandbox.journal.clear()
    wish = {**dict.fromkeys(("media_id", "conversation_id", "recording_id", "date"), ""), "output_format": "original"}
    with pytest.raises(ConfigurationError, match=sentence):
        RequestRecordingOperator(task_id="request", **{**wish, **fields}).execute({})
    assert {} == sandbox.journal.summary()


class PlanXCom:
    """The one call of a task instance that the ends of the day make."""

    def __init__(self, days):
        self.days = days

    def xcom_pull(self, *, task_ids, key):
        """Return what plan_day pushed; nothing for any other place."""
        return self.days if (task_ids, key) == ("plan_day", "days") else None


def pulling(days):
    """Return a task context in which plan_day left these days."""
    return {"ti": PlanXCom(days)}


@pytest.mark.parametrize("operator", [CommitDayOperator, CatalogDayOperator, ReconcileDayOperator])
def test_ends_of_the_day_skip_in_a_dry_run_and_fail_without_a_plan(operator):
    """A dry run is not red, and a run without a plan is not green."""
    with pytest.raises(AirflowSkipException, match="A dry run ends after the plan"):
        operator(task_id="end", plan_task_id="plan_day", plan_only="True").execute(pulling([{"date": "2026-01-05"}]))
    with pytest.raises(AirflowFailException, match="plan_day did not finish"):
        operator(task_id="end", plan_task_id="plan_day", plan_only="False").execute(pulling(None))


def test_planned_days_are_passed_on():
    """With a plan, its days are what is left to do."""
    days = [{"date": "2026-01-05", "plan_key": "plans/x.json"}]
    assert days == planned_days(pulling(days), "plan_day", plan_only=False)
