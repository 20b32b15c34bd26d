"""A limit of the system on this process, for as long as a block runs."""

from __future__ import annotations

import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def at_most(kind: int, soft: int) -> Iterator[None]:
    """Let a resource (``resource.RLIMIT_...``) have so much and no more."""
    before, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (before, hard))
