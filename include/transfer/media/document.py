"""Recordings that are no sound: JSON transcripts, and mails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from include.transfer.media.structure import Malformed, Structure

if TYPE_CHECKING:
    from include.transfer.media.structure import Window

JSON_BYTES_MAX = 32 * 1024 * 1024
"""Larger JSON is not parsed: it would need several times its size in memory."""

JSON_VALUES_MAX = 500_000
"""Nor JSON of more values, which may need thirty times its size: 64 MB of ``{},`` took 1.8 GB and 38 s."""


def parsed(body: bytes, **hooks: Any) -> Any:  # noqa: ANN401 - what ``json.loads`` takes and returns
    """Return JSON from outside as ``json.loads`` does.

    Raises:
        ValueError, RecursionError: when it is none, too deep, or holds more than ``JSON_VALUES_MAX`` values.
    """
    # Each value but the first stands behind one of these; they count in texts too, where a person's words have few.
    if sum(map(body.count, (b",", b"[", b"{"))) > JSON_VALUES_MAX:
        raise ValueError("more values than are parsed")
    return json.loads(body, **hooks)


def walk_json(window: Window) -> Structure:
    """Parse the whole document.

    Raises:
        Malformed: when it is no JSON, or too large, too rich or too deep to tell.
    """
    if window.size > JSON_BYTES_MAX:
        raise Malformed(f"larger than the {JSON_BYTES_MAX} bytes that are parsed")
    try:
        parsed(window.take(0, window.size))
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not JSON: {type(error).__name__}") from error
    return Structure()


def walk_any(_: Window) -> Structure:
    """Accept a kind that has no inner lengths to check."""
    return Structure()
