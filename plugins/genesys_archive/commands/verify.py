"""``verify``: the lake against its own evidence."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowNotFoundException

from genesys_archive.commands.days import local_day
from genesys_archive.defaults import archive_settings, journal_key
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from include.errors import ConfigurationError
from include.transfer.verify import Scope, verify_lake

if TYPE_CHECKING:
    import argparse

HELP = "prove the lake against its own evidence: what is missing, altered, hidden, replaced; nothing is changed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the days and how closely to look."""
    parser.add_argument("--date", type=local_day, help="local day, YYYY-MM-DD; default every committed day")
    parser.add_argument("--end-date", type=local_day, help="the last day; default the first")
    parser.add_argument("--deep", action="store_true", help="read and hash every byte, not only ask the bucket")
    parser.add_argument("--whole", action="store_true", help="all days, and what no day leads to")


def run(options: argparse.Namespace) -> int:
    """Verify, print each finding and one sentence; 1 where anything was found."""
    lake = recording_lake(archive_settings())
    scope = Scope(_dates(options), _org(), options.deep, options.whole, journal_key())
    done = verify_lake(lake, scope, lambda line: print(line, file=sys.stderr, flush=True))
    for finding in done.findings:
        print(finding.line())
    print(f"{lake.location.uri}, {done.sentence()}")
    return 0 if done.is_clean else 1


def _dates(options: argparse.Namespace) -> tuple[str, ...]:
    if options.date is None and options.end_date is not None:
        raise ConfigurationError(f"a last day, {options.end_date}, needs a first one")
    if options.date is None:
        return ()
    last = options.end_date or options.date
    if last < options.date:
        raise ConfigurationError(f"the last day {last} is before the first, {options.date}")
    return tuple(str(options.date + timedelta(days=number)) for number in range((last - options.date).days + 1))


def _org() -> str:
    """Return whose lake it must be; nobody's in particular where there is no connection that says so.

    An auditor has the bucket and no client of Genesys Cloud; the commits then have to agree among themselves.
    """
    try:
        return GenesysHook().genesys_connection().org_id
    except ConfigurationError as error:
        if isinstance(error.__cause__, AirflowNotFoundException):
            return ""
        raise
