"""Sets of ids as stable groups: the same ids give the same groups, on every machine and every retry."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def groups_of(ids: Iterable[str], size: int) -> tuple[tuple[str, ...], ...]:
    """Return the distinct ids, sorted, in groups of ``size``; only the last may be smaller.

    Raises:
        ValueError: when ``size`` is below one.

    >>> groups_of(["c", "a", "b", "a"], 2)
    (('a', 'b'), ('c',))
    """
    if size < 1:
        raise ValueError("a group holds at least one id")
    ordered = iter(sorted(set(ids)))
    return tuple(iter(lambda: tuple(islice(ordered, size)), ()))
