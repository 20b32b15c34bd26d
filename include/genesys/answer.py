"""From an answer to a value or to the one error that says what happens next.

The only place that maps HTTP status codes to ``include/errors.py``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from include.errors import ArchiveError, NotAuthorised, RateLimited, RequestRejected, SourceUnavailable
from include.genesys.redaction import correlation_id_of, shown
from include.genesys.retry import Again, retry_after_seconds

if TYPE_CHECKING:
    from include.genesys.wire import Answer

CORRELATION_HEADER = "ININ-Correlation-Id"
OK_FIRST, OK_AFTER_LAST = 200, 300
UNAUTHORISED, FORBIDDEN, TIMED_OUT, TOO_MANY, NOT_IMPLEMENTED, SERVER_FIRST = 401, 403, 408, 429, 501, 500

_DIGITS_MAX = 100
_CODE = re.compile(r"[A-Za-z0-9._-]{1,100}")


class Malformed(ValueError):  # noqa: N818 - named by what the answer is
    """A success whose body is not what the contract says; the same call may do better."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an error answer says of itself, made safe to show (Genesys ``ErrorBody``; OAuth ``error``).

    ``entity_ids`` are the ids that the answer blames, if it names any.
    """

    code: str | None = None
    detail: str = ""
    entity_ids: tuple[str, ...] = ()


def succeeded(answer: Answer) -> bool:
    """Return whether the status is 2xx."""
    return OK_FIRST <= answer.status < OK_AFTER_LAST


def may_pass(status: int) -> bool:
    """Return whether the same request may succeed later: 408, 429 and 5xx but 501 (the official CLI's list and 408)."""
    return status in (TIMED_OUT, TOO_MANY) or (status >= SERVER_FIRST and status != NOT_IMPLEMENTED)


def json_of(answer: Answer) -> object:
    """Return the body as JSON, ``None`` for an empty one.

    A number that is none (``NaN``), or longer than Python reads, is a float beside which no number stands: readers of
    fields take it for absent, ``envelope_of`` names it. Refused here, one of them would cost the whole page.

    Raises:
        Malformed: when it is not one whole JSON document.
    """
    if not answer.body:
        return None
    try:
        return _parsed(answer.body)
    except (ValueError, RecursionError) as error:
        # from None: the original quotes the document.
        raise Malformed(f"the body is not JSON ({type(error).__name__})") from None


def complaint_of(answer: Answer, *secrets: str) -> Complaint:
    """Read an error body; anything unreadable is an empty complaint."""
    try:
        body = json_of(answer)
    except Malformed:
        return Complaint()
    if not isinstance(body, dict):
        return Complaint()
    code = body.get("code") or body.get("error")
    detail = body.get("message") or body.get("error_description") or body.get("description") or ""
    details = body.get("details")
    blamed = [body, *(details if isinstance(details, list) else [])]
    ids = [entry.get("entityId") for entry in blamed if isinstance(entry, dict)]
    return Complaint(
        code=code if isinstance(code, str) and _CODE.fullmatch(code) else None,
        detail=shown(detail, *secrets) if isinstance(detail, str) else "",
        entity_ids=tuple(value for value in ids if isinstance(value, str)),
    )


def raise_for(answer: Answer, endpoint: str, connection_name: str, *secrets: str, wall: float) -> None:
    """Do nothing for 2xx.

    Raises:
        Again: for a status that may pass (``RateLimited`` inside for 429, ``SourceUnavailable`` for the others).
        NotAuthorised: for 401 and 403.
        RequestRejected: for every other status, 404 and 410 included: the caller knows what is missing then.
    """
    if succeeded(answer):
        return
    complaint = complaint_of(answer, *secrets)
    facts: dict[str, Any] = {
        "status": answer.status,
        "code": complaint.code,
        "detail": complaint.detail,
        "entity_ids": complaint.entity_ids,
        "endpoint": endpoint,
        "connection": connection_name,
        "correlation_id": correlation_id_of(answer.headers.get(CORRELATION_HEADER)),
    }
    said = " ".join(part for part in (complaint.code, complaint.detail) if part)
    sentence = f"{endpoint} answered {answer.status}{f': {said}' if said else ''}"
    if may_pass(answer.status):
        _again(answer, sentence, facts, wall)
    if answer.status in (UNAUTHORISED, FORBIDDEN):
        raise NotAuthorised(f"Connection {connection_name!r} is not allowed: {sentence}", **facts)
    raise RequestRejected(sentence, **facts)


def again_for(error: SourceUnavailable, endpoint: str) -> Again:
    """Wrap a lost exchange: the request may have taken effect."""
    error.facts["endpoint"] = endpoint
    return Again(error, lost=True)


def again_for_malformed(error: Malformed, answer: Answer, endpoint: str) -> Again:
    """Wrap a success that could not be read: it took effect, but what came of it is unknown."""
    correlation_id = correlation_id_of(answer.headers.get(CORRELATION_HEADER))
    unavailable = SourceUnavailable(
        f"{endpoint} answered {answer.status}, but {error}",
        status=answer.status,
        endpoint=endpoint,
        correlation_id=correlation_id,
    )
    return Again(unavailable, lost=True)


def blamed_ids(error: ArchiveError) -> frozenset[str]:
    """Return the ids that the source named when it refused a request."""
    ids = error.facts.get("entity_ids")
    return frozenset(ids) if isinstance(ids, tuple) else frozenset()


def _again(answer: Answer, sentence: str, facts: dict[str, Any], wall: float) -> NoReturn:
    hint = retry_after_seconds(answer.headers, wall)
    if answer.status == TOO_MANY:
        raise Again(RateLimited(sentence, retry_after_seconds=hint or 0.0, **facts), retry_after_seconds=hint)
    raise Again(SourceUnavailable(sentence, **facts), retry_after_seconds=hint)


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except ValueError:
        # Thousands of digits, which int refuses. Only then, since a function of our own is called for each number.
        return json.loads(body, parse_int=_whole_number)


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS_MAX else float(digits)
