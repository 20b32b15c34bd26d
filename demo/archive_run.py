"""Archive days with a running stack: trigger the daily DAG, show how it goes, say what came of it."""

from __future__ import annotations

import time
from datetime import date, timedelta
from typing import TYPE_CHECKING

from demo.lake_count import Lake
from demo.options import DAILY_DAG
from demo.progress import ProgressView
from demo.rest import FINISHED
from demo.summary import failure_lines, summary_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.stack import Stack

PARSED_SECONDS = 90.0
POLL_SECONDS = 1.0


class DagMissingError(Exception):
    """The daily DAG did not appear in Airflow; the message has its import error where there is one."""


def archive_days(stack: Stack, first: str, last: str, say: Callable[[str], None]) -> bool:
    """Archive the local days ``first`` to ``last`` and print the outcome; true when the run succeeded.

    Raises:
        DagMissingError: when Airflow cannot parse the DAG.
        ComponentError: when a component dies meanwhile.
    """
    wait_for_dag(stack, DAILY_DAG)
    run_id = stack.airflow.trigger(DAILY_DAG, {"start_date": first, "end_date": last})
    say(f"{DAILY_DAG} {run_id}: {first}" + (f" to {last}" if last != first else ""))
    state = _watch(stack, run_id, first if first == last else "")
    tasks = stack.airflow.task_instances(DAILY_DAG, run_id)
    for line in [*failure_lines(stack.airflow, tasks), *summary_lines(stack, _days(first, last))]:
        print(line)
    print(f"\nrun: {state}")
    if state != "success":
        options = stack.sandbox.options if stack.sandbox else None
        if options and (options.fault or options.scenario):
            print("red on purpose: the sandbox was told to misbehave, and an incomplete day is never green")
        print("what to do: docs/runbook.md, by reason word; by error, where a task failed of one")
    return state == "success"


def wait_for_dag(stack: Stack, dag_id: str) -> None:
    """Wait until Airflow knows the DAG.

    Raises:
        DagMissingError: when it does not appear, with the import errors.
    """
    deadline = time.monotonic() + PARSED_SECONDS
    while not stack.airflow.has_dag(dag_id):
        stack.check()
        errors = stack.airflow.import_errors()
        if any(dag_id in file for file in errors) or time.monotonic() > deadline:
            traces = "\n".join(f"{file}:\n{trace}" for file, trace in errors.items())
            raise DagMissingError(f"Airflow has no DAG {dag_id}. {traces}".strip())
        time.sleep(POLL_SECONDS)


def _watch(stack: Stack, run_id: str, date: str) -> str:
    view, lake = ProgressView(), Lake(stack.lake, stack.lake_prefix)
    try:
        while True:
            state = stack.airflow.run_state(DAILY_DAG, run_id)
            view.show(state, stack.airflow.task_instances(DAILY_DAG, run_id), lake.amounts(date))
            if state in FINISHED:
                return state
            stack.check()
            time.sleep(POLL_SECONDS)
    finally:
        lake.close()


def _days(first: str, last: str) -> list[str]:
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return [(begin + timedelta(days=number)).isoformat() for number in range((end - begin).days + 1)]
