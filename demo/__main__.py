"""``python -m demo``: archive a day of the sandbox; ``up``, ``down`` and ``serve`` keep a stack.

``run`` (a day) and ``single`` (one recording) need none: they take the connections of the environment.

``lake`` runs one of the archive's commands (``python -m demo lake -- verify --date=...``).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from demo.archive_run import DagMissingError, archive_days
from demo.background import FACTS_NAME, announce, running_facts, start_in_background, stop_in_background
from demo.command import run_command
from demo.one_day import run_days
from demo.one_recording import run_single
from demo.options import DEFAULT_SEED, PROJECT, NotConfiguredError, SandboxOptions, StackOptions, refuse_future
from demo.ports import PortTakenError
from demo.processes import ComponentError
from demo.rest import AirflowApiError
from demo.stack import Stack, StackRunningError, running_stack

if TYPE_CHECKING:
    from types import FrameType

FAILED, MISUSED, INTERRUPTED = 1, 2, 130
KNOWN_ERRORS = (
    AirflowApiError,
    ComponentError,
    DagMissingError,
    NotConfiguredError,
    PortTakenError,
    StackRunningError,
)


class _TerminatedError(BaseException):
    """SIGTERM or SIGHUP arrived; like KeyboardInterrupt it passes every ``except Exception``."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status; known errors are one message on standard error."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminate)
    own, command = _split(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(own, argparse.Namespace(lake_command=command))
    commands = {"demo": demo, "up": up, "down": down, "serve": serve, "run": run, "single": single, "lake": lake}
    try:
        return commands[options.command](options)
    except KNOWN_ERRORS as error:
        print(f"\n{error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("\ninterrupted; everything is stopped", file=sys.stderr)
        return INTERRUPTED
    except _TerminatedError as signalled:
        return 128 + int(signalled.args[0])


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return what stands before ``--`` and what stands behind it: argparse would read both as one."""
    if "--" not in arguments:
        return arguments, []
    place = arguments.index("--")
    return arguments[:place], arguments[place + 1 :]


def demo(options: argparse.Namespace) -> int:
    """Start a stack, archive the sandbox's day, print what is where, and stop everything."""
    refuse_future("DATE", _sandbox_options(options))
    (options.directory / FACTS_NAME).unlink(missing_ok=True)
    with running_stack(_stack_options(options), say=_Clock()) as stack:
        announce(options.directory, stack)
        _print_addresses(stack.ui_url, stack.username, stack.password)
        day = _sandbox_options(options).day
        succeeded = archive_days(stack, day, day, print)
        print(f"bucket: s3://{stack.lake.bucket}/{stack.lake_prefix} in {options.directory}/object-store")
        print(f"logs: {stack.logs}; make up shows the same bucket's stack with its UI")
        if options.keep:
            print("KEEP is set: the stack stays until Ctrl-C")
            _watch_over(stack)
    return 0 if succeeded else FAILED


def serve(options: argparse.Namespace) -> int:
    """Run a stack in the foreground until SIGTERM, or until a component dies."""
    with running_stack(_stack_options(options), say=_Clock()) as stack:
        announce(options.directory, stack)
        _watch_over(stack)


def up(options: argparse.Namespace) -> int:
    """Leave a stack running in the background."""
    sandbox = _stack_options(options).sandbox  # a wrong value is said here, not in the log of the process behind
    facts = running_facts(options.directory)
    if facts is not None:
        print("running already, with the options it was started with: make down ends it")
    if facts is None:
        print("starting the stack in the background ...", flush=True)
        facts = start_in_background(options.directory, _given(options))
        if sandbox:
            print(f"no DAG runs by itself: trigger genesys_recordings_daily with start_date {sandbox.day}")
    _print_addresses(facts["ui"], facts["username"], facts["password"])
    print(f"S3 {facts['s3']}  sandbox {facts['sandbox']}  logs {facts['logs']}\nmake down stops it")
    return 0


def down(options: argparse.Namespace) -> int:
    """End the stack that ``up`` left."""
    print("stopped" if stop_in_background(options.directory) else "no stack is running")
    return 0


def run(options: argparse.Namespace) -> int:
    """Archive days with the connections of the environment; starts no service."""
    return run_days(options.date, options.end_date or options.date, only_failed=options.only_failed)


def single(options: argparse.Namespace) -> int:
    """Archive one recording with the connections of the environment; starts no service."""
    names = ("conversation_id", "recording_id", "media_id", "output_format", "date")
    return run_single({name: getattr(options, name) for name in names})


def lake(options: argparse.Namespace) -> int:
    """Run a command on the lake of the environment, or else on the demo's."""
    return run_command(_stack_options(options), options.lake_command)


class _Clock:
    """Says each step with the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, step: str) -> None:
        print(f"{time.monotonic() - self._began:4.0f} s  {step}", flush=True)


def _watch_over(stack: Stack) -> NoReturn:
    while True:
        stack.check()
        time.sleep(1)


def _print_addresses(ui: str, username: str, password: str) -> None:
    print(f"Airflow UI  {ui}  login {username} / {password}", flush=True)


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    raise _TerminatedError(number)


def _sandbox_options(options: argparse.Namespace) -> SandboxOptions:
    return SandboxOptions(
        date=options.date,
        timezone=options.timezone,
        conversations=options.conversations,
        seed=options.seed,
        contract=options.contract,
        scenario=options.scenario,
        fault=options.fault,
    )


def _stack_options(options: argparse.Namespace) -> StackOptions:
    # A deliberate setting of the archive reaches the demo too; connections and the lake do not (inherited()).
    tuned = {name: value for name, value in os.environ.items() if name.startswith("RECORDING_ARCHIVE_")}
    return StackOptions(
        directory=options.directory,
        sandbox=_sandbox_options(options),
        ui_port=options.port,
        environment=tuned,
        dags_folder=options.dags,
    )


def _given(options: argparse.Namespace) -> list[str]:
    names = ("directory", "dags", "port", "date", "timezone", "conversations", "seed", "contract", "scenario", "fault")
    return [f"--{name}={getattr(options, name)}" for name in names]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    commands = ("demo", "up", "down", "serve", "run", "single", "lake")
    parser.add_argument("command", nargs="?", default="demo", choices=commands)
    for name in ("conversation", "recording", "media"):
        parser.add_argument(f"--{name}", dest=f"{name}_id", default="", help="single: id")
    parser.add_argument("--output-format", default="", help="single: wav or mp3, beside the original")
    parser.add_argument("--date", default="", help="local day, YYYY-MM-DD; default yesterday")
    parser.add_argument("--end-date", default="", help="run: the last day, default the first")
    parser.add_argument("--only-failed", action="store_true", help="run: ask again only for what failed")
    parser.add_argument("--timezone", default=os.environ.get("GENESYS_TIMEZONE") or "UTC", help="of the day")
    parser.add_argument("--conversations", type=int, default=300, help="of the sandbox's day")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="the same seed plays the same day")
    parser.add_argument("--contract", default="platform", choices=("platform", "guide"), help="wire contract")
    parser.add_argument("--scenario", default="", help="named day of the sandbox")
    parser.add_argument("--fault", default="", help="what the sandbox does wrong: its switches, a space between them")
    parser.add_argument("--port", type=int, default=0, help="of the Airflow UI; default a free one")
    parser.add_argument("--keep", action="store_true", help="demo: stay after the run until Ctrl-C")
    parser.add_argument("--directory", type=Path, default=PROJECT / ".demo", help="data and logs")
    parser.add_argument("--dags", type=Path, default=PROJECT / "dags", help="DAG folder")
    return parser


if __name__ == "__main__":
    sys.exit(main())
