"""The story of the native export: what it brought becomes verified objects, one manifest a day, and is remembered.

Same identity, same keys, same checks as by the batch jobs; what the lake holds is recognised, what contradicts it goes
to quarantine. Nothing in the export is changed or deleted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from include.audit.download_tally import DownloadTally
from include.audit.metrics import EXPORT_OBJECTS, SILENT, measure_recordings, measure_words
from include.audit.reconcile import NOT_PROCESSED, erased_record
from include.audit.standing import Baseline, Standing
from include.errors import LakeUnavailable
from include.genesys.recording import groups_of
from include.lake.commit import read_head
from include.lake.erasures import erasures_of
from include.lake.export_ledger import settle
from include.lake.manifest import Manifest
from include.lake.plan import DayPlan, ShardPlan, earlier_facts
from include.outcome import Outcome
from include.transfer.asked_meanwhile import asked_for_meanwhile
from include.transfer.closing import ClosingRules, nightly_rules
from include.transfer.contested import EXPORT_CONFLICT
from include.transfer.day import COMMIT_ATTEMPTS, commit_day
from include.transfer.day_state import known_of
from include.transfer.evidence import dated, earlier_tries
from include.transfer.export_listing import unsettled
from include.transfer.export_pairing import by_day, paired, read_metadata
from include.transfer.export_recording import ExportWork, Ingested, Seen, ingest_recording
from include.transfer.facts import stored_facts
from include.transfer.failure import reason_of
from include.transfer.metadata import NATIVE_EXPORT
from include.transfer.names import refuse_unnamed_queues
from include.transfer.shard_work import ShardWork
from include.transfer.side_by_side import side_by_side
from include.transfer.stored import stored_parts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from include.audit.metrics import Metrics
    from include.audit.reconcile import DayState
    from include.audit.signature import JournalKey
    from include.genesys.export_metadata import ExportMetadata
    from include.genesys.models import BatchStatus, Conversation, RecordingMetadata
    from include.lake.commit import Commit
    from include.lake.erasures import Erasures
    from include.lake.export_bucket import ExportBucket
    from include.lake.store import LakeStore
    from include.local_day import LocalDay
    from include.outcome import ItemRecord
    from include.settings import ArchiveSettings
    from include.transfer.download import MediaDownloader
    from include.transfer.export_listing import Exported, Window
    from include.transfer.export_pairing import ExportedRecording
    from include.transfer.export_sealed import Unsealer
    from include.transfer.export_settings import ExportSettings

    Read = Sequence[tuple[ExportedRecording, ExportMetadata | None]]


@dataclass(frozen=True, slots=True)
class ExportPorts:
    """What an ingest works with; ``source`` is never asked, since the export needs no API."""

    export: ExportBucket
    lake: LakeStore
    downloader: MediaDownloader
    settings: ArchiveSettings
    export_settings: ExportSettings
    unsealer: Unsealer
    org: str
    journal_key: JournalKey | None = None
    metrics: Metrics = SILENT


@dataclass(frozen=True, slots=True)
class ExportedDay:
    """What one local day came to. ``plan_key`` is empty where nothing of it is news to the archive."""

    date: str
    plan_key: str
    manifest_key: str
    bytes: int
    seen: Counter[Seen] = field(default_factory=Counter, hash=False)

    def to_json(self) -> dict[str, object]:
        """Return it for XCom: keys and counts."""
        return {
            "date": self.date,
            "plan_key": self.plan_key,
            "manifest_key": self.manifest_key,
            "bytes": self.bytes,
            "seen": {str(name): count for name, count in sorted(self.seen.items())},
        }

    def sentence(self) -> str:
        """Return it for the log of a person."""
        counts = ", ".join(f"{count} {name}" for name, count in sorted(self.seen.items())) or "nothing"
        return f"{self.date}: {counts}. {f'See {self.manifest_key}' if self.manifest_key else 'No news.'}"


@dataclass(frozen=True, slots=True)
class ExportNews:
    """What is to be ingested now, by local day; how many recordings wait for their other half or their day's end."""

    days: Mapping[LocalDay, Read]
    waiting: int

    def sentence(self) -> str:
        """Return it for the log of a person."""
        ready = sum(len(recordings) for recordings in self.days.values())
        wait = f"{self.waiting} wait for their other half, or for the end of their day"
        return f"{ready} recordings on {len(self.days)} days are new; {wait}."


def find_news(ports: ExportPorts, window: Window, now: datetime) -> ExportNews:
    """Look for what is new in the window; ``now`` must be aware. Writes nothing.

    A recording whose other half may still come waits, and so does one whose local day is not over: a day is judged
    as a whole.

    Raises:
        RetriableError, PermanentError: as either bucket raises them.
    """
    found = [item for hour in unsettled(ports.export, ports.lake, ports.org, window) for item in hour]
    recordings = paired(found)
    patience = ports.export_settings.export_patience_seconds
    ready = [one for one in recordings if not one.waits(now, patience)]
    days = by_day(_read(ports, ready), ports.settings.timezone)
    over = {day: items for day, items in days.items() if day.end <= now}
    return ExportNews(over, len(recordings) - sum(map(len, over.values())))


def ingest_day(ports: ExportPorts, day: LocalDay, recordings: Read, now: datetime) -> ExportedDay:
    """Ingest the recordings of one day, write its evidence and commit it.

    Remembers last what is settled: a crash before costs a second look, never a recording.

    Raises:
        RetriableError, PermanentError: as either bucket raises them.
    """
    lake, date = ports.lake, str(day)
    ids = sorted({recording.conversation_id for recording, _ in recordings})
    erased = erasures_of(lake, date)
    plan = ShardPlan(
        ports.org,
        date,
        day.zone.key,
        tuple(map(tuple, groups_of(ids, ports.settings.batch_items))),
        _facts(ports, date, recordings, {item for item in ids if item not in erased}),
    )
    stored = stored_parts(lake, ports.org, date, ids)
    tally = DownloadTally(ports.metrics, reason_of)
    shard = ShardWork(_NoSource(), lake, ports.downloader, ports.settings, plan, stored, tally=tally)
    work = ExportWork(shard, ports.export, ports.unsealer)
    results = _ingest_all(work, recordings, erased)
    items, day_plan, manifest = _committed(ports, plan, day, results, now)
    _remember(ports, results)
    seen = sum((result.seen for result in results), Counter[Seen]())
    measure_words(ports.metrics, EXPORT_OBJECTS, seen)
    measure_recordings(ports.metrics, Counter(str(item.outcome) for item in items))
    fetched = sum(item.bytes for item in items if item.outcome is Outcome.ARCHIVED)
    return ExportedDay(date, day_plan, manifest, fetched, seen)


def rules_of(settings: ArchiveSettings, head: Commit | None) -> ClosingRules:
    """What is exported is no measure of how many calls there were: it neither holds a day nor releases one."""
    if head is not None and Standing.of_summary(head.summary).held:
        return nightly_rules(settings)
    return ClosingRules(Baseline(weeks=0))


class _NoSource:
    """Stands where a shard has its API: an ingest that asked it would be a bug, and says so."""

    def batch_status(self, job_id: str) -> BatchStatus:
        raise NotImplementedError(job_id)

    def recording_metadata(self, conversation_id: str) -> tuple[RecordingMetadata, ...]:
        raise NotImplementedError(conversation_id)


def _read(ports: ExportPorts, recordings: Sequence[ExportedRecording]) -> Read:
    read = side_by_side(
        lambda one: read_metadata(ports.export, one, ports.unsealer),
        recordings,
        threads=ports.settings.concurrent_downloads,
        name="export-metadata",
    )
    return list(zip(recordings, read, strict=True))


def _facts(ports: ExportPorts, date: str, recordings: Read, ids: set[str]) -> dict[str, dict[str, object]]:
    """Return what is known of each conversation: what analytics said where it was asked, else the export's words."""
    known = earlier_facts(ports.lake, date, ids)
    facts: dict[str, dict[str, object]] = {item: {} for item in ids}
    told_by_export: list[Conversation] = []
    for recording, metadata in recordings:
        if metadata is not None and recording.conversation_id in ids:
            conversation = metadata.conversation(recording.conversation_id, recording.hour)
            facts[recording.conversation_id] = stored_facts(conversation, ports.settings)
            if not known.get(recording.conversation_id):
                told_by_export.append(conversation)
    refuse_unnamed_queues(ports.lake, told_by_export)
    return facts | {item: ports.settings.pii.applied(value) for item, value in known.items() if value}


def _ingest_all(work: ExportWork, recordings: Read, erased: Erasures) -> list[Ingested]:
    """Ingest recordings side by side; the first trouble with a bucket stops the ones that have not begun."""
    wanted = [pair for pair in recordings if pair[0].conversation_id not in erased]
    # An erased conversation stays erased, whatever the export still holds of it.
    left_out = [_left_out(one, erased) for one, _ in recordings if one.conversation_id in erased]
    for recording, _ in wanted:  # before the threads: they share the map, each touches its own recordings only
        work.shard.stored.setdefault((recording.conversation_id, recording.recording_id), {})
    ingested = side_by_side(
        lambda pair: ingest_recording(work, *pair),
        wanted,
        threads=work.shard.settings.concurrent_downloads,
        name="export",
        stop=work.shard.downloader.stop,
    )
    return [*left_out, *ingested]


def _left_out(recording: ExportedRecording, erased: Erasures) -> Ingested:
    """Settle it; where the day has no tombstone of its own that would name it, a record does."""
    tombstones = erased.of([recording.conversation_id])
    records = [erased_record(*named) for named in tombstones.items()]
    return Ingested(records, list(recording.objects()), Counter({Seen.ERASED: 1}))


def _committed(
    ports: ExportPorts, plan: ShardPlan, day: LocalDay, results: Sequence[Ingested], now: datetime
) -> tuple[list[ItemRecord], str, str]:
    """Write and commit what is news, and return it with the keys of its plan and its manifest.

    A manifest takes the place of all that was said of its conversations before, so it has to know what that is: the day
    is read when everything is fetched, and a manifest that another run's commit overtook is written anew on that one.
    """
    overtaken: set[str] = set()
    for _ in range(COMMIT_ATTEMPTS):
        head = read_head(ports.lake, ports.org, day)
        base = head.version if head else 0
        items = _news(results, known_of(ports.lake, _without(head, overtaken)))
        ids = {item.conversation_id for item in items}
        items += asked_for_meanwhile(ports.lake, ports.org, str(day), ids, base)
        day_plan, manifest = _evidence(ports, replace(plan, base_version=base), day, items, now)
        if not manifest:
            return items, day_plan, manifest
        rules = rules_of(ports.settings, head)
        commit, _ = commit_day(ports.lake, ports.org, day, [day_plan], rules, ports.journal_key)
        if commit.manifests[manifest] <= base + 1:
            return items, day_plan, manifest
        overtaken.add(manifest)
    raise LakeUnavailable(f"Other runs keep committing {day}; try again.")


def _without(head: Commit | None, manifests: set[str]) -> Commit | None:
    if head is None:
        return None
    return replace(head, manifests={key: value for key, value in head.manifests.items() if key not in manifests})


def _news(results: Iterable[Ingested], state: DayState) -> list[ItemRecord]:
    """Return the records of every conversation of which something was not known yet.

    A manifest speaks for the whole of its conversations, so what was known of their other recordings is said again.
    """
    by_conversation: dict[str, set[ItemRecord]] = defaultdict(set)
    for result in results:
        for record in result.records:
            by_conversation[record.conversation_id].add(record)
    items: list[ItemRecord] = []
    for conversation_id, records in sorted(by_conversation.items()):
        known = state.items.get(conversation_id, ())
        # What is said again word for word answers nothing: of a recording with two files, the other one is owed still.
        news = _bare(records) - _bare(known)
        if news:
            items += _with_others(records, known, {item.recording_id for item in news})
    return items


def _bare(records: Iterable[ItemRecord]) -> set[ItemRecord]:
    """Return what was said, whenever that was."""
    return {replace(item, said_at="") for item in records}


def _with_others(records: set[ItemRecord], known: Iterable[ItemRecord], spoken: Collection[str]) -> set[ItemRecord]:
    if any(item.outcome is Outcome.ERASED for item in records):
        return records  # nobody is asked for the rest of it either
    bare = _bare(records)
    others = {
        item
        for item in known
        if item.outcome is not Outcome.ARCHIVED
        and replace(item, said_at="") not in bare
        and (item.recording_id not in spoken or item.reason == EXPORT_CONFLICT)
        # Silence and "there is none" are answered by a recording that came.
        and (item.recording_id or (item.outcome is Outcome.PENDING and item.reason != NOT_PROCESSED))
    }
    return records | others


def _evidence(
    ports: ExportPorts, plan: ShardPlan, day: LocalDay, items: Sequence[ItemRecord], now: datetime
) -> tuple[str, str]:
    """Write plan and manifest of what is news; nothing where nothing is, so that a second run leaves no trace."""
    ids = sorted({item.conversation_id for item in items})
    if not ids:
        return "", ""
    own = replace(
        plan,
        batches=tuple(map(tuple, groups_of(ids, ports.settings.batch_items))),
        facts={item: plan.facts.get(item, {}) for item in ids},
    )
    day_plan = DayPlan(ports.org, day, tuple(ids), named_by=NATIVE_EXPORT)
    ports.lake.put_document(day_plan.key, day_plan.body())
    ports.lake.put_document(own.key, own.body())
    records = tuple(sorted(dated(items, earlier_tries(ports.lake, own), now)))
    manifest = Manifest(ports.org, str(day), tuple(ids), records, plan.base_version, own.key)
    return day_plan.key, manifest.write(ports.lake)


def _remember(ports: ExportPorts, results: Iterable[Ingested]) -> None:
    hours: dict[datetime, list[Exported]] = defaultdict(list)
    for result in results:
        for item in result.settled:
            hours[item.key.hour].append(item)
    for hour, objects in sorted(hours.items()):
        settle(ports.lake, ports.org, hour, {item.object.key: item.object.etag for item in objects})
