"""What a refusing media server means: pure, from status, headers and the first bytes of the body.

The statuses of S3-compatible stores: AWS, "Error responses" of the S3 API reference.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from include.errors import (
    IntegrityError,
    NotAuthorised,
    RateLimited,
    RecordingGone,
    RequestRejected,
    SourceUnavailable,
    UrlExpired,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from include.errors import ArchiveError

BODY_BYTES = 2048
"""How much of a refusal's body is read; its error code stands at the start."""

RETRY_AFTER_DEFAULT_SECONDS = 5.0

_CODE = re.compile(rb"<Code>\s*([A-Za-z0-9]{1,64})\s*</Code>")
_EXPIRED_CODES = frozenset({"ExpiredToken", "TokenRefreshRequired", "RequestTimeTooSkewed"})
_EXPIRED_WORDS = re.compile(rb"request has expired|expired", re.IGNORECASE)


def refusal_of(status: int, headers: Mapping[str, str], body_start: bytes, host: str) -> ArchiveError:
    """Return the error for an answer that is not a file.

    Only the error *code* of the body is quoted: its text may repeat the URL, its signature or a token.
    """
    code = _code_of(body_start)
    words = f" ({code})" if code else ""
    facts: dict[str, object] = {"status": status, "code": code}
    if status in (401, 403):
        return _forbidden(host, body_start, code, words, facts)
    if status in (404, 410):
        return RecordingGone(f"{host} no longer has the file ({status})", **facts)
    if status in (408, 429) or status >= 500:  # noqa: PLR2004 - the classes of RFC 9110, 15
        return _later(status, headers, f"{host} answered {status}{words}", facts)
    if 300 <= status < 400:  # noqa: PLR2004
        return IntegrityError(f"{host} redirects ({status}); a media URL is final, so it is not followed", **facts)
    if status == 400 and (code in _EXPIRED_CODES):  # noqa: PLR2004 - S3 answers ExpiredToken with 400
        return UrlExpired(f"{host} no longer accepts the URL{words}", **facts)
    return RequestRejected(f"{host} answered {status}{words}", **facts)


def retry_after_seconds(value: str | None) -> float:
    """Read ``Retry-After`` in seconds; dates and nonsense give the default (a date is rare on media hosts)."""
    if value is not None and value.strip().isdecimal():
        return float(value.strip()[:9])
    return RETRY_AFTER_DEFAULT_SECONDS


def _code_of(body_start: bytes) -> str | None:
    match = _CODE.search(body_start)
    return match[1].decode("ascii") if match else None


def _forbidden(host: str, body: bytes, code: str | None, words: str, facts: dict[str, object]) -> ArchiveError:
    # S3 says AccessDenied both for "too late" and for "never": only its text tells.
    if code in _EXPIRED_CODES or (code in (None, "AccessDenied") and _EXPIRED_WORDS.search(body)):
        return UrlExpired(f"{host} no longer accepts the URL{words}", **facts)
    return NotAuthorised(f"{host} refuses the URL{words}", **facts)


def _later(status: int, headers: Mapping[str, str], message: str, facts: dict[str, object]) -> ArchiveError:
    after = {name.lower(): value for name, value in headers.items()}.get("retry-after")
    if status == 429:  # noqa: PLR2004
        return RateLimited(message, retry_after_seconds=retry_after_seconds(after), **facts)
    return SourceUnavailable(message, **facts)
