"""What the gate at the source tells of each object, in the journal of its day: before, after, and of what a hold keeps.

A commit of its own anchors each segment: one that nobody anchored could vanish without a trace.
"""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from include.audit.events import Action, Event
from include.audit.journal import lines_of
from include.lake.commit import read_head
from include.transfer.day import commit_day
from include.transfer.day_journal import append_segment, named_body, segments_of
from include.transfer.day_seal import seal_found
from include.transfer.day_state import state_of
from include.transfer.export_gate import Fate
from include.transfer.export_ingest import rules_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from include.local_day import LocalDay
    from include.outcome import ItemRecord
    from include.transfer.export_gate import Candidate, GatePorts

log = logging.getLogger(__name__)
ACTOR = "source-delete"


def take_over(ports: GatePorts, day: LocalDay) -> None:
    """Seal and anchor what a run left that was killed: without a seal the day proves nothing, so nothing could go."""
    head = read_head(ports.lake, ports.org, day)
    if head is None:
        return
    seal_found(ports.lake, head, state_of, ports.journal_key)
    if not {segment.key for segment in head.journal}.issuperset(segments_of(ports.lake, str(day), ACTOR)):
        _anchor(ports, day)


def tell(ports: GatePorts, day: LocalDay, action: Action, told: Sequence[tuple[Candidate, ItemRecord]]) -> None:
    """Name what is about to be deleted, or was; raises as ``commit_day`` does."""
    append_segment(ports.lake, ports.org, day, ACTOR, _events(ports, action, told))
    _anchor(ports, day)
    log.info("date=%s %s=%d", day, action, len(told))


def tell_kept(ports: GatePorts, day: LocalDay, held: Sequence[Candidate]) -> None:
    """Name what a hold keeps: to whoever reads the log each time, and in the journal once for each version."""
    if not held:
        return
    known = {(line.get("key"), line.get("version_id")) for line in _kept_before(ports, day)}
    at = ports.lake.now().isoformat(timespec="seconds")
    events = [
        Event(
            Action.SOURCE_KEPT,
            at=at,
            key=ports.source.uri(one.exported.object.key),
            version_id=one.version.version_id,
            conversation_id=one.conversation_id,
            recording_id=one.exported.key.recording_id,
            reason=Fate.HELD,
        )
        for one in held
    ]
    news = [event for event in events if (event.key, event.version_id) not in known]
    if news:
        append_segment(ports.lake, ports.org, day, ACTOR, news)
        _anchor(ports, day)
    for conversation_id, count in sorted(Counter(one.conversation_id for one in held).items()):
        log.warning("date=%s conversation=%s kept=%d reason=%s", day, conversation_id, count, Fate.HELD)


def _kept_before(ports: GatePorts, day: LocalDay) -> Iterator[Mapping[str, object]]:
    for key in segments_of(ports.lake, str(day), ACTOR):
        with suppress(ValueError):  # a segment that is not whole: the check of the day names it
            lines = lines_of(named_body(ports.lake, key))
            yield from (line for line in lines if line.get("action") == Action.SOURCE_KEPT)


def _anchor(ports: GatePorts, day: LocalDay) -> None:
    """Commit the day: a segment that nobody anchored could vanish without a trace."""
    rules = rules_of(ports.settings, read_head(ports.lake, ports.org, day))
    commit_day(ports.lake, ports.org, day, (), rules, ports.journal_key, anchor=True)


def _events(ports: GatePorts, action: Action, gone: Sequence[tuple[Candidate, ItemRecord]]) -> list[Event]:
    at = ports.lake.now().isoformat(timespec="seconds")
    return [
        Event(
            action,
            at=at,
            key=ports.source.uri(one.exported.object.key),
            version_id=one.version.version_id,
            sha256=part.sha256,
            conversation_id=part.conversation_id,
            recording_id=part.recording_id,
            note=f"copy {part.key}",
        )
        for one, part in gone
    ]
