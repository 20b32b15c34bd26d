"""What became of the day: its next commit, and its reports; the second of the day's two ends.

``day_plan.py`` is the first; in between, ``archive.py`` moves the bytes. Holds no Airflow and no bytes of audio.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from include.audit.report import sentence
from include.audit.standing import Standing
from include.errors import LakeUnavailable
from include.lake.commit import Commit, contents_of, first_commit, is_head, read_head, try_commit
from include.transfer.closing import ClosingRules, standing_of
from include.transfer.day_journal import journal_of_commit, seal_commit, unanchored
from include.transfer.day_report import write_reports
from include.transfer.day_seal import judged, seal_found
from include.transfer.day_state import has_lost, present_state, state_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from include.audit.reconcile import DayState
    from include.audit.signature import JournalKey
    from include.lake.store import LakeStore
    from include.local_day import LocalDay

log = logging.getLogger(__name__)
COMMIT_ATTEMPTS = 8
NIGHTLY = ClosingRules()


def commit_day(
    lake: LakeStore,
    org: str,
    day: LocalDay,
    plan_keys: Iterable[str],
    rules: ClosingRules = NIGHTLY,
    key: JournalKey | None = None,
    *,
    anchor: bool = False,
) -> tuple[Commit, DayState]:
    """Publish what the day's manifests and tombstones say as its next commit; the head where nothing is new.

    They are found in the lake, not handed over: those of a run that crashed before its commit count too. In an audit
    the judgement alone may be new: the day is over, held, or accepted as it is. With ``anchor``, segments of the
    journal that no commit names yet are news as well; without, they wait for the next commit. The commit is sealed,
    and signed where there is a ``key``.

    Raises:
        LakeUnavailable: other runs took every number that was tried.
        IntegrityError, NotAuthorised: as the lake raises them.
    """
    plans = tuple(plan_keys)
    for _ in range(COMMIT_ATTEMPTS):
        head = read_head(lake, org, day)
        if head is not None:
            seal_found(lake, head, state_of, key)
        found = contents_of(lake, day, plans)
        new = found if head is None else head.new_of(found)
        has_news = bool(new) or (anchor and head is not None and bool(unanchored(lake, head)))
        if head is not None and not has_news and not rules.is_audit:
            return head, state_of(lake, head)
        draft = first_commit(org, day, found) if head is None else head.following(new)
        state = state_of(lake, draft)
        if rules.window_over and has_lost(lake, draft, state):
            rules = replace(rules, window_over=False)
        state = replace(state, standing=standing_of(lake, org, day, head, rules, len(state.items)))
        if head is not None and not has_news and state.standing == Standing.of_summary(head.summary):
            return head, state
        items = [item for items in state.items.values() for item in items]
        counted = draft.with_items(items, state.summary())
        words = judged(head, counted, rules.accepted_by, key)
        finished = counted.with_journal(journal_of_commit(lake, draft, new, words))
        if try_commit(lake, finished):
            seal_commit(lake, finished, key)
            return finished, state
        log.info("Yielded: another run took %s; it is read, and what it lacks is committed next", finished.key)
    raise LakeUnavailable(f"Other runs keep committing {day}; try again.")


def reconcile_day(
    lake: LakeStore,
    org: str,
    day: LocalDay,
    plan_keys: Iterable[str],
    rules: ClosingRules = NIGHTLY,
    key: JournalKey | None = None,
) -> tuple[DayState, str]:
    """Write the day's reports and return its state with the sentence for the person on call.

    Commits again first: after a shard was cleared and succeeded, the commit task itself does not run a second time.

    Raises:
        RetriableError, PermanentError: as the lake raises them.
    """
    plans = tuple(plan_keys)
    for _ in range(COMMIT_ATTEMPTS):
        commit, _ = commit_day(lake, org, day, plans, rules, key)
        state = present_state(lake, commit)
        write_reports(lake, commit, state)
        # Where another run has committed meanwhile, its report may have been there first, and be the newer one.
        if is_head(lake, commit):
            break
    return state, sentence(str(day), state)
