"""The copy that somebody wants of one recording: Genesys' own where it renders one, else made here of the original."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from include.errors import ArchiveError, IntegrityError
from include.transfer.derivative import Workshop, make_derivative
from include.transfer.derivative_settings import FROM_GENESYS
from include.transfer.original import read_original, worth_copying
from include.transfer.recording import archive_recording
from include.transfer.rendition import Rendition
from include.transfer.rendition_shelf import RenditionShelf
from include.transfer.results import RecordingResults
from include.transfer.shard_work import ShardWork
from include.transfer.single_urls import SingleUrls
from include.transfer.standing_derivatives import standing_derivatives, write_report
from include.transfer.transcode_failure import Failed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from include.outcome import ItemRecord
    from include.transfer.derivative_document import Original
    from include.transfer.derivative_settings import DerivativeSettings
    from include.transfer.single_urls import SingleSource, Wanted

log = logging.getLogger(__name__)


def is_asked_of_source(wanted: Wanted, wishes: DerivativeSettings) -> bool:
    """Whether the source is asked for this copy; the guide's media has one form, and a setting asks nobody."""
    return bool(wanted.output_format) and not wanted.by_media_id and wishes.renditions_from == FROM_GENESYS


def copy_recording(
    work: ShardWork,
    source: SingleSource,
    wishes: DerivativeSettings,
    wanted: Wanted,
    archived: Sequence[ItemRecord],
    now: datetime,
) -> str:
    """Put the copy beside each archived part of a recording; return why one of them has none, or an empty text.

    Raises:
        LakeUnavailable, LakeConflict, IntegrityError, NotAuthorised: as the lake raises them.
    """
    rendition = Rendition(str(wanted.output_format))
    standing = standing_derivatives(work.lake, work.plan.org, work.plan.date, wanted.conversation_id)
    originals = worth_copying(read_original(work.lake, work.plan.org, work.plan.date, item) for item in archived)
    missing = [
        item
        for item in originals
        if (item.identity, item.sha256, rendition.name) not in standing.made
        and not rendition.is_met_by(item.media_type, item.codec, item.channels)
    ]
    shelf = RenditionShelf.of(work.lake, rendition, missing)
    if is_asked_of_source(wanted, wishes) and _is_rendered(work, source, wanted, shelf, now):
        failures = ""
    else:
        failures = "; ".join(filter(None, (_made_here(work, wishes, item, rendition) for item in missing)))
    if missing:
        _report(work)
    return failures


def _report(work: ShardWork) -> None:
    """Name what was made in the report of copies: no other task of this run does, and an auditor goes by it."""
    try:
        write_report(work.lake, work.plan.org, work.plan.date)
    except IntegrityError as error:
        log.warning("The report of copies is not written: %s", error)  # another call's; verify names it


def _is_rendered(work: ShardWork, source: SingleSource, wanted: Wanted, shelf: RenditionShelf, now: datetime) -> bool:
    if not shelf.originals:
        return False
    try:
        offer = wanted.offer(source)
    except ArchiveError as error:
        log.warning("recording_id=%s is not rendered by the source: %s", wanted.recording_id, error)
        return False
    urls = SingleUrls(source, wanted, offer, now.isoformat(timespec="seconds"))
    if urls.results:
        here = ShardWork(source, work.lake, work.downloader, work.settings, work.plan, {}, shelf, work.tally)
        archive_recording(here, urls, RecordingResults(wanted.conversation_id, wanted.recording_id, urls.results))
    return bool(shelf.made)


def _made_here(work: ShardWork, wishes: DerivativeSettings, original: Original, rendition: Rendition) -> str:
    workshop = Workshop(work.lake, wishes.limits, work.settings.state_dir / "work")
    made = make_derivative(workshop, original, rendition)
    return f"{rendition.name} of part {original.identity.part}: {made.reason}" if isinstance(made, Failed) else ""
