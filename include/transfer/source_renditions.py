"""Asks the source for renditions where its contract can be asked, and takes what came; the rest is made here.

By then the originals are archived and committed. So nothing here is needed: whatever the source refuses, forgets or
renders otherwise is a line in the log, and the original is transcoded on this machine.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from include.errors import ArchiveError
from include.genesys.recording import groups_of
from include.lake.plan import ShardPlan
from include.transfer.bundle import archive_bundle
from include.transfer.recording import archive_recording
from include.transfer.rendition import Rendition
from include.transfer.rendition_shelf import RenditionShelf
from include.transfer.results import sort_results
from include.transfer.shard_work import JobUrls, ShardSource, ShardWork
from include.transfer.submit import BatchSource, SubmittedShard, submit_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from include.genesys.models import Contract
    from include.lake.store import LakeStore
    from include.settings import ArchiveSettings
    from include.transfer.derivative_document import Derived, Original
    from include.transfer.download import MediaDownloader
    from include.transfer.submit import JobMemory, SubmittedJob

log = logging.getLogger(__name__)
Wish = tuple["Original", Rendition]
"""A derivative that is wanted and not there."""


class RenderingSource(BatchSource, ShardSource, Protocol):
    """What asking for renditions needs of the source."""


def request_renditions(
    source: BatchSource,
    contract: Contract,
    wishes: Iterable[Wish],
    memory: JobMemory,
    *,
    batch_items: int,
    now: datetime,
) -> tuple[SubmittedShard, ...]:
    """Submit a batch with a format for what the contract can be asked for, and return the jobs; none where it cannot.

    A source that refuses or does not answer costs nothing but its help.
    """
    asked = []
    for rendition, originals in _by_rendition(wishes).items():
        requested = rendition.requested_format(contract)
        if requested is None:
            continue
        jobs: list[SubmittedJob] = []
        for number, batch in enumerate(
            groups_of(sorted({item.identity.conversation_id for item in originals}), batch_items)
        ):
            place = f"rendition-{rendition.name}-{number}"
            try:
                jobs += submit_once(source, place, batch, memory, output_format=requested, now=now)[0]
            except ArchiveError as error:
                log.warning("No %s is asked of the source, it is made here: %s", requested, error)
                break
        if jobs:
            asked.append(SubmittedShard("", tuple(jobs), (), rendition.output_format))
    return tuple(asked)


def take_renditions(
    source: RenderingSource,
    lake: LakeStore,
    downloader: MediaDownloader,
    settings: ArchiveSettings,
    wishes: Sequence[Wish],
    asked: Iterable[SubmittedShard],
) -> dict[Wish, Derived]:
    """Fetch what the jobs rendered, keep what agrees with its original, and return it.

    Raises:
        LakeUnavailable, LakeConflict, IntegrityError, NotAuthorised: as the lake raises them.
    """
    made: dict[Wish, Derived] = {}
    by_rendition = _by_rendition(wishes)
    for shard in asked:
        rendition = Rendition(str(shard.output_format))
        shelf = RenditionShelf.of(lake, rendition, by_rendition.get(rendition, ()))
        conversations = {conversation_id for conversation_id, _ in shelf.originals}
        for job in shard.jobs:
            wanted = tuple(item for item in job.conversation_ids if item in conversations)
            if wanted:
                _take(source, lake, downloader, settings, shelf, job, wanted)
        made |= {(original, rendition): derived for original, derived in shelf.made.items()}
    return made


def _take(
    source: RenderingSource,
    lake: LakeStore,
    downloader: MediaDownloader,
    settings: ArchiveSettings,
    shelf: RenditionShelf,
    job: SubmittedJob,
    wanted: tuple[str, ...],
) -> None:
    try:
        results = source.batch_status(job.job_id).results
    except ArchiveError as error:
        log.warning("Job %s says nothing of its renditions, they are made here: %s", job.job_id, error)
        return
    identity = next(iter(shelf.originals.values())).identity
    plan = ShardPlan(identity.org, identity.date, settings.timezone.key, (wanted,), {})
    work = ShardWork(source, lake, downloader, settings, plan, {}, shelf)
    urls = JobUrls(source, job.job_id, results, job.submitted_at)
    answer = sort_results(results, wanted)
    for result in answer.bundles:
        archive_bundle(work, urls, result, wanted)
    for group in answer.recordings:
        archive_recording(work, urls, group)


def _by_rendition(wishes: Iterable[Wish]) -> dict[Rendition, list[Original]]:
    """Return the originals by rendition; those of a recording in several parts are left out."""
    found: dict[Rendition, list[Original]] = {}
    for original, rendition in wishes:
        if original.parts == 1:
            found.setdefault(rendition, []).append(original)
    return dict(sorted(found.items()))
