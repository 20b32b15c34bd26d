"""``hold``: put one conversation under a legal hold, or lift it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genesys_archive.commands.conversation import add_conversation, decided_by, lake_and_place
from genesys_archive.defaults import journal_key
from include.transfer.hold import HoldOrder, hold_everywhere

if TYPE_CHECKING:
    import argparse

HELP = "put one conversation under a legal hold, so that nobody erases it, or lift the hold"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_conversation(parser)
    parser.add_argument("--release", action="store_true", help="lift the hold")


def run(options: argparse.Namespace) -> int:
    """Hold or release, and say what has changed."""
    lake, org, day = lake_and_place(options)
    order = HoldOrder(org, day, options.conversation, options.reason, decided_by(options), on=not options.release)
    state = "under a legal hold" if order.on else "under no legal hold"
    for hold in hold_everywhere(lake, order, journal_key()):
        whose = f"{hold.order.conversation_id} of {hold.order.day}"
        print(f"{whose}: {len(hold.versions)} versions are {state}; {hold.changed} were not before.")
    return 0
