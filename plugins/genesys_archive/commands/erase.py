"""``erase``: erase one conversation for good, and print the certificate."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from genesys_archive.defaults import archive_settings, journal_key
from genesys_archive.hooks.lake import recording_lake
from include.lake.whereabouts import place_of
from include.transfer.erase import ErasureOrder, erase_conversation

if TYPE_CHECKING:
    import argparse

HELP = "erase one conversation: every version of its bytes and personal data; a tombstone stays"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--conversation", required=True, metavar="UUID", help="which")
    parser.add_argument("--date", default="", metavar="YYYY-MM-DD", help="its local day, where the lake cannot tell")
    parser.add_argument("--reason", required=True, help="kept for good: name no customer in it")
    parser.add_argument("--legal-basis", required=True, help="kept for good, such as 'GDPR Art. 17(1)(b)'")
    parser.add_argument("--by", default="", help="who decided; the name of this account, unless given")
    parser.add_argument("--bypass-governance", action="store_true", help="also what is locked in GOVERNANCE mode")
    parser.add_argument("--dry-run", action="store_true", help="look and check the locks, write and delete nothing")


def run(options: argparse.Namespace) -> int:
    """Erase, and print what a person files."""
    settings = archive_settings()
    lake = recording_lake(settings)
    org, day = place_of(lake, options.conversation, options.date, settings.timezone)
    by = options.by or getpass.getuser()
    order = ErasureOrder(org, day, options.conversation, options.reason, options.legal_basis, by)
    may = {"bypass_governance": options.bypass_governance, "dry_run": options.dry_run}
    erasure = erase_conversation(lake, order, journal_key(), **may)
    print("\n".join(erasure.lines(lake.location.uri)))
    return 0
