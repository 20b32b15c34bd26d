"""Which bytes a GET asks for (RFC 9110, sections 13 and 14): pure decisions, no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

_SINGLE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


class Answer(Enum):
    """The status a conditional range request deserves."""

    WHOLE = 200
    PART = 206
    FAILED_PRECONDITION = 412
    UNSATISFIABLE = 416


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and the bytes [start, stop) it carries."""

    answer: Answer
    start: int
    stop: int


def decide(size: int, etag: str, headers: dict[str, str]) -> Decision:
    """Decide on a GET of ``size`` bytes; header names in lower case.

    A malformed range, another unit or several ranges get the whole body, which section 14.2 allows and S3 does.
    """
    whole = Decision(Answer.WHOLE, 0, size)
    wanted = headers.get("if-match")
    if wanted is not None and wanted.strip() != "*" and etag not in [item.strip() for item in wanted.split(",")]:
        return Decision(Answer.FAILED_PRECONDITION, 0, 0)
    found = _SINGLE.fullmatch(headers.get("range", "").replace(" ", ""))
    if not found or found.groups() == ("", ""):
        return whole
    if headers.get("if-range", etag).strip() != etag:
        return whole
    return _slice(size, *found.groups()) or whole


def _slice(size: int, first: str, last: str) -> Decision | None:
    if not first:
        start, stop = max(size - int(last), 0), size
        satisfiable = int(last) > 0 and size > 0
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < int(first):
            return None
        satisfiable = start < size
    return Decision(Answer.PART, start, stop) if satisfiable else Decision(Answer.UNSATISFIABLE, 0, 0)
