"""What a commit says of its day beside the counts: whether it is held, and whether it is over.

Reads the same weekday of earlier weeks out of their commits; decides by ``include/audit/standing.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from include.audit.standing import Baseline, Stage, Standing
from include.errors import IntegrityError
from include.lake.commit import read_head
from include.lake.plan import named_by
from include.local_day import LocalDay

if TYPE_CHECKING:
    from datetime import datetime

    from include.lake.commit import Commit
    from include.lake.store import LakeStore
    from include.settings import ArchiveSettings

ONE_WEEK = timedelta(days=7)
USUAL = Baseline()
WEEKS_BACK_MAX = 52
"""How far back a comparison is looked for where the weeks before are doubted themselves."""


@dataclass(frozen=True, slots=True)
class ClosingRules:
    """How one run judges its days.

    ``is_audit``: the run may write a commit for the judgement alone. The nightly run may not, so that running a
    complete day again writes nothing. ``accept_empty``: a person says that so few conversations are right;
    ``accepted_by`` is whose word that is: the run, and who started it. ``not_looked_up``: so many conversations an
    audit wanted to look at again and could not.
    """

    baseline: Baseline = USUAL
    is_audit: bool = False
    window_over: bool = False
    accept_empty: bool = False
    accepted_by: str = ""
    not_looked_up: int = 0


def nightly_rules(settings: ArchiveSettings) -> ClosingRules:
    """Return the rules of a run that archives: it holds days, and closes none."""
    return ClosingRules(_baseline(settings))


def audit_rules(
    settings: ArchiveSettings, day: LocalDay, now: datetime, *, accept_empty: bool, not_looked_up: int | None
) -> ClosingRules:
    """Return the rules of an audit run at ``now`` (aware): days whose late window is over may be closed.

    ``not_looked_up`` is what the plan said of the day's second look, ``None`` where it took none: who has not looked
    cannot say that the window is over.
    """
    age = now.astimezone(day.zone).date() - day.date
    return ClosingRules(
        _baseline(settings),
        is_audit=True,
        window_over=not_looked_up is not None and age >= timedelta(days=settings.late_window_days),
        accept_empty=accept_empty,
        not_looked_up=not_looked_up or 0,
    )


def standing_of(
    lake: LakeStore, org: str, day: LocalDay, head: Commit | None, rules: ClosingRules, expected: int
) -> Standing:
    """Return what the next commit of a day says of it; what was accepted or over stays so.

    Raises:
        RetriableError, PermanentError: as the lake raises them.
    """
    before = Standing.of_summary(head.summary) if head else Standing()
    trailing = _trailing(lake, org, day, rules.baseline.weeks)
    held = rules.baseline.doubt(expected, trailing)
    if len(trailing) < rules.baseline.weeks_min:
        # Weeks that cannot be read any more are no reason to believe in the day after all.
        held = before.held
    window_over = before.window_over or (rules.window_over and not rules.not_looked_up)
    unseen = rules.not_looked_up if rules.window_over else before.not_looked_up
    return Standing(
        held=held,
        # Only where there is a doubt: a run over several days must not vouch for those that have none yet.
        accepted_empty=before.accepted_empty or (rules.accept_empty and bool(held)),
        window_over=window_over,
        # Before the window is over there is another audit to come.
        not_looked_up=0 if window_over else unseen,
    )


def _trailing(lake: LakeStore, org: str, day: LocalDay, weeks: int) -> list[int]:
    """Return what was expected on the same weekday of the weeks before, as far as the lake knows and believes it.

    Each week that was doubted itself, or is damaged, is made up for by one further back: after three weeks of a broken
    source there would be nothing left to compare with, and the fourth empty day would be believed. One that nobody
    measured is as one that the lake does not know.
    """
    counts: list[int] = []
    number, last = 1, weeks
    while number <= last:
        try:
            head = read_head(lake, org, LocalDay(day.date - number * ONE_WEEK, day.zone))
            is_believed = head is None or _is_believed(head)
            if head is not None and is_believed and _is_measured(lake, head):
                counts.append(_count(head))
        except (IntegrityError, ValueError, TypeError, AttributeError):
            # That day's own runs say so; it must not keep this one from being committed.
            is_believed = False
        last += not is_believed and last < WEEKS_BACK_MAX
        number += 1
    return counts


def _is_believed(head: Commit) -> bool:
    """Whether a day may teach what is usual: not while it is doubted, complete or not, unless a person accepted it."""
    standing = Standing.of_summary(head.summary)
    is_held = head.summary.get("state") == Stage.HELD and not standing.not_looked_up
    return standing.accepted_empty or not (standing.held or is_held)


def _is_measured(lake: LakeStore, head: Commit) -> bool:
    """Whether analytics was asked how many calls the day had: an export or a single recording names only its own."""
    return not head.plans or not all(named_by(lake, key) for key in head.plans)


def _count(head: Commit) -> int:
    return int(str(head.summary.get("expected", 0)))


def _baseline(settings: ArchiveSettings) -> Baseline:
    return Baseline(
        settings.baseline_weeks,
        settings.baseline_weeks_min,
        settings.baseline_conversations_min,
        settings.baseline_share_min,
    )
