"""``python -m genesys_archive.commands <command>``: the lake from a shell, with the connections Airflow would use.

Everything it needs is the connection ``recording_lake`` and the settings in the environment; no service of Airflow
has to run. Exit status: 0 when all is well, 1 when something was found or refused, 2 when the call was wrong.
"""

from __future__ import annotations

import argparse
import logging
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from include.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: tuple[str, ...] = ("day", "deliver", "derive", "doctor", "erase", "hold", "rebuild-catalog", "verify")
"""Modules beside this one, by their command's name; a hyphen stands for the module's underscore."""
FAILED, MISUSED, INTERRUPTED = 1, 2, 130


class Command(Protocol):
    """A module of this package."""

    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's options."""

    def run(self, options: argparse.Namespace) -> int:
        """Do it, print for a person, and return the exit status."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; a known error is one sentence on standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    options = _parser().parse_args(arguments)
    try:
        return cast("int", options.run(options))
    except ArchiveError as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(f"{options.command}: interrupted", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m genesys_archive.commands", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in COMMANDS:
        module = cast("Command", import_module(f"genesys_archive.commands.{name.replace('-', '_')}"))
        command = commands.add_parser(name, help=module.HELP, description=module.HELP)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
