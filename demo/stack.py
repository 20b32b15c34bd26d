"""The whole stack as one context manager: S3 server, sandbox, Airflow. Start reading here."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from demo.airflow import USERNAME, migrate_database, prepare_airflow, start_airflow, wait_until_healthy
from demo.airflow_environment import archive_settings
from demo.object_store import start_object_store
from demo.options import StackOptions
from demo.processes import Supervisor
from demo.rest import AirflowApiError
from demo.sandbox import start_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from demo.airflow import EmbeddedAirflow
    from demo.object_store import ObjectStore
    from demo.rest import AirflowApi
    from demo.sandbox import Sandbox

LOCK_NAME = "stack.lock"


class StackRunningError(Exception):
    """Another stack runs in the same folder."""


@dataclass(frozen=True)
class Stack:
    """A running stack.

    ``airflow`` is the REST client, ``lake`` the S3 server and ``lake_prefix`` the
    archive's key prefix in it, ``sandbox`` the Genesys Cloud to practise on (None where
    the options said so), ``logs`` the folder of the components' logs; task logs are below ``airflow_home / "logs"``.
    """

    airflow: AirflowApi
    lake: ObjectStore
    lake_prefix: str
    sandbox: Sandbox | None
    logs: Path
    airflow_home: Path
    environment: dict[str, str] = field(repr=False)
    username: str
    password: str = field(repr=False)
    supervisor: Supervisor = field(repr=False)

    @property
    def ui_url(self) -> str:
        """Address of the Airflow UI."""
        return self.airflow.url

    def check(self) -> None:
        """Raise when a component has died.

        Raises:
            ComponentError: naming the component, with the last lines of its log.
        """
        self.supervisor.check()


@contextmanager
def running_stack(
    options: StackOptions | None = None, *, say: Callable[[str], None] = lambda _: None
) -> Iterator[Stack]:
    """Run a stack for the length of the block and leave no process behind.

    A second stack on the same folder finds the objects of the first; Airflow's own database starts empty. ``say`` is
    told each step.

    Raises:
        StackRunningError: when another stack runs in the folder.
        ComponentError: when a component does not start; the message has the end of its log.
        PortTakenError: when a port that was asked for is in use.
    """
    options = options or StackOptions()
    options.directory.mkdir(parents=True, exist_ok=True)
    with only_one(options.directory), Supervisor() as supervisor:
        try:
            stack = _start(supervisor, options, say)
            yield stack
            stack.airflow.close()
        except AirflowApiError:
            supervisor.blame()
            raise


def _start(supervisor: Supervisor, options: StackOptions, say: Callable[[str], None]) -> Stack:
    root = options.directory
    say("S3 server")
    store = start_object_store(supervisor, root / "object-store")
    sandbox = None
    if options.sandbox:
        say(f"Genesys Cloud sandbox: {options.sandbox.conversations} conversations on {options.sandbox.day}")
        sandbox = start_sandbox(supervisor, root / "sandbox", options.sandbox)
    settings = archive_settings(store, sandbox, options)
    airflow = prepare_airflow(options, settings)
    say("Airflow: database")
    migrate_database(supervisor, airflow, root / "cache")
    say("Airflow: api-server, scheduler, dag-processor, triggerer")
    start_airflow(supervisor, airflow)
    wait_until_healthy(supervisor, airflow, options.pools_file)
    return _stack(supervisor, store, sandbox, airflow, options.lake_prefix)


def _stack(
    supervisor: Supervisor, store: ObjectStore, sandbox: Sandbox | None, airflow: EmbeddedAirflow, lake_prefix: str
) -> Stack:
    return Stack(
        airflow=airflow.api,
        lake=store,
        lake_prefix=lake_prefix,
        sandbox=sandbox,
        logs=airflow.logs,
        airflow_home=airflow.home,
        environment=dict(airflow.environment),
        username=USERNAME,
        password=airflow.password,
        supervisor=supervisor,
    )


@contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel lets go of it however the process ends.

    Raises:
        StackRunningError: when somebody else holds it.
    """
    # Append, not write: opening must not empty the file that another launcher holds.
    with (directory / LOCK_NAME).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackRunningError(f"a stack is running in {directory} already: make down stops it") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
