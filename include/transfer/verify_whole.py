"""What no day's evidence can show: days that are missing, objects of nobody, uploads that were never finished."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from include.audit.finding import Finding, FindingKind
from include.errors import IntegrityError, LakeUnavailable
from include.lake import key_reading, layout
from include.lake.plan import named_by
from include.transfer.nights import first_night

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from include.lake.store import LakeStore


NIGHT_MAX = timedelta(days=2)
"""A night comes after its day, in whatever zone, and is given the next one for another try."""


@dataclass(frozen=True, slots=True)
class WholeLake:
    """What a walk over every key found, the days that have objects at all, and the one at which the nights begin."""

    dates: frozenset[str]
    first_night: str
    findings: tuple[Finding, ...]


def whole_lake(lake: LakeStore, org: str, committed: Sequence[str], now: datetime) -> WholeLake:
    """Walk over every key of the lake once. ``committed`` are its committed days, sorted.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket does not list them.
    """
    first = first_night(lake, committed)
    findings = [*_gaps(committed, first), *_open_uploads(lake, now)]
    dates: set[str] = set()
    for key in lake.list_keys(""):
        media = key_reading.MediaKey.parse(key)
        if not key_reading.is_ours(key):
            findings.append(Finding(FindingKind.STRANGER, key, "the archive writes no such key"))
        elif media is not None and org and media.identity.org != org:
            findings.append(Finding(FindingKind.STRANGER, key, f"it belongs to organisation {media.identity.org}"))
        else:
            dates |= key_reading.dates_in([key])
    return WholeLake(frozenset(dates), first, tuple(findings))


def _gaps(committed: Sequence[str], night: str) -> Iterator[Finding]:
    # Before the first night, and without one, no day was meant to be archived.
    days = [date.fromisoformat(text) for text in committed if night and text >= night]
    for before, after in pairwise(days):
        missing = (after - before).days - 1
        first, last = before + timedelta(days=1), after - timedelta(days=1)
        if missing == 1:
            what = "the days before and after it were committed, and this one was not"
            yield Finding(FindingKind.GAP, layout.commit_prefix(first.isoformat()), what)
        elif missing:
            # One sentence, however many: a single commit that somebody put into another century makes very many.
            what = f"{missing} days up to {last} were not committed, and the days before and after them were"
            yield Finding(FindingKind.GAP, layout.commit_prefix(first.isoformat()), what)


def unasked(lake: LakeStore, day: str, plans: Sequence[str], now: datetime, first: str = "") -> Iterator[Finding]:
    """Name a day of which nobody asked what calls it had: what single recordings and an export name is no measure.

    Not one that is so young that its night may still come, nor one before the ``first`` night, where there is one.
    """
    if day < first or not plans or day == layout.UNKNOWN_CALL_DATE or date.fromisoformat(day) + NIGHT_MAX >= now.date():
        return
    try:
        is_asked = not all(named_by(lake, key) for key in plans)
    except (IntegrityError, LakeUnavailable):
        return  # the day's own findings say so
    if not is_asked:
        what = "nobody asked Genesys what calls it had: its plans name only what an export or single recordings brought"
        yield Finding(FindingKind.GAP, layout.commit_prefix(day), what)


def _open_uploads(lake: LakeStore, now: datetime) -> Iterator[Finding]:
    """Name the uploads in parts that are too old to be somebody's work; they cost money and no listing shows them."""
    age = timedelta(seconds=lake.writing.stale_upload_seconds)
    for upload in lake.open_uploads():
        if now - upload.initiated > age:
            what = f"opened {upload.initiated:%Y-%m-%d %H:%M} UTC, neither completed nor aborted"
            yield Finding(FindingKind.OPEN_UPLOAD, upload.key, what)
