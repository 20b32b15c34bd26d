"""Start reading here: how the results of a shard's batch jobs become verified objects and one manifest.

Per job: ask for its results, bring each recording into the lake (``recording.py``), open what came as one archive
(``bundle.py``), and find out why the rest is missing (``holes.py``). One bad recording is named and left behind; the
other ninety-nine are archived.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from include.audit.download_tally import NO_DOWNLOADS, DownloadTally
from include.audit.metrics import SILENT
from include.audit.reconcile import erased_record
from include.errors import ConfigurationError, RecordingGone
from include.genesys.models import RecordingResult
from include.genesys.waiting import is_done
from include.lake.erasures import erasures_of
from include.lake.layout import is_uuid
from include.lake.manifest import Manifest
from include.outcome import ItemRecord, Outcome
from include.transfer.bundle import archive_bundle
from include.transfer.contested import contested_recordings
from include.transfer.evidence import dated, earlier_tries
from include.transfer.failure import failure_reason, reason_of
from include.transfer.holes import BATCH, explain
from include.transfer.originals import has_original
from include.transfer.recording import archive_recording
from include.transfer.results import sort_results
from include.transfer.shard_work import JobUrls, ShardSource, ShardWork
from include.transfer.side_by_side import side_by_side
from include.transfer.stored import stored_parts, stored_recording

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from include.audit.download_tally import Downloads
    from include.audit.metrics import Metrics
    from include.genesys.models import BatchStatus
    from include.lake.plan import ShardPlan
    from include.lake.store import LakeStore
    from include.settings import ArchiveSettings
    from include.transfer.download import MediaDownloader
    from include.transfer.results import RecordingResults, SortedResults
    from include.transfer.stored import StoredParts
    from include.transfer.submit import SubmittedJob, SubmittedShard

log = logging.getLogger(__name__)
UNFINISHED = "job_unfinished"
REFUSED = "request_refused"
MALFORMED_ID = "recording_id_malformed"
MISCONFIGURED = failure_reason(ConfigurationError)


@dataclass(frozen=True, slots=True)
class ShardReport:
    """What a shard came to, as it travels through XCom: a key and counts of recordings."""

    manifest_key: str
    conversations: int
    outcomes: Mapping[str, int]
    bytes: int
    downloads: Downloads = field(default=NO_DOWNLOADS, compare=False)
    """What this try fetched; nothing where the lake held it all. Another try may fetch less and come to the same."""

    def to_json(self) -> dict[str, object]:
        """Return it for XCom."""
        return {**asdict(self), "downloads": self.downloads.to_json()}

    def sentence(self) -> str:
        """Return it for the log of a person."""
        counts = ", ".join(f"{count} {name}" for name, count in sorted(self.outcomes.items()))
        return f"{self.conversations} conversations: {counts}; {self.bytes} bytes archived. See {self.manifest_key}"


def archive_shard(  # noqa: PLR0913 - the ports, the plan and what is known of the jobs
    source: ShardSource,
    lake: LakeStore,
    downloader: MediaDownloader,
    settings: ArchiveSettings,
    plan: ShardPlan,
    submitted: SubmittedShard,
    *,
    unfinished: frozenset[str],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    metrics: Metrics = SILENT,
) -> ShardReport:
    """Archive a shard and write its manifest; a shard that is already whole in the lake is left alone.

    ``unfinished`` are the jobs that did not complete in time: what they have is taken, what they owe stays pending.
    What an earlier try at this very plan was told, and this one is told again, keeps the time of the first telling: a
    retry that hears nothing new writes nothing new.

    Raises:
        RetriableError, PermanentError: when the source's API or the lake stops the shard as a whole.
        ConfigurationError: when nothing was archived and the connection or the work directory is the reason: one
            strange URL is quarantined, but a wrong ``media_hosts`` must not quarantine a whole day.
    """
    ids = plan.conversation_ids
    stored = stored_parts(lake, plan.org, plan.date, ids)
    tries = earlier_tries(lake, plan)
    erased = erasures_of(lake, plan.date).anywhere
    finished = _finished_manifest(tries, plan, stored, erased)
    if finished is not None:
        key = finished.key
        log.info("Nothing to do: %s is complete", key)
        return _report(finished, key)
    tally = DownloadTally(metrics, reason_of)
    contested = contested_recordings(lake, plan.date) if stored else frozenset()
    work = ShardWork(source, lake, downloader, settings, plan, stored, tally=tally, contested=contested)
    records = [erased_record(item, erased[item]) for item in ids if item in erased]
    records += [_refused(item) for item in submitted.refused if item not in erased]
    for job in submitted.jobs:
        records += _archive_job(work, job.without(erased), finished=job.job_id not in unfinished)
    _stop_if_misconfigured(records)
    items = tuple(sorted(dated(set(records), tries, clock())))
    manifest = Manifest(plan.org, plan.date, ids, items, plan.base_version, submitted.plan_key)
    return _report(manifest, manifest.write(lake), work.tally.result())


def _stop_if_misconfigured(records: Sequence[ItemRecord]) -> None:
    facts = [item.fact for item in records if item.reason == MISCONFIGURED]
    if facts and not any(item.outcome is Outcome.ARCHIVED for item in records):
        raise ConfigurationError(f"Nothing could be fetched, {len(facts)} times for this reason: {facts[0]}")


def _archive_job(work: ShardWork, job: SubmittedJob, *, finished: bool) -> list[ItemRecord]:
    """Return the records of every conversation of one job, whatever became of it."""
    status = _status_of(work.source, job.job_id)
    results = status.results if status else ()
    urls = JobUrls(work.source, job.job_id, results, job.submitted_at)
    answer = sort_results(results, job.conversation_ids)
    records = _malformed(answer, job)
    records += _archive_recordings(work, urls, answer.recordings)
    errors = {key: list(items) for key, items in answer.errors.items()}
    counted = [len(results) - len(answer.bundles)]
    is_whole = status is not None and all(is_uuid(item.conversation_id) for item in answer.strangers)
    for result in answer.bundles:
        outcome = archive_bundle(work, urls, result, job.conversation_ids)
        records += outcome.records
        is_whole = is_whole and not outcome.unmapped
        counted.append(_promised(status) if outcome.counted is None else outcome.counted)
        for failure in outcome.failures:
            errors.setdefault(failure.conversation_id, []).append(
                RecordingResult(failure.conversation_id, failure.recording_id, None, None, failure.message)
            )
    is_whole = is_whole and sum(counted) >= _promised(status)
    done = status is None or is_done(status, finished=finished)
    return records + _not_delivered(work, job, records, errors, done=done, is_whole=is_whole)


def _promised(status: BatchStatus | None) -> int:
    return max(status.expected_count, status.result_count) if status else 0


def _not_delivered(
    work: ShardWork,
    job: SubmittedJob,
    delivered: Sequence[ItemRecord],
    errors: Mapping[str, Sequence[RecordingResult]],
    *,
    done: bool,
    is_whole: bool,
) -> list[ItemRecord]:
    """Return what else there is to say of the job's conversations: archived earlier, missing and why, or pending.

    A conversation that the finished job spoke of without an error needs no word: a recording that such a job leaves
    out while its counters agree with its results is not looked for. One that it was silent about is asked for at the
    source, also when an earlier run archived one of its recordings, and so is one of which only other media came, or of
    which the lake has a recording in another form only; so
    is every one that was spoken of by a job that is unfinished, gone, delivered something that belongs to nobody, or
    less than it counts (``is_whole`` is false). Whatever else an unfinished job delivers may have another part. In a
    shard that an audit planned, every conversation is asked for.
    """
    records = _already_stored(work, job.conversation_ids, delivered)
    unanswered = _unanswered(work, records)
    spoken = {item.conversation_id for item in delivered if item.outcome is not Outcome.NOT_SELECTED}
    heard = {item.conversation_id for item in delivered} | errors.keys()
    stored = {item.conversation_id for item in records}
    for conversation_id in job.conversation_ids:
        unheard = not done and conversation_id not in heard | stored
        is_told = done and is_whole and conversation_id in spoken and conversation_id not in errors
        owed = unanswered.get(conversation_id, set())
        if not unheard and (work.plan.deep or owed or not is_told):
            here = (item for item in (*delivered, *records) if item.conversation_id == conversation_id)
            answered = {item.recording_id for item in here} - owed
            records += explain(work.source, conversation_id, errors.get(conversation_id, ()), answered)
        here = (item for item in (*delivered, *records) if item.conversation_id == conversation_id)
        if not done and (unheard or any(item.outcome is Outcome.ARCHIVED or item.outcome.is_open for item in here)):
            records.append(ItemRecord(conversation_id, "", 0, Outcome.PENDING, UNFINISHED, BATCH, job.job_id))
    return records


def _archive_recordings(work: ShardWork, urls: JobUrls, groups: Sequence[RecordingResults]) -> list[ItemRecord]:
    """Archive recordings side by side; the first trouble with the lake stops the ones that have not begun."""
    kept = side_by_side(
        lambda group: archive_recording(work, urls, group),
        groups,
        threads=work.settings.concurrent_downloads,
        name="archive",
        stop=work.downloader.stop,
    )
    return [record for records in kept for record in records]


def _already_stored(work: ShardWork, requested: Sequence[str], records: Iterable[ItemRecord]) -> list[ItemRecord]:
    """Return what the lake holds although the job no longer delivers it: archived is archived."""
    answered = {(item.conversation_id, item.recording_id) for item in records if item.outcome is Outcome.ARCHIVED}
    wanted = frozenset(requested)
    return [
        record
        for place, parts in sorted(work.stored.items())
        if place[0] in wanted and place not in answered
        for record in stored_recording(work.lake, work.identity(*place), parts)
    ]


def _unanswered(work: ShardWork, records: Iterable[ItemRecord]) -> dict[str, set[str]]:
    """Return, by conversation, the recordings among these of which the lake does not hold what the source keeps.

    It has them in another form, or two ways brought different bytes of them.
    """
    found: dict[str, set[str]] = {}
    for place in {(item.conversation_id, item.recording_id) for item in records}:
        if place in work.contested or not has_original(work.lake, work.identity(*place), work.stored[place]):
            found.setdefault(place[0], set()).add(place[1])
    return found


def _malformed(answer: SortedResults, job: SubmittedJob) -> list[ItemRecord]:
    """Name the recordings whose id cannot become a key; results for conversations never requested are only logged."""
    records = []
    for result in answer.strangers:
        if result.conversation_id in job.conversation_ids:
            recording_id = (result.recording_id or "")[:64]
            records.append(
                ItemRecord(str(result.conversation_id), recording_id, 0, Outcome.QUARANTINED, MALFORMED_ID, BATCH)
            )
        elif result.conversation_id is None:
            why = result.error_message or "nothing says why"
            log.warning("Job %s answered with a result that names no conversation; left out: %s", job.job_id, why)
        else:
            log.warning("Job %s answered with a conversation that was never requested; it was left out", job.job_id)
    return records


def _status_of(source: ShardSource, job_id: str) -> BatchStatus | None:
    try:
        return source.batch_status(job_id)
    except RecordingGone:
        log.warning("Job %s is gone; what it has not delivered is asked for by the next run", job_id)
        return None


def _finished_manifest(
    tries: Sequence[Manifest], plan: ShardPlan, stored: StoredParts, erased: Collection[str]
) -> Manifest | None:
    """Return the manifest of an earlier try that settles every conversation, if there is one.

    One that names parts which are gone is none.
    """
    for manifest in tries:
        spoken = {item.conversation_id for item in manifest.items}
        is_settled = all(
            item.outcome.is_settled and (item.conversation_id in erased or _is_there(item, stored))
            for item in manifest.items
        )
        if is_settled and spoken.issuperset(plan.conversation_ids):
            return manifest
    return None


def _is_there(item: ItemRecord, stored: StoredParts) -> bool:
    if item.outcome is not Outcome.ARCHIVED:
        return True
    return stored.get((item.conversation_id, item.recording_id), {}).get(item.sha256) == item.part


def _refused(conversation_id: str) -> ItemRecord:
    return ItemRecord(conversation_id, "", 0, Outcome.QUARANTINED, REFUSED, BATCH, "the source takes no batch with it")


def _report(manifest: Manifest, key: str, downloads: Downloads = NO_DOWNLOADS) -> ShardReport:
    return ShardReport(
        manifest_key=key,
        conversations=len(manifest.conversation_ids),
        outcomes=dict(Counter(str(item.outcome) for item in manifest.items)),
        bytes=sum(item.bytes for item in manifest.items if item.outcome is Outcome.ARCHIVED),
        downloads=downloads,
    )
