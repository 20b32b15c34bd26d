"""Seals a commit that was found and not made: after a crash between the two, or when signing was switched on.

A seal says that the archive stands by a commit. Whoever can put one object could otherwise put the next commit of a
day, and have it signed by the next run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.errors import IntegrityError
from include.lake import layout
from include.lake.commit import Commit
from include.lake.merkle import item_leaves, merkle_root
from include.transfer.day_journal import seal_commit
from include.transfer.verify_commits import has_grown

if TYPE_CHECKING:
    from include.audit.reconcile import DayState
    from include.audit.signature import JournalKey
    from include.lake.store import LakeStore

COUNTS = ("expected", "conversations", "recordings", "bytes", "complete")


def seal_found(lake: LakeStore, head: Commit, state: DayState, key: JournalKey | None) -> None:
    """Seal the newest commit, which this run has not made, where its own evidence bears it out.

    ``state`` is the one that its plans, manifests and tombstones fold to.

    Raises:
        IntegrityError: they say something else, or it lacks what the commit before it names; it is not sealed.
        ConfigurationError: when the key is only a public one.
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    true = state.summary()
    wrong = [name for name in COUNTS if head.summary.get(name) != true[name]]
    items = [item for every in state.items.values() for item in every]
    if head.merkle_root and (head.items, head.merkle_root) != (len(items), merkle_root(item_leaves(items))):
        wrong.append("items")
    if head.version > 1 and not _follows(lake, head):
        wrong.append("plans, manifests, tombstones or journal")
    if wrong:
        raise IntegrityError(
            f"{lake.uri(head.key)} was not sealed: its {', '.join(wrong)} are not what its day's evidence says.",
            key=head.key,
        )
    seal_commit(lake, head, key)


def _follows(lake: LakeStore, head: Commit) -> bool:
    """Whether it has all of the commit before; that its hash is right is known from reading the head."""
    before = lake.read(layout.commit_key(str(head.day), head.version - 1))
    try:
        return has_grown(Commit.parse(before or b"", head.day), head)
    except (ValueError, KeyError, TypeError):
        return False
