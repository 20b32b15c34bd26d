"""Run one of the archive's commands: on the lake that the environment names, else on the bucket that the demo left."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from demo.airflow_environment import archive_settings, inherited
from demo.background import running_facts
from demo.object_store import BUCKET, ObjectStore, credentials, running_object_store
from demo.one_day import NEEDED, command_environment, lake_command
from demo.options import PROJECT, NotConfiguredError
from demo.stack import StackRunningError, only_one

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from demo.options import StackOptions

LAKE_VARIABLES = ("AIRFLOW_CONN_RECORDING_LAKE", "RECORDING_LAKE_URI", "GENESYS_TIMEZONE")


def run_command(options: StackOptions, command: Sequence[str]) -> int:
    """Run ``python -m genesys_archive.commands`` and return its exit status.

    Raises:
        NotConfiguredError: when the environment names half a lake, or none and there is no demo either.
        ComponentError: when the demo's S3 server does not start.
    """
    with _environment(options) as environment:
        call = lake_command(*command)
        return subprocess.run(call, env=command_environment(environment), cwd=PROJECT, check=False).returncode


@contextmanager
def _environment(options: StackOptions) -> Iterator[dict[str, str]]:
    given = [name for name in LAKE_VARIABLES if os.environ.get(name)]
    if "AIRFLOW_CONN_RECORDING_LAKE" in given or "RECORDING_LAKE_URI" in given:
        missing = [f"{name} ({NEEDED[name]})" for name in LAKE_VARIABLES if name not in given]
        if missing:
            raise NotConfiguredError(f"not set in the environment: {', '.join(missing)}; .env.example shows how")
        yield dict(os.environ)
        return
    with _demo_store(options) as store:
        address = f"s3://{store.bucket}/{options.lake_prefix}"
        untold = ", and nobody is told of it: RECORDING_WEBHOOK_URL counts beside a lake of the environment only"
        heard = untold if os.environ.get("RECORDING_WEBHOOK_URL") else ""
        print(f"no lake in the environment: this is the demo's, {address}{heard}", file=sys.stderr, flush=True)
        tuned = {name: value for name, value in os.environ.items() if name.startswith("RECORDING_ARCHIVE_")}
        zone = options.sandbox.timezone if options.sandbox else "UTC"
        yield {**inherited(), **tuned, **archive_settings(store, None, options), "GENESYS_TIMEZONE": zone}


@contextmanager
def _demo_store(options: StackOptions) -> Iterator[ObjectStore]:
    folder = options.directory / "object-store"
    if not (folder / "s3.json").exists():
        raise NotConfiguredError(
            "no lake: set AIRFLOW_CONN_RECORDING_LAKE, RECORDING_LAKE_URI and GENESYS_TIMEZONE (.env.example shows "
            "how), or make one with make demo"
        )
    facts = running_facts(options.directory)
    if facts is not None:
        yield ObjectStore(facts["s3"], *credentials(folder), BUCKET)
        return
    with ExitStack() as stack:
        try:
            stack.enter_context(only_one(options.directory))
        except StackRunningError:
            raise NotConfiguredError("the demo's bucket is in use by another command: try again in a moment") from None
        yield stack.enter_context(running_object_store(folder))
