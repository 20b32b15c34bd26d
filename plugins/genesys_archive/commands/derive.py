"""``derive``: makes the copies of what the lake holds, on this machine, long after the night."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from typing import TYPE_CHECKING

from genesys_archive.commands.days import local_day
from genesys_archive.defaults import archive_settings, derivative_settings
from genesys_archive.hooks.lake import recording_lake
from include.errors import ConfigurationError
from include.lake.whereabouts import check_conversation_id, dates_of, organisation_of
from include.transfer.derive_day import DerivativeDesk, derive_day
from include.transfer.rendition import CHANNELS, FORMATS, Rendition

if TYPE_CHECKING:
    import argparse

    from include.lake.store import LakeStore

HELP = "make the wav, mp3 or mono copies of archived recordings, of days or of one conversation, from the bucket alone"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare of what, and as what."""
    parser.add_argument("--date", type=local_day, help="local day, YYYY-MM-DD")
    parser.add_argument("--end-date", type=local_day, help="the last day; default the first")
    parser.add_argument(
        "--conversation", default="", help="only this conversation; its day is found where none is given"
    )
    parser.add_argument("--output-format", choices=FORMATS, help="default RECORDING_ARCHIVE_OUTPUT_FORMAT")
    parser.add_argument("--channels", choices=CHANNELS, help="default RECORDING_ARCHIVE_CHANNELS")


def run(options: argparse.Namespace) -> int:
    """Make what is not there yet and print a line a day; 1 where a copy cannot be made."""
    settings, wishes = archive_settings(), derivative_settings()
    lake = recording_lake(settings)
    wanted = Rendition(options.output_format or wishes.output_format, options.channels or wishes.channels)
    failed = 0
    for day in _dates(lake, options):
        desk = DerivativeDesk(lake, settings, wishes, organisation_of(lake, day), wanted)
        if desk.wants_nothing:
            raise ConfigurationError("nothing is asked for: give OUTPUT_FORMAT=wav or mp3, or CHANNELS=mono")
        derived = derive_day(desk, day, options.conversation)
        print(derived.sentence())
        failed += derived.failed
    if failed:
        print("reports/date=.../derivatives.json names each that cannot be made", file=sys.stderr)
    return int(failed > 0)


def _dates(lake: LakeStore, options: argparse.Namespace) -> list[str]:
    """Return the days that are meant.

    Raises:
        ConfigurationError: when none is, or the lake holds nothing of the conversation.
    """
    conversation_id, first = options.conversation, options.date
    if conversation_id:
        check_conversation_id(conversation_id)
    if first is None and not conversation_id:
        raise ConfigurationError("give DATE=YYYY-MM-DD or CONVERSATION=uuid")
    if first is None:
        found = dates_of(lake, conversation_id)
        if not found:
            raise ConfigurationError(f"the lake holds no recording of conversation {conversation_id}")
        return list(found)
    last: date = options.end_date or first
    if last < first:
        raise ConfigurationError(f"the last day {last} is before the first, {first}")
    return [str(first + timedelta(days=number)) for number in range((last - first).days + 1)]
