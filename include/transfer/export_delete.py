"""The gate that may delete exported recordings, once what the archive has of them is proved; off unless told.

Of an exported recording the very version is deleted whose bytes were read again, whose SHA-256 is that of a part which
its day's commit calls archived, and whose copy in the lake was read back whole, on a day without a finding. Whatever
else stands in the export stays: metadata, what is sealed, conflicting, refused, not ingested, overwritten, or young.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from include.audit.events import Action
from include.errors import IntegrityError
from include.local_day import LocalDay
from include.transfer.day_journal import segments_of
from include.transfer.day_state import archived_parts
from include.transfer.export_gate import Candidate, Fate, GatePorts
from include.transfer.export_gate_journal import ACTOR, take_over, tell, tell_kept
from include.transfer.export_listing import ONE_DAY, hours
from include.transfer.side_by_side import side_by_side
from include.transfer.under_hold import HoldsNear
from include.transfer.verify import Scope, verify_lake

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from include.lake.export_bucket import ExportBucket
    from include.lake.versions import ObjectVersion
    from include.outcome import ItemRecord
    from include.transfer.export_listing import Exported, Window

    Place = tuple[str, str]
    Archived = Mapping[Place, Mapping[str, ItemRecord]]


@dataclass(slots=True)
class Candidates:
    """What may go, by local day, and why the rest stays.

    A day that the gate was at before is among them in any case: its last run may have been killed.
    """

    days: dict[LocalDay, list[Candidate]] = field(default_factory=lambda: defaultdict(list))
    fates: Counter[Fate] = field(default_factory=Counter)


def find_candidates(ports: GatePorts, window: Window, now: datetime) -> Candidates:
    """Look what may go; ``now`` must be aware. Reads no recording and writes nothing.

    Raises:
        RetriableError, PermanentError: as either bucket raises them.
    """
    found = Candidates()
    archived: dict[LocalDay, Archived] = {}
    for hour in hours(ports.source, ports.lake, ports.org, window):
        media = [item for item in hour if not item.key.is_metadata]
        versions = _versions(ports.source, media)
        for item in media:
            fate = _fate(ports, item, versions[item.object.key], now)
            day, parts = _archived_as(ports, item, archived) if fate is None else (None, {})
            same_size = tuple(part for part in parts.values() if part.bytes == item.object.bytes)
            if day is not None and same_size:
                found.days[day].append(Candidate(item, versions[item.object.key][0], same_size))
            else:
                found.fates[fate or (Fate.OTHER_BYTES if parts else Fate.NOT_ARCHIVED)] += 1
    for day in _days_near(ports, window):
        if any(segments_of(ports.lake, str(day), ACTOR)):
            found.days.setdefault(day, [])
    return found


def delete_proved(ports: GatePorts, day: LocalDay, candidates: Sequence[Candidate]) -> Counter[Fate]:
    """Prove the candidates of one day and delete those that are proved; the day's journal names each.

    A commit names what is about to be deleted before the first deletion, and what was deleted after the last one.
    Called again after a crash it makes good what the dead run left of that, also without candidates, and goes on with
    what is left. What is of a conversation under a legal hold stays: it is asked for first, and again directly before
    each deletion.

    Raises:
        IntegrityError: the lake is not what its evidence says; nothing was deleted.
        RetriableError, PermanentError: as either bucket raises them.
    """
    take_over(ports, day)
    holds = HoldsNear.of(ports.lake, ports.org, day)
    free, held = _parted(ports, holds, candidates)
    tell_kept(ports, day, held)
    threads = ports.settings.concurrent_downloads
    proofs = side_by_side(lambda one: _proof(ports, one), free, threads=threads, name="export-gate")
    proved = [(one, part) for one, part in zip(free, proofs, strict=True) if part is not None]
    fates = Counter({Fate.OTHER_BYTES: len(free) - len(proved), Fate.HELD: len(held)})
    if proved:
        _require_proof(ports, day, [part for _, part in proved])
        tell(ports, day, Action.SOURCE_PROVED, proved)
        fates += _delete(ports, day, holds, proved)
    return +fates


def _parted(
    ports: GatePorts, holds: HoldsNear, candidates: Sequence[Candidate]
) -> tuple[list[Candidate], list[Candidate]]:
    """Return the candidates whose conversation nobody holds, and the others: of those nothing needs to be read."""
    threads = ports.settings.concurrent_downloads
    ids = sorted({one.conversation_id for one in candidates}) if holds.can_hold else []
    answers = side_by_side(holds.has, ids, threads=threads, name="export-holds")
    under_hold = {one for one, is_held in zip(ids, answers, strict=True) if is_held}
    return (
        [one for one in candidates if one.conversation_id not in under_hold],
        [one for one in candidates if one.conversation_id in under_hold],
    )


def _delete(
    ports: GatePorts, day: LocalDay, holds: HoldsNear, proved: Sequence[tuple[Candidate, ItemRecord]]
) -> Counter[Fate]:
    """Delete what is proved, each only if its conversation is not held at that very moment; tell what was done."""
    deleted: list[tuple[Candidate, ItemRecord]] = []
    held: list[Candidate] = []
    try:
        for one, part in proved:
            # Reading took its time, and somebody may have placed a hold: nothing but the request itself comes after.
            if holds.has(one.conversation_id):
                held.append(one)
                continue
            ports.source.versions.delete(one.version)
            deleted.append((one, part))
    finally:
        if deleted:
            tell(ports, day, Action.SOURCE_DELETED, deleted)
    tell_kept(ports, day, held)
    return Counter({Fate.DELETED: len(deleted), Fate.HELD: len(held)})


def _days_near(ports: GatePorts, window: Window) -> list[LocalDay]:
    """Return every local day under which something of the window may be archived.

    The UTC date of a key and the local one are a day apart at most, and ``_archived_as`` looks a day beside that.
    """
    span = range((window.last - window.first).days + 1)
    dates = {*(window.first + number * ONE_DAY for number in span), *window.also}
    near = {date + shift * ONE_DAY for date in dates for shift in (-2, -1, 0, 1, 2)}
    return [LocalDay(date, ports.settings.timezone) for date in sorted(near)]


def _fate(ports: GatePorts, item: Exported, versions: Sequence[ObjectVersion], now: datetime) -> Fate | None:
    """Return why an object stays whatever its bytes are, ``None`` where nothing speaks for that."""
    if item.is_new:
        return Fate.NOT_SETTLED
    if item.key.is_sealed:
        return Fate.SEALED
    if now - item.object.stored_at < ports.min_age:
        return Fate.YOUNG
    if any(version.version_id == "null" for version in versions):
        return Fate.NO_VERSION
    return None if len(versions) == 1 and not versions[0].is_marker else Fate.OTHER_VERSIONS


def _versions(source: ExportBucket, media: Iterable[Exported]) -> Mapping[str, list[ObjectVersion]]:
    found: dict[str, list[ObjectVersion]] = defaultdict(list)
    for prefix in sorted({item.object.key.partition("/conversation_id=")[0] for item in media}):
        for version in source.versions.list(f"{prefix}/"):
            found[version.key].append(version)
    return found


def _archived_as(
    ports: GatePorts, item: Exported, known: dict[LocalDay, Archived]
) -> tuple[LocalDay | None, Mapping[str, ItemRecord]]:
    """Return the day under which the recording is archived, with its parts by SHA-256.

    The key has the hour of a call's start, and of a repeated export perhaps another: the day before and the day after
    are asked as well.
    """
    date = item.key.hour.astimezone(ports.settings.timezone).date()
    for day in (LocalDay(date + shift * ONE_DAY, ports.settings.timezone) for shift in (0, -1, 1)):
        if day not in known:
            known[day] = _archived(ports, day)
        parts = known[day].get((item.key.conversation_id, item.key.recording_id))
        if parts:
            return day, parts
    return None, {}


def _archived(ports: GatePorts, day: LocalDay) -> Archived:
    parts: dict[Place, dict[str, ItemRecord]] = defaultdict(dict)
    for record in archived_parts(ports.lake, ports.org, day):
        parts[record.conversation_id, record.recording_id][record.sha256] = record
    return parts


def _proof(ports: GatePorts, one: Candidate) -> ItemRecord | None:
    """Return the archived part whose bytes this version has: both are read, here and now."""
    sha256 = _digest(ports.source.versions.chunks(one.version))
    part = next((part for part in one.parts if part.sha256 == sha256), None)
    if part is not None and _digest(ports.lake.chunks(part.key)) != sha256:
        raise IntegrityError(f"Nothing was deleted: {ports.lake.uri(part.key)} was altered.", key=part.key)
    return part


def _digest(chunks: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def _require_proof(ports: GatePorts, day: LocalDay, parts: Sequence[ItemRecord]) -> None:
    """Refuse a day on which anything is wrong, or whose newest commit no longer calls these parts archived."""
    verified = verify_lake(ports.lake, Scope((str(day),), ports.org, key=ports.journal_key))
    if not verified.is_clean:
        raise IntegrityError(f"Nothing of {day} was deleted from the export: {verified.findings[0].line()}.")
    archived = _archived(ports, day)
    for part in parts:
        now = archived.get((part.conversation_id, part.recording_id), {}).get(part.sha256)
        if now is None or now.key != part.key:
            raise IntegrityError(f"Nothing of {day} was deleted from the export: {part.key} is archived no more.")
