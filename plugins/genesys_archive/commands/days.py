"""Days on a command line."""

from __future__ import annotations

import argparse
from datetime import date


def local_day(text: str) -> date:
    """Read ``YYYY-MM-DD``.

    Raises:
        argparse.ArgumentTypeError: with a sentence, when it is no such day.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a day as YYYY-MM-DD, not {text!r}") from None
