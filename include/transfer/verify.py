"""Proves the lake against its own evidence, for somebody who does not want to take our word: start reading here.

Quick asks the bucket about every object of a day; deep reads every byte again; whole also looks for what nobody
named. Nothing is written, nothing is repaired, and everything that is wrong is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from include.audit.finding import Finding, FindingKind, Recorded, distinct
from include.audit.verification import Verification
from include.lake import key_reading, layout
from include.transfer.verify_copies import UnnamedCopies, record_copies
from include.transfer.verify_evidence import read_evidence
from include.transfer.verify_meter import Meter
from include.transfer.verify_objects import judged
from include.transfer.verify_whole import unasked, whole_lake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from include.audit.signature import JournalKey
    from include.lake.history import KeyHistory
    from include.lake.store import LakeStore
    from include.transfer.verify_evidence import DayEvidence

ORPHAN_AGE = timedelta(days=1)
"""What is younger may be somebody's work: a run that is under way names it when it commits."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What to verify: these days, or all that were committed.

    ``org`` is whose they must be, empty: as they say themselves. ``key`` checks the signatures, where there is one.
    """

    dates: tuple[str, ...] = ()
    org: str = ""
    deep: bool = False
    whole: bool = False
    key: JournalKey | None = None

    def words(self) -> str:
        """Return it for a person."""
        days = "all days" if not self.dates or self.whole else f"{self.dates[0]} to {self.dates[-1]}"
        depth = "deep" if self.deep else "quick"
        return f"{self.dates[0] if len(self.dates) == 1 and not self.whole else days}, {depth}" + (
            ", whole lake" if self.whole else ""
        )


def verify_lake(lake: LakeStore, scope: Scope, say: Callable[[str], None] = lambda _: None) -> Verification:
    """Verify, saying now and then how far it is; what is found is in the result.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket cannot be asked at all.
    """
    meter, now = Meter(say), lake.now()
    committed = sorted(key_reading.dates_in(lake.list_keys(layout.COMMITS)))
    findings: list[Finding] = []
    dates = list(scope.dates or committed)
    first = ""
    if scope.whole:
        seen = whole_lake(lake, scope.org, committed, now)
        findings += seen.findings
        dates, first = sorted({*committed, *seen.dates}), seen.first_night
    if not dates:
        findings.append(Finding(FindingKind.GAP, layout.COMMITS, "no day was ever committed here"))
    for date in dates:
        findings += verify_day(lake, date, scope, meter, now, first)
    return Verification(scope.words(), len(dates), meter.objects, meter.bytes, meter.seconds, tuple(distinct(findings)))


def verify_day(lake: LakeStore, date: str, scope: Scope, meter: Meter, now: datetime, first: str = "") -> list[Finding]:
    """Return everything that is wrong with one day; ``first`` is that of the first night, where it is known.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket cannot be asked at all.
    """
    evidence = read_evidence(lake, date, scope.org, scope.key)
    record_copies(lake, evidence)
    standing = _Standing(lake, evidence, now, whole=scope.whole)
    findings = list(judged(lake, standing.objects(), meter, deep=scope.deep))
    # Its own name, or a document, promises each of these, and no listing has them.
    findings += judged(lake, list(evidence.recorded.values()), meter, deep=False)
    findings += standing.copies.findings(lake)
    # Where a commit is altered or known to be gone, that is the finding.
    is_explained = any(key_reading.commit_number(item.key) for item in [*evidence.findings, *findings])
    if not evidence.is_committed and not is_explained:
        evidence.found(FindingKind.GAP, layout.commit_prefix(date), standing.sentence_without_commit())
    if scope.whole:
        findings += unasked(lake, date, evidence.day_plans, now, first)
    return [*evidence.findings, *findings]


class _Standing:
    """What stands in the bucket of one day, taken off the list of what is recorded as it is met."""

    def __init__(self, lake: LakeStore, evidence: DayEvidence, now: datetime, *, whole: bool) -> None:
        self._lake = lake
        self._evidence = evidence
        self._now = now
        self._whole = whole
        self._count = 0
        self.copies = UnnamedCopies()

    def objects(self) -> Iterator[Recorded]:
        """Yield each object that can be judged, with what must stand there."""
        for prefix in layout.day_prefixes(self._evidence.org, self._evidence.date):
            for history in self._lake.histories(prefix):
                if all(version.is_delete_marker for version in history.versions):
                    continue
                self._count += 1
                if self._evidence.is_erased(history.key):
                    self._evidence.recorded.pop(history.key, None)
                    self._evidence.found(FindingKind.RESURRECTED, history.key, "erased, and here: a tombstone names it")
                    continue
                if key_reading.is_catalog_stranger(history.key):
                    self._evidence.found(FindingKind.STRANGER, history.key, "readers of the table take it for rows")
                recorded = self._evidence.recorded.pop(history.key, None)
                if self._is_visible(history):
                    yield recorded or self._unrecorded(history)

    def sentence_without_commit(self) -> str:
        """Say what a day without a commit is."""
        if not self._count:
            return "nothing of that day is in the lake"
        return f"{self._count} objects of that day are in the lake, and it was never committed"

    def _is_visible(self, history: KeyHistory) -> bool:
        if history.is_hidden:
            self._evidence.found(FindingKind.HIDDEN, history.key, "a delete marker stands over it")
            return False
        if history.is_overwritten and not key_reading.is_replaceable(history.key):
            what = f"version {history.versions[0].version_id} was put over {history.versions[1].version_id}"
            self._evidence.found(FindingKind.EXTRA_VERSION, history.key, what)
        return True

    def _unrecorded(self, history: KeyHistory) -> Recorded:
        """Return what the name alone promises; say so where nothing that is so old should be unnamed."""
        key = history.key
        is_old = self._now - history.versions[0].modified > ORPHAN_AGE
        self.copies.saw(key, is_old=is_old)
        if is_old and key_reading.must_be_named(key) and (self._whole or not key_reading.is_bulk(key)):
            self._evidence.found(FindingKind.ORPHAN, key, "older than a day, and no commit leads to it")
        return Recorded(key, key_reading.named_digest(key), "its own name")
