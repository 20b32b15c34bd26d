"""What the source does not know, or no longer: a 404 is an answer about a thing, and no fault of the request."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from include.errors import RecordingGone, RequestRejected

if TYPE_CHECKING:
    from collections.abc import Iterator

GONE = (404, 410)


@contextmanager
def told_gone(what: str, **ids: str | None) -> Iterator[None]:
    """Let a request about ``what`` end with the error that names it; ``ids`` become facts of that error.

    Raises:
        RecordingGone: where the source answers 404 or 410.
        RequestRejected: where it refuses the request otherwise.
    """
    try:
        yield
    except RequestRejected as error:
        if error.status in GONE:
            raise RecordingGone(f"{what} is gone", **error.facts, **ids) from error
        raise
