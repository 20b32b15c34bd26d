"""A day's derivatives: what its archived recordings are wanted as, minus what stands in the lake already.

Stands beside the proof, not in it: nothing here changes what a day expects or holds, and a derivative that cannot be
made is reported and leaves its day complete. Reads originals from the lake, so that tonight's recordings and those of
last year take the same way, and Genesys is asked for nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from include.errors import IntegrityError
from include.lake import layout
from include.lake.commit import read_head
from include.outcome import Outcome
from include.transfer.channel_roles import channel_roles
from include.transfer.day import present_state
from include.transfer.derivative import Workshop, make_derivative
from include.transfer.derivative_document import Original, transcoder
from include.transfer.standing_derivatives import Standing, read_json, standing_derivatives, write_report
from include.transfer.transcode_failure import Failed, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from include.lake.store import LakeStore
    from include.local_day import LocalDay
    from include.outcome import ItemRecord
    from include.settings import ArchiveSettings
    from include.transfer.derivative_settings import DerivativeSettings
    from include.transfer.rendition import Rendition

log = logging.getLogger(__name__)
STANDING, MADE = "standing", "made"
Word = tuple[str, int]
"""What became of one wish: ``standing``, ``made`` or the reason why not; and the bytes that were made."""


@dataclass(frozen=True, slots=True)
class DayDerived:
    """What a run came to; ``made`` and ``failed`` are of this run, ``standing`` was there before."""

    date: str
    wanted: int
    made: int
    standing: int
    failed: int
    bytes: int
    reasons: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return the counts, for XCom."""
        return asdict(self)

    def sentence(self) -> str:
        """Return it for the log of a person."""
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(self.reasons.items()))
        return (
            f"{self.date}: {self.wanted} derivatives wanted, {self.made} made ({self.bytes} bytes), {self.standing} "
            f"stood there, {self.failed} cannot be made{f' ({reasons})' if reasons else ''}. The originals are whole."
        )


def derive_day(
    lake: LakeStore,
    settings: ArchiveSettings,
    wishes: DerivativeSettings,
    org: str,
    day: LocalDay,
    run: Rendition,
) -> DayDerived:
    """Make what is wanted of the day's archived recordings and is not there yet, and write the report.

    Raises:
        RetriableError, PermanentError: as the lake raises them, or when this machine cannot transcode. Sound that
            cannot be decoded is no error.
    """
    rules = wishes.rules
    if run.is_original and not rules.renditions:
        return _counted(str(day), [])
    head = read_head(lake, org, day)
    archived = [] if head is None else _archived(present_state(lake, head).items.values())
    standing = standing_derivatives(lake, org, str(day))
    workshop = Workshop(lake, wishes.limits, settings.state_dir / "work")

    def of(item: ItemRecord) -> list[Word]:
        original = read_original(lake, org, str(day), item)
        return [
            _derive(workshop, standing, original, rendition)
            for rendition in rules.wanted(run, original.queues)
            if not rendition.is_met_by(original.media_type, original.codec, original.channels)
        ]

    # Threads that each wait for a process of their own: so many processors are busy, whatever the interpreter's lock.
    with ThreadPoolExecutor(wishes.concurrent_transcodes, thread_name_prefix="derive") as pool:
        try:
            words = [word for found in pool.map(of, archived) for word in found]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    write_report(lake, org, str(day))
    return _counted(str(day), words)


def _derive(workshop: Workshop, standing: Standing, original: Original, rendition: Rendition) -> Word:
    place = (original.identity, original.sha256, rendition.name)
    if place in standing.made:
        return STANDING, 0
    for key in standing.failures.get(place, ()):
        said = read_json(workshop.lake, key)
        if Reason(said["reason"]).is_settled and said["transcoder"] == transcoder():
            return str(said["reason"]), 0
    outcome = make_derivative(workshop, original, rendition)
    return (outcome.reason, 0) if isinstance(outcome, Failed) else (MADE, outcome.bytes)


def _archived(items: Iterable[Sequence[ItemRecord]]) -> list[ItemRecord]:
    return sorted(item for each in items for item in each if item.outcome is Outcome.ARCHIVED)


def read_original(lake: LakeStore, org: str, date: str, item: ItemRecord) -> Original:
    """Return what the metadata beside an archived part says of it.

    Raises:
        IntegrityError: when there is none, or it is none of a recording.
    """
    document = read_json(lake, item.metadata_key)
    try:
        media, conversation = document["media"], document["conversation"]
        queues = [str(entry[name]) for entry in conversation.get("queues") or () for name in ("name", "id")]
        return Original(
            identity=layout.MediaIdentity(org, date, item.conversation_id, item.recording_id, item.part),
            key=item.key,
            sha256=item.sha256,
            bytes=item.bytes,
            media_type=item.media_type,
            codec=str(media.get("codec") or ""),
            channels=media.get("channels"),
            milliseconds=media.get("duration_milliseconds"),
            roles=tuple(channel_roles(media.get("channels"), conversation)),
            queues=tuple(queues),
            divisions=tuple(str(item) for item in conversation.get("division_ids") or ()),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"{lake.uri(item.metadata_key)} is no metadata of a recording.") from error


def _counted(date: str, words: Sequence[Word]) -> DayDerived:
    counts = Counter(word for word, _ in words)
    made, standing = counts.pop(MADE, 0), counts.pop(STANDING, 0)
    return DayDerived(
        date=date,
        wanted=len(words),
        made=made,
        standing=standing,
        failed=sum(counts.values()),
        bytes=sum(bytes_ for _, bytes_ in words),
        reasons=dict(counts),
    )
