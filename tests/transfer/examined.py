"""Short ways to examine bytes."""

from __future__ import annotations

import io

from include.transfer.integrity import Inspection, examine, verdict


def look(body: bytes, declared: str | None = None) -> Inspection:
    """Examine bytes."""
    return examine(io.BytesIO(body), len(body), declared)


def failure(body: bytes) -> str | None:
    """Return the name of the first required check that fails."""
    found = verdict(look(body).findings)
    return found.name if found else None
