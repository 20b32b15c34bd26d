"""Start a real Airflow: api-server, scheduler, dag-processor and triggerer, each a watched child process.

``airflow standalone`` is not used: it neither ends on SIGTERM nor notices a dead component, and it binds its log
servers to every interface.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from demo.airflow_environment import embedded_airflow, inherited
from demo.ports import LOOPBACK, chosen_or_free
from demo.private_file import write_private
from demo.processes import Component
from demo.rest import AirflowApi

if TYPE_CHECKING:
    from collections.abc import Mapping

    from demo.options import StackOptions
    from demo.processes import Supervisor

USERNAME = "admin"
MIGRATE_SECONDS = 180.0
HEALTHY_SECONDS = 180.0
# The api-server waits for its clients' connections as long as it may. Nothing is lost by less: Airflow's database is
# transactional and starts empty next time, and the archive's own state is in the bucket.
GRACE_SECONDS = 4.0

COMPONENTS = {
    "api-server": ["api-server"],
    # The log servers are skipped: they bind every interface, and on one machine the api-server reads the files.
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}


@dataclass(frozen=True)
class EmbeddedAirflow:
    """An Airflow that is about to run: its home, its environment, and the client for it."""

    home: Path
    logs: Path
    api: AirflowApi
    password: str = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)


def prepare_airflow(options: StackOptions, settings: Mapping[str, str]) -> EmbeddedAirflow:
    """Make a new Airflow home and its environment; nothing is started.

    The metadata database starts empty each time: a run left over from a stack that was killed would otherwise resume
    beside the new one. The archive loses nothing by it, since its state is the bucket.

    Raises:
        PortTakenError: when the UI's port was chosen and is in use.
    """
    home = options.directory / "airflow"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    port = chosen_or_free(options.ui_port, "the Airflow UI")
    password = secrets.token_urlsafe(12)
    write_private(home / "passwords.json", json.dumps({USERNAME: password}))
    environment = {**inherited(), **embedded_airflow(options, home, port), **settings, **options.environment}
    api = AirflowApi(f"http://{LOOPBACK}:{port}", USERNAME, password)
    return EmbeddedAirflow(home, options.directory / "logs", api, password, environment)


def migrate_database(supervisor: Supervisor, airflow: EmbeddedAirflow, cache: Path) -> None:
    """Create the metadata database, from a copy of an empty one where this Airflow version made one before.

    Raises:
        ComponentError: when the migration fails.
    """
    database, empty = airflow.home / "airflow.db", cache / f"airflow-{version('apache-airflow')}.db"
    if not empty.exists():
        supervisor.run(_component(airflow, "db-migrate", ["db", "migrate"]), seconds=MIGRATE_SECONDS)
        cache.mkdir(parents=True, exist_ok=True)
        draft = empty.with_suffix(".new")
        _copy_database(database, draft)
        draft.replace(empty)
        return
    shutil.copy(empty, database)


def start_airflow(supervisor: Supervisor, airflow: EmbeddedAirflow) -> None:
    """Start the four components; they become healthy in their own time (``wait_until_healthy``)."""
    for name, command in COMPONENTS.items():
        supervisor.start(_component(airflow, name, command))


def wait_until_healthy(supervisor: Supervisor, airflow: EmbeddedAirflow, pools_file: Path) -> None:
    """Wait for all four components, then create the pools.

    Raises:
        ComponentError: when a component dies, or is not healthy in time.
    """
    supervisor.wait_until(lambda: not airflow.api.unhealthy(), component="api-server", seconds=HEALTHY_SECONDS)
    for name, pool in json.loads(pools_file.read_text("utf-8")).items():
        airflow.api.create_pool(name, pool)


def airflow_command() -> str:
    """Return the ``airflow`` beside this Python."""
    return str(Path(sys.executable).with_name("airflow"))


def _component(airflow: EmbeddedAirflow, name: str, arguments: list[str]) -> Component:
    return Component(
        name=name,
        command=[airflow_command(), *arguments],
        log=airflow.logs / f"{name}.log",
        environment=airflow.environment,
        grace_seconds=GRACE_SECONDS,
    )


def _copy_database(source: Path, target: Path) -> None:
    """Copy through SQLite: the last pages may still be in the write-ahead log beside the file."""
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
