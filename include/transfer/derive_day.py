"""A day's derivatives: what its archived recordings are wanted as, minus what stands in the lake already.

Stands beside the proof, not in it: nothing here changes what a day expects or holds, and a derivative that cannot be
made is reported and leaves its day complete. Begins at the originals in the lake, so that tonight's recordings and
those of last year take the same way. What the source renders comes from the caller (``Take``); the rest is made here.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from include.local_day import LocalDay
from include.transfer.day_state import archived_parts
from include.transfer.derivative import Workshop, make_derivative
from include.transfer.derivative_document import Derived, transcoder
from include.transfer.derivative_slices import Slice, slices_of
from include.transfer.original import read_original, worth_copying
from include.transfer.side_by_side import side_by_side
from include.transfer.source_renditions import Wish
from include.transfer.standing_derivatives import Standing, read_json, standing_derivatives, write_report
from include.transfer.transcode_failure import Failed, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from include.genesys.models import Contract
    from include.lake.store import LakeStore
    from include.outcome import ItemRecord
    from include.settings import ArchiveSettings
    from include.transfer.derivative_document import Original
    from include.transfer.derivative_settings import DerivativeSettings
    from include.transfer.rendition import Rendition

log = logging.getLogger(__name__)
STANDING, MADE, RENDERED = "standing", "made", "rendered"
Word = tuple[str, int]
"""What became of one wish: ``standing``, ``made``, ``rendered`` or the reason why not; and the bytes that were made."""
Opened = tuple[list[Wish], list[Word]]
"""What is wanted of a slice and not there, and a word for each wish that is settled."""
Take = Callable[[Sequence[Wish]], Mapping[Wish, Derived]]
"""Gets from the source what it renders of these wishes."""


@dataclass(frozen=True, slots=True)
class DerivativeDesk:
    """The lake, whose recordings they are, what is wanted of them, and what making it may cost."""

    lake: LakeStore
    settings: ArchiveSettings
    wishes: DerivativeSettings
    org: str
    run: Rendition

    @property
    def wants_nothing(self) -> bool:
        """Whether neither the run nor a rule asks for anything."""
        return self.run.is_original and not self.wishes.rules.renditions

    def can_be_asked(self, contract: Contract) -> bool:
        """Whether the source could be asked for any of it under this contract."""
        wanted = (self.run, *(item for rule in self.wishes.rules.renditions.values() for item in rule))
        return any(item.requested_format(contract) for item in wanted)


@dataclass(frozen=True, slots=True)
class DayDerived:
    """What a run came to; ``made`` and ``failed`` are of this run, ``standing`` was there before.

    ``rendered`` is how many of those made the source has rendered.
    """

    date: str
    wanted: int = 0
    made: int = 0
    rendered: int = 0
    standing: int = 0
    failed: int = 0
    bytes: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return the counts, for XCom."""
        return asdict(self)

    def plus(self, other: DayDerived) -> DayDerived:
        """Return both together, under this one's date."""
        names = ("wanted", "made", "rendered", "standing", "failed", "bytes")
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return replace(self, **sums, reasons=dict(Counter(self.reasons) + Counter(other.reasons)))

    def sentence(self) -> str:
        """Return it for the log of a person."""
        if not self.wanted:
            return f"{self.date}: 0 derivatives wanted: what is archived of it is as asked already, or nothing is."
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(self.reasons.items()))
        rendered = f", {self.rendered} of them rendered by Genesys" if self.rendered else ""
        return (
            f"{self.date}: {self.wanted} derivatives wanted, {self.made} made ({self.bytes} bytes{rendered}), "
            f"{self.standing} stood there, {self.failed} cannot be made{f' ({reasons})' if reasons else ''}. "
            "The originals are whole."
        )


def added_up(counts: Iterable[Mapping[str, Any]]) -> list[DayDerived]:
    """Return what slices counted, as they travelled through XCom, together for each day."""
    days: dict[str, DayDerived] = {}
    for found in (DayDerived(**item) for item in counts):
        days[found.date] = days[found.date].plus(found) if found.date in days else found
    return [days[date] for date in sorted(days)]


def plan_slices(desk: DerivativeDesk, date: str, slices_max: int) -> tuple[Slice, ...]:
    """Return a day's slices; none where nothing is wanted or nothing is archived.

    Raises:
        RetriableError, PermanentError: as the lake raises them.
    """
    if desk.wants_nothing:
        return ()
    return _slices(_archived(desk, date), date, slices_max)


def open_wishes(desk: DerivativeDesk, part: Slice) -> Opened:
    """Read what is wanted of a slice, and which of it is settled.

    Raises:
        RetriableError, PermanentError: as the lake raises them.
    """
    standing = standing_derivatives(desk.lake, desk.org, part.date, part.conversation_id)
    return _opened(desk, part, _archived(desk, part.date), standing)


def derive_slice(desk: DerivativeDesk, part: Slice, take: Take = lambda _: {}) -> DayDerived:
    """Open the wishes of a slice and derive them.

    Raises:
        RetriableError, PermanentError: as ``open_wishes`` and ``derive_wishes``.
    """
    return derive_wishes(desk, part.date, open_wishes(desk, part), take)


def derive_wishes(desk: DerivativeDesk, date: str, opened: Opened, take: Take = lambda _: {}) -> DayDerived:
    """Make what is open: take what the source rendered, and make the rest here; count it with what is settled.

    Raises:
        RetriableError, PermanentError: as the lake raises them, or when this machine cannot transcode. Sound that
            cannot be decoded is no error.
    """
    wishes, settled = opened
    rendered = take(wishes) if wishes else {}
    workshop = Workshop(desk.lake, desk.wishes.limits, desk.settings.state_dir / "work")

    def make(wish: Wish) -> Word:
        outcome = make_derivative(workshop, *wish)
        return (outcome.reason, 0) if isinstance(outcome, Failed) else (MADE, outcome.bytes)

    # Threads that each wait for a process of their own: so many processors are busy, whatever the interpreter's lock.
    left = [wish for wish in wishes if wish not in rendered]
    made = side_by_side(make, left, threads=desk.wishes.concurrent_transcodes, name="derive")
    return _counted(date, [*settled, *made, *((RENDERED, derived.bytes) for derived in rendered.values())])


def derive_day(desk: DerivativeDesk, date: str, conversation_id: str = "") -> DayDerived:
    """Make what is wanted of a day, or of one of its conversations, one slice after the other, and write the report.

    The day is read once: it belongs to one process, unlike the slices of a run.

    Raises:
        RetriableError, PermanentError: as ``derive_slice``.
    """
    derived = DayDerived(date)
    items = [] if desk.wants_nothing else _archived(desk, date)
    if not items:
        return derived
    slices = _slices(items, date, desk.settings.shards_max)
    if conversation_id:
        slices = (Slice(date, conversation_id=conversation_id),)
    standing = standing_derivatives(desk.lake, desk.org, date, conversation_id)
    for part in slices:
        derived = derived.plus(derive_wishes(desk, date, _opened(desk, part, items, standing)))
    write_report(desk.lake, desk.org, date)
    return derived


def _opened(desk: DerivativeDesk, part: Slice, items: Iterable[ItemRecord], standing: Standing) -> Opened:
    def read(item: ItemRecord) -> Original:
        return read_original(desk.lake, desk.org, part.date, item)

    with ThreadPoolExecutor(desk.settings.concurrent_downloads, thread_name_prefix="original") as pool:
        originals = worth_copying(pool.map(read, [item for item in items if part.holds(item.conversation_id)]))
    wishes: list[Wish] = []
    words: list[Word] = []
    for original in originals:
        for rendition in desk.wishes.rules.wanted(desk.run, original.queues):
            if not rendition.is_met_by(original.media_type, original.codec, original.channels):
                word = _settled(desk.lake, standing, (original, rendition))
                wishes += [] if word else [(original, rendition)]
                words += [(word, 0)] if word else []
    return wishes, words


def _settled(lake: LakeStore, standing: Standing, wish: Wish) -> str:
    """Return why there is nothing to do for a wish: it stands there, or the same decoder has given it up."""
    original, rendition = wish
    place = (original.identity, original.sha256, rendition.name)
    if place in standing.made:
        return STANDING
    for key in standing.failures.get(place, ()):
        said = read_json(lake, key)
        if Reason(said["reason"]).is_settled and said["transcoder"] == transcoder():
            return str(said["reason"])
    return ""


def _archived(desk: DerivativeDesk, date: str) -> list[ItemRecord]:
    return archived_parts(desk.lake, desk.org, LocalDay.of(date, desk.settings.timezone))


def _slices(items: Iterable[ItemRecord], date: str, slices_max: int) -> tuple[Slice, ...]:
    return slices_of(date, len({item.conversation_id for item in items}), slices_max)


def _counted(date: str, words: Sequence[Word]) -> DayDerived:
    counts = Counter(word for word, _ in words)
    made, rendered, standing = counts.pop(MADE, 0), counts.pop(RENDERED, 0), counts.pop(STANDING, 0)
    return DayDerived(
        date=date,
        wanted=len(words),
        made=made + rendered,
        rendered=rendered,
        standing=standing,
        failed=sum(counts.values()),
        bytes=sum(bytes_ for _, bytes_ in words),
        reasons=dict(counts),
    )
