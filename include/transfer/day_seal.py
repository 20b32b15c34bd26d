"""Seals a commit that was found and not made: after a crash between the two, or when signing was switched on.

A seal says that the archive stands by a commit. Whoever can put one object could otherwise put the next commit of a
day, and have it signed by the next run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.audit.judgement import Judgement, Told
from include.audit.signature import Algorithm, Seal
from include.audit.standing import Standing
from include.errors import IntegrityError
from include.lake import layout
from include.lake.commit import Commit
from include.lake.merkle import item_leaves, merkle_root
from include.transfer.day_journal import own_lines, seal_commit
from include.transfer.verify_commits import has_grown

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.audit.events import Event
    from include.audit.reconcile import DayState
    from include.audit.signature import JournalKey
    from include.lake.store import LakeStore

COUNTS = ("expected", "conversations", "recordings", "bytes", "complete")


def seal_found(
    lake: LakeStore, head: Commit, state_of: Callable[[LakeStore, Commit], DayState], key: JournalKey | None
) -> None:
    """Seal the newest commit, which this run has not made, where its own evidence bears it out; once is enough.

    Before it is believed, and before another commit is put on it. ``state_of`` tells what its plans, manifests and
    tombstones fold to; it is asked only where there is no seal yet.

    Raises:
        IntegrityError: they say something else, or it lacks what the commit before it names, or nobody told the journal
            what it says beside the counts; it is not sealed.
        ConfigurationError: when the key is only a public one.
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    if _is_sealed(lake, head, key):
        return
    state = state_of(lake, head)
    true = state.summary()
    wrong = [name for name in COUNTS if head.summary.get(name) != true[name]]
    items = [item for every in state.items.values() for item in every]
    if head.merkle_root and (head.items, head.merkle_root) != (len(items), merkle_root(item_leaves(items))):
        wrong.append("items")
    before = _before(lake, head) if head.version > 1 else None
    if head.version > 1 and (before is None or not has_grown(before, head)):
        wrong.append("plans, manifests, tombstones or journal")
    if not _is_believed(lake, before, head, key):
        wrong.append("judgement (held, accepted_empty, window_over or not_looked_up)")
    if wrong:
        raise IntegrityError(
            f"{lake.uri(head.key)} was not sealed: its {', '.join(wrong)} are not what its day's evidence says.",
            key=head.key,
        )
    seal_commit(lake, head, key)


def judged(before: Commit | None, commit: Commit, accepted_by: str, key: JournalKey | None) -> list[Event]:
    """Return what the journal has to tell of a commit's judgement: nothing where it repeats the one before.

    ``accepted_by`` is told where this commit is the one that accepts.

    Raises:
        ConfigurationError: when the key is only a public one.
    """
    known, says = _standing(before), _standing(commit)
    is_new = says.accepted_empty and not known.accepted_empty
    return [] if known == says else [_judgement(commit, accepted_by if is_new else "").event(key)]


def told(lake: LakeStore, before: Commit | None, commit: Commit, key: JournalKey | None) -> Told:
    """Return how well the journal bears out what a commit says anew beside the counts.

    Raises:
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    if _standing(before) == _standing(commit):
        return Told.SIGNED
    return _judgement(commit).told_in(own_lines(lake, commit), key)


def _standing(commit: Commit | None) -> Standing:
    return Standing.of_summary(commit.summary) if commit else Standing()


def _judgement(commit: Commit, said_by: str = "") -> Judgement:
    previous = commit.previous_sha256 or ""
    return Judgement(commit.org, str(commit.day), commit.version, previous, _standing(commit), said_by)


def _is_believed(lake: LakeStore, before: Commit | None, head: Commit, key: JournalKey | None) -> bool:
    """Whether its judgement is ours. Without a signature only where none was ever made on that day with this key."""
    word = told(lake, before, head, key)
    if word is not Told.UNSIGNED or key is None:
        return word in {Told.SIGNED, Told.UNSIGNED}
    return before is None or not _is_sealed(lake, before, key)


def _is_sealed(lake: LakeStore, commit: Commit, key: JournalKey | None) -> bool:
    body = lake.read(layout.seal_key(str(commit.day), commit.version, key.key_id if key else Algorithm.UNSIGNED))
    try:
        seal = Seal.parse(body or b"")
        return seal.commit_key == commit.key and seal.fits(lake.read(commit.key) or b"", key)
    except (ValueError, TypeError):
        return False


def _before(lake: LakeStore, head: Commit) -> Commit | None:
    """Return the commit before; that its hash is right is known from reading the head."""
    body = lake.read(layout.commit_key(str(head.day), head.version - 1))
    try:
        return Commit.parse(body or b"", head.day)
    except (ValueError, KeyError, TypeError):
        return None
