"""Recordings that are no sound: JSON transcripts, and mails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from include.transfer.media.structure import Malformed, Structure

if TYPE_CHECKING:
    from include.transfer.media.structure import Window

JSON_BYTES_MAX = 32 * 1024 * 1024
"""Larger JSON is not parsed: it would need several times its size in memory."""


def walk_json(window: Window) -> Structure:
    """Parse the whole document.

    Raises:
        Malformed: when it is no JSON, or too large or too deep to tell.
    """
    if window.size > JSON_BYTES_MAX:
        raise Malformed(f"larger than the {JSON_BYTES_MAX} bytes that are parsed")
    try:
        json.loads(window.take(0, window.size))
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not JSON: {type(error).__name__}") from error
    return Structure()


def walk_any(_: Window) -> Structure:
    """Accept a kind that has no inner lengths to check."""
    return Structure()
