"""``erase``: erase one conversation for good, and print the certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genesys_archive.commands.conversation import add_conversation, decided_by, lake_and_place
from genesys_archive.defaults import journal_key
from include.transfer.erase import ErasureOrder
from include.transfer.erase_everywhere import erase_everywhere

if TYPE_CHECKING:
    import argparse

HELP = "erase one conversation: every version of its bytes and personal data; a tombstone stays"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_conversation(parser)
    parser.add_argument("--legal-basis", required=True, help="kept for good, such as 'GDPR Art. 17(1)(b)'")
    parser.add_argument("--bypass-governance", action="store_true", help="also what is locked in GOVERNANCE mode")
    parser.add_argument("--dry-run", action="store_true", help="look and check the locks, write and delete nothing")


def run(options: argparse.Namespace) -> int:
    """Erase, and print what a person files."""
    lake, org, day = lake_and_place(options)
    order = ErasureOrder(org, day, options.conversation, options.reason, options.legal_basis, decided_by(options))
    may = {"bypass_governance": options.bypass_governance, "dry_run": options.dry_run}
    for erasure in erase_everywhere(lake, order, journal_key(), **may):
        print("\n".join(erasure.lines(lake.location.uri)))
    return 0
