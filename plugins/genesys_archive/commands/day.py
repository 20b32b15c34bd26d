"""``day``: what became of a day, read from the lake."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from genesys_archive.commands.days import local_day
from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.lake import recording_lake
from include.audit.balance import day_lines
from include.errors import ConfigurationError
from include.lake.layout import report_key

if TYPE_CHECKING:
    import argparse

HELP = "print what became of a day: the balance, the exclusions by name, and where the report is"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the days."""
    parser.add_argument("--date", required=True, type=local_day, help="local day, YYYY-MM-DD")
    parser.add_argument("--end-date", type=local_day, help="the last day; default the first")
    parser.add_argument("--report", action="store_true", help="print the whole page instead of the balance")


def run(options: argparse.Namespace) -> int:
    """Print the days; 1 where one of them is not complete or has no report.

    Raises:
        ConfigurationError: when the last day is before the first.
    """
    last = options.end_date or options.date
    if last < options.date:
        raise ConfigurationError(f"the last day {last} is before the first, {options.date}")
    lake = recording_lake(archive_settings())
    complete = True
    for number in range((last - options.date).days + 1):
        day = str(options.date + timedelta(days=number))
        body = lake.read(report_key(day, "report.json"))
        report = json.loads(body) if body else None
        page = lake.read(report_key(day, "report.md")) if options.report else None
        print(page.decode() if page else "\n".join(day_lines(day, report)))
        if report:
            print(f"report: {lake.uri(report_key(day, 'report.md'))}\nproof: {lake.uri(str(report.get('commit', '')))}")
        complete = complete and bool(report and report.get("complete"))
    return 0 if complete else 1
