"""``hold``: put one conversation under a legal hold, or lift it."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from genesys_archive.defaults import archive_settings, journal_key
from genesys_archive.hooks.lake import recording_lake
from include.lake.whereabouts import place_of
from include.transfer.hold import HoldOrder, hold_conversation

if TYPE_CHECKING:
    import argparse

HELP = "put one conversation under a legal hold, so that nobody erases it, or lift the hold"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--conversation", required=True, metavar="UUID", help="which")
    parser.add_argument("--date", default="", metavar="YYYY-MM-DD", help="its local day, where the lake cannot tell")
    parser.add_argument("--reason", required=True, help="kept for good: name no customer in it")
    parser.add_argument("--by", default="", help="who decided; the name of this account, unless given")
    parser.add_argument("--release", action="store_true", help="lift the hold")


def run(options: argparse.Namespace) -> int:
    """Hold or release, and say what has changed."""
    settings = archive_settings()
    lake = recording_lake(settings)
    org, day = place_of(lake, options.conversation, options.date, settings.timezone)
    by = options.by or getpass.getuser()
    order = HoldOrder(org, day, options.conversation, options.reason, by, on=not options.release)
    hold = hold_conversation(lake, order, journal_key())
    state = "under a legal hold" if hold.on else "under no legal hold"
    print(
        f"{options.conversation} of {day}: {len(hold.versions)} versions are {state}; {hold.changed} were not before."
    )
    return 0
