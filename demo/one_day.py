"""Archive days with the connections of the environment, without any service: ``make run``.

The real DAG runs in this process's child by ``airflow dags test``, one task after the other, in an Airflow home of its
own. It is meant for a first try and for emergencies; the schedule belongs to a real deployment.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from datetime import date

from demo.airflow import airflow_command
from demo.airflow_environment import isolated_airflow
from demo.options import DAILY_DAG, PROJECT
from demo.processes import last_lines, leashed

# `airflow dags test` shrugs SIGTERM off between two tries of a task.
GRACE_SECONDS = 3.0
HOME = PROJECT / ".airflow"
NEEDED = {
    "AIRFLOW_CONN_GENESYS_CLOUD": "the connection genesys_cloud",
    "AIRFLOW_CONN_RECORDING_LAKE": "the connection recording_lake",
    "RECORDING_LAKE_URI": "where the archive is (s3://bucket/prefix)",
    # Not UTC for want of better: a day that was archived in the wrong zone stays so for ever.
    "GENESYS_TIMEZONE": "the organisation's zone, which decides what a day is (Europe/Berlin)",
}


class NotConfiguredError(Exception):
    """Something that only the caller can give is missing or malformed; the message is one sentence."""


def run_days(first: str, last: str) -> int:
    """Archive the local days ``first`` to ``last``; 0 only when all of them are complete.

    Raises:
        NotConfiguredError: when a day, a connection or the zone is missing.
    """
    _check_day("DATE", first)
    _check_day("END_DATE", last)
    _check_environment()
    environment = _environment()
    HOME.mkdir(exist_ok=True)
    migrate_log = HOME / "migrate.log"
    with migrate_log.open("wb") as log:
        migrated = subprocess.run(
            [airflow_command(), "db", "migrate"], env=environment, stdout=log, stderr=log, check=False
        )
    if migrated.returncode:
        raise NotConfiguredError(f"Airflow could not make its database:\n{last_lines(migrate_log)}")
    conf = json.dumps({"start_date": first, "end_date": last})
    status = _run_to_its_end([airflow_command(), "dags", "test", DAILY_DAG, "--conf", conf], environment)
    days = first if first == last else f"{first} to {last}"
    print(f"\n{days}: {'complete' if status == 0 else 'NOT complete: see the red task above'}")
    return 1 if status else 0


def _run_to_its_end(command: list[str], environment: dict[str, str]) -> int:
    """Run a command whose output is ours, on a leash: interrupted or killed, we leave no half-done run behind us."""
    with subprocess.Popen(
        leashed(command, GRACE_SECONDS), env=environment, cwd=PROJECT, stdin=subprocess.PIPE
    ) as process:
        return process.wait()


def _check_day(name: str, value: str) -> None:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise NotConfiguredError(f"{name} must be a day as YYYY-MM-DD, for example make run DATE=2026-01-31") from None


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


def _environment() -> dict[str, str]:
    isolated = isolated_airflow(HOME, dags_folder=PROJECT / "dags", plugins_folder=PROJECT / "plugins")
    return {**os.environ, **isolated, "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64)}
