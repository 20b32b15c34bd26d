"""One conversation on a command line: which it is, where the lake has it, and who wants something of it."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.lake import recording_lake
from include.lake.whereabouts import place_of

if TYPE_CHECKING:
    import argparse

    from include.lake.store import LakeStore
    from include.local_day import LocalDay


def add_conversation(parser: argparse.ArgumentParser) -> None:
    """Declare which conversation, and the words that are kept of the order."""
    parser.add_argument("--conversation", required=True, metavar="UUID", help="which")
    parser.add_argument("--date", default="", metavar="YYYY-MM-DD", help="its local day, where the lake cannot tell")
    parser.add_argument("--reason", required=True, help="kept for good: name no customer in it")
    parser.add_argument("--by", default="", help="who decided; the name of this account, unless given")


def lake_and_place(options: argparse.Namespace) -> tuple[LakeStore, str, LocalDay]:
    """Return the lake, and the organisation and the day under which it has the conversation.

    Raises:
        ConfigurationError, RetriableError, PermanentError: as the settings, the connection and ``place_of`` raise them.
    """
    settings = archive_settings()
    lake = recording_lake(settings)
    return lake, *place_of(lake, options.conversation, options.date, settings.timezone)


def decided_by(options: argparse.Namespace) -> str:
    """Return who decided."""
    return str(options.by or getpass.getuser())
