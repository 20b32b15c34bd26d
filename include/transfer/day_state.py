"""What a commit stands for: the day's state as its documents tell it, and as the bucket bears it out today."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from include.audit.reconcile import DayState, fold, with_erased, with_unfinished_erasures, without_lost
from include.audit.standing import Standing
from include.lake import key_reading, layout
from include.lake.commit import read_head
from include.lake.erasures import erasures_of
from include.lake.manifest import Manifest
from include.lake.plan import read_expected
from include.lake.tombstone import conversations_of, plans_with_facts
from include.outcome import Outcome
from include.transfer.erasure_proof import unproved_elsewhere, unproved_erasures

if TYPE_CHECKING:
    from collections.abc import Iterable

    from include.lake.commit import Commit
    from include.lake.erasures import Erasures
    from include.lake.store import LakeStore
    from include.local_day import LocalDay
    from include.outcome import ItemRecord


def state_of(lake: LakeStore, commit: Commit) -> DayState:
    """Return the state that a commit stands for: its plans' expectations and its manifests' outcomes."""
    owner = (commit.org, str(commit.day))
    expected = {item for key in commit.plans for item in read_expected(lake, key, *owner)}
    generations: dict[tuple[int, int], list[tuple[ItemRecord, ...]]] = {}
    for key, version in sorted(commit.manifests.items()):
        manifest = Manifest.read(lake, key, *owner)
        # By the commit it was planned on, then by the one that brought it in: an old task cleared late is old evidence.
        generations.setdefault((manifest.base_version, version), []).append(manifest.items)
    state = fold(sorted(expected), [generations[age] for age in sorted(generations)])
    state = with_erased(state, conversations_of(commit.tombstones))
    return replace(state, standing=Standing.of_summary(commit.summary))


def present_state(lake: LakeStore, commit: Commit) -> DayState:
    """Return a commit's state as the bucket bears it out today: a part that somebody deleted is asked for again."""
    present = frozenset(lake.list_keys(layout.media_day_prefix(commit.org, str(commit.day))))
    state = without_lost(state_of(lake, commit), present)
    erased = erasures_of(lake, str(commit.day))
    elsewhere = _erased_elsewhere(state, erased, present)
    if not (erased.here or elsewhere):
        return state
    known = {**elsewhere, **erased.here}
    # Open again: whose erasure was cut short, and of whom something came back with a task that was then at work: one
    # that archived, made a copy of what it had read before, refused its bytes, or made a plan with facts of it.
    places = (layout.derived_day_prefix(commit.org, str(commit.day)), layout.quarantine_prefix(str(commit.day)))
    keys = (*present, *(key for place in places for key in lake.list_keys(place)))
    here = {key_reading.conversation_in(key) for key in keys} | plans_with_facts(
        lake, str(commit.day), known.keys()
    ).keys()
    unfinished = {item: known[item] for item in here & known.keys()} | unproved_erasures(lake, commit)
    # Of who was erased on another day the state is what a manifest says of it; until one does, tonight's run asks.
    unfinished |= unproved_elsewhere(lake, commit.org, elsewhere)
    return with_unfinished_erasures(with_erased(state, erased.here), unfinished)


def _erased_elsewhere(state: DayState, erased: Erasures, present: Iterable[str]) -> dict[str, str]:
    """Return who of this day was erased on another, or is called so by a manifest, each with its tombstone."""
    called = {
        item.conversation_id: item.fact
        for items in state.items.values()
        for item in items
        if item.outcome is Outcome.ERASED and item.conversation_id not in erased.here
    }
    if not erased.elsewhere:
        return called
    # Also whose bytes no plan expects: a worker that died may have put them there.
    return called | erased.of({*state.items, *map(key_reading.conversation_in, present)} - called.keys())


def known_of(lake: LakeStore, head: Commit | None) -> DayState:
    """Return the present state of a day's newest commit, the empty state where there is none yet."""
    return DayState({}) if head is None else present_state(lake, head)


def archived_parts(lake: LakeStore, org: str, day: LocalDay) -> list[ItemRecord]:
    """Return the records of what a day's newest commit calls archived, sorted; none where nothing is committed.

    Raises:
        RetriableError, PermanentError: as the lake raises them.
    """
    state = known_of(lake, read_head(lake, org, day))
    return sorted(item for items in state.items.values() for item in items if item.outcome is Outcome.ARCHIVED)


def has_lost(lake: LakeStore, draft: Commit, state: DayState) -> bool:
    """Whether the bucket does not bear out what the manifests say: such a day is not over, whatever its age."""
    said = state.outcomes
    return any(
        outcome.is_open and not said[key].is_open for key, outcome in present_state(lake, draft).outcomes.items()
    )
