"""``deliver``: sends now what the webhook's receiver has not taken yet."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from genesys_archive.defaults import archive_settings, webhook_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from include.errors import ConfigurationError
from include.local_day import date_named
from include.transfer.outbox import Outbox, SystemClock
from include.transfer.webhook import WebhookSender

if TYPE_CHECKING:
    import argparse

HELP = "send the webhook's undelivered events now, those of one day or what all runs have left"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the day."""
    parser.add_argument(
        "--date", metavar="YYYY-MM-DD", default="", help="a day to deliver too, besides unfinished ones"
    )
    parser.add_argument("--dead", action="store_true", help="of these days, try again what was given up")


def run(options: argparse.Namespace) -> int:
    """Deliver and print a line a day; 1 where something is still undelivered or given up."""
    wanted, settings = webhook_settings(), archive_settings()
    if not wanted.is_on:
        raise ConfigurationError("RECORDING_WEBHOOK_URL is not set: there is nobody to tell")
    dates = [str(date_named(options.date, "DATE"))] if options.date else []
    with WebhookSender(wanted) as sender:
        org = GenesysHook().genesys_connection().org_id
        outbox = Outbox(recording_lake(settings), org, settings.timezone, wanted, sender, SystemClock())
        delivered = outbox.deliver(dates, revive=options.dead)
    for day in delivered:
        print(day.sentence())
        for event in day.given_up:
            print(f"given up: {event}", file=sys.stderr)
    if not delivered:
        print("nothing is undelivered")
    return int(any(day.waiting or day.dead for day in delivered))
