"""Archive days with the connections of the environment, without any service: ``make run``.

The real DAG runs in this process's child by ``airflow dags test``, one task after the other, in an Airflow home of its
own. It is meant for a first try and for emergencies; the schedule belongs to a real deployment.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from typing import TYPE_CHECKING

from demo.airflow import airflow_command
from demo.airflow_environment import isolated_airflow
from demo.options import DAILY_DAG, PROJECT, NotConfiguredError, check_day, check_zone
from demo.processes import last_lines, leashed
from demo.run_log import RunLog

if TYPE_CHECKING:
    from collections.abc import Mapping

# `airflow dags test` shrugs SIGTERM off between two tries of a task.
GRACE_SECONDS = 3.0
HOME = PROJECT / ".airflow"
LOG_NAME = "run.log"
NEEDED = {
    "AIRFLOW_CONN_GENESYS_CLOUD": "the connection genesys_cloud",
    "AIRFLOW_CONN_RECORDING_LAKE": "the connection recording_lake",
    "RECORDING_LAKE_URI": "where the archive is (s3://bucket/prefix)",
    # Not UTC for want of better: a day that was archived in the wrong zone stays so for ever.
    "GENESYS_TIMEZONE": "the organisation's zone, which decides what a day is (Europe/Berlin)",
}
CONNECTIONS = tuple(name for name in NEEDED if name.startswith("AIRFLOW_CONN_"))


def run_days(first: str, last: str, *, only_failed: bool = False) -> int:
    """Archive the local days ``first`` to ``last``; 0 only when all of them are complete.

    Raises:
        NotConfiguredError: when a day, a connection or the zone is missing.
    """
    check_day("DATE", first)
    check_day("END_DATE", last)
    status, log, environment = run_dag(DAILY_DAG, {"start_date": first, "end_date": last, "only_failed": only_failed})
    print()
    days = ["--date", first, "--end-date", last]
    # Read from the bucket, not from the run: what an auditor would find.
    balance = subprocess.run(lake_command("day", *days), env=command_environment(environment), cwd=PROJECT, check=False)
    complete = status == 0 and balance.returncode == 0
    for task, cause in log.causes.items() if not complete else ():
        print(f"red: {task}: {cause}")
    if not complete:
        print("NOT complete. What to do: docs/runbook.md, by reason word; by error, where a task failed of one.")
        print(f"Every line of the run: {HOME / LOG_NAME}")
    return 0 if complete else 1


def run_dag(dag_id: str, conf: Mapping[str, object]) -> tuple[int, RunLog, dict[str, str]]:
    """Run a DAG once with the connections of the environment; return its status, its log, and that environment.

    Raises:
        NotConfiguredError: when a connection or the zone is missing.
    """
    _check_environment()
    environment = _environment()
    HOME.mkdir(exist_ok=True)
    migrate_log = HOME / "migrate.log"
    with migrate_log.open("wb") as output:
        migrated = subprocess.run(
            [airflow_command(), "db", "migrate"], env=environment, stdout=output, stderr=output, check=False
        )
    if migrated.returncode:
        raise NotConfiguredError(f"Airflow could not make its database:\n{last_lines(migrate_log)}")
    log = RunLog()
    command = [airflow_command(), "dags", "test", dag_id, "--conf", json.dumps(conf)]
    return _run_to_its_end(command, environment, log), log, environment


def _run_to_its_end(command: list[str], environment: dict[str, str], log: RunLog) -> int:
    """Run a command and show what a person wants of its output.

    On a leash: interrupted or killed, we leave no half-done run behind us.
    """
    with (
        (HOME / LOG_NAME).open("w") as file,
        subprocess.Popen(
            leashed(command, GRACE_SECONDS),
            env=environment,
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        for line in process.stdout or ():
            file.write(line)
            shown = log.read(line.rstrip("\n"))
            if shown is not None:
                print(shown, flush=True)
        status = process.wait()
    if status and not log.causes:
        print(f"Airflow ended by itself:\n{log.tail()}")
    return status


def lake_command(*arguments: str) -> list[str]:
    """Return the call of one of the archive's commands."""
    return [sys.executable, "-m", "genesys_archive.commands", *arguments]


def command_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which the archive's commands run without a deployed Airflow, and quietly."""
    HOME.mkdir(exist_ok=True)
    isolated = isolated_airflow(HOME, dags_folder=PROJECT / "dags", plugins_folder=PROJECT / "plugins")
    quiet = {
        "PYTHONPATH": os.pathsep.join((str(PROJECT), str(PROJECT / "plugins"))),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    }
    return {**environment, **isolated, **quiet}


def _check_environment() -> None:
    # With a secrets backend the connections are somewhere this process does not look.
    backend = os.environ.get("AIRFLOW__SECRETS__BACKEND")
    missing = [
        f"{name} ({meaning})"
        for name, meaning in NEEDED.items()
        if not os.environ.get(name) and not (backend and name.startswith("AIRFLOW_CONN_"))
    ]
    if missing:
        raise NotConfiguredError(f"not set in the environment: {', '.join(missing)}; .env.example shows how")
    check_zone("GENESYS_TIMEZONE", os.environ["GENESYS_TIMEZONE"])
    for name in filter(os.environ.get, CONNECTIONS):
        _check_connection(name, os.environ[name])


def _check_connection(name: str, value: str) -> None:
    """Airflow reads a connection that starts like a URI as one, anything else as JSON, and hides what it cannot read.

    Raises:
        NotConfiguredError: without quoting the value, which holds a secret.
    """
    if "://" in value.partition("{")[0]:
        return
    try:
        fields = json.loads(value)
    except ValueError as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise NotConfiguredError(f"{name} is neither a URI nor JSON{place}; .env.example shows both") from None
    if not isinstance(fields, dict):
        raise NotConfiguredError(f"{name} must be a JSON object, not a {type(fields).__name__}")


def _environment() -> dict[str, str]:
    isolated = isolated_airflow(HOME, dags_folder=PROJECT / "dags", plugins_folder=PROJECT / "plugins")
    return {**os.environ, **isolated, "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64)}
