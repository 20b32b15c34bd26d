"""What the source does not know, or no longer: a 404 is an answer about a thing, and no fault of the request.

Each 404 of the published API has a code (Genesys OpenAPI, ``x-inin-error-codes``). One without is the page of a
gateway or a proxy, and no word of the source: a recording that is called gone by it would not be asked for again.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from include.errors import RecordingGone, RequestRejected, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

GONE = (404, 410)


@contextmanager
def told_gone(what: str, **ids: str | None) -> Iterator[None]:
    """Let a request about ``what`` end with the error that names it; ``ids`` become facts of that error.

    Raises:
        RecordingGone: where the source answers 404 or 410.
        SourceUnavailable: where something else does, in its place.
        RequestRejected: where it refuses the request otherwise.
    """
    try:
        yield
    except RequestRejected as error:
        if error.status in GONE and error.code is None:
            raise SourceUnavailable(f"{what}: {error}, without a code of Genesys'", **error.facts) from error
        if error.status in GONE:
            raise RecordingGone(f"{what} is gone", **error.facts, **ids) from error
        raise
