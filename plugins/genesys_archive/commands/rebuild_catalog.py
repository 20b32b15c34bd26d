"""rebuild-catalog: the catalog anew from commits, manifests and metadata; writes only what differs."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.lake import recording_lake
from include.errors import ConfigurationError
from include.transfer.catalog_rebuild import days_to_catalog, rebuild_day

if TYPE_CHECKING:
    import argparse

HELP = "build the catalog anew from the commits; a partition that stands as it must is left alone"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the days."""
    parser.add_argument("--date", metavar="YYYY-MM-DD", default="", help="first day; none: all that are committed")
    parser.add_argument("--end-date", metavar="YYYY-MM-DD", default="", help="last day; none: the first day alone")


def run(options: argparse.Namespace) -> int:
    """Rebuild and print a line a day; 1 where there is nothing to build, or an object that no partition should hold."""
    if options.end_date and not options.date:
        raise ConfigurationError(f"a last day, {options.end_date}, needs a first one")
    settings = archive_settings()
    lake = recording_lake(settings)
    started, rows, lost, odd = time.monotonic(), 0, 0, False
    days = days_to_catalog(lake, settings.timezone, options.date, options.end_date)
    for day in days:
        done = rebuild_day(lake, day)
        print(done.sentence())
        rows += done.manifest.rows
        lost += done.lost
        odd = odd or bool(done.strangers)
    if not days:
        print("no such day was ever committed here", file=sys.stderr)
        return 1
    fewer = f" ({lost} fewer than the commits: make verify names them)" if lost else ""
    print(f"{len(days)} days, {rows} recordings{fewer}, {time.monotonic() - started:.1f} s")
    return int(odd)
