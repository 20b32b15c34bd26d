"""Which conversations an analytics query names: interval, filters, order."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from include.sandbox.filters import check, holds
from include.sandbox.problems import bad_request
from include.sandbox.wire import conversation_json, moment_of

if TYPE_CHECKING:
    from include.sandbox.conversations import Conversation
    from include.sandbox.tenant import Tenant

Json = dict[str, object]

INTERVAL_DAYS_MAX = 31
_REMEMBERED = 32
_FILTER_KEYS = ("conversationFilters", "segmentFilters", "evaluationFilters", "surveyFilters", "resolutionFilters")


def interval_of(query: Json) -> tuple[datetime, datetime]:
    """Read the query's interval.

    Raises:
        ApiError: 400 when it is missing, unreadable or empty.
    """
    text = query.get("interval")
    if not isinstance(text, str) or not text:
        raise bad_request("interval is required", "constraint.validation")
    try:
        start, end = (moment_of(part) for part in text.split("/"))
    except ValueError:
        raise bad_request(
            "Dates must be specified as ISO-8601 strings. For example: yyyy-MM-ddTHH:mm:ss.SSSZ", "invalid.date"
        ) from None
    if end <= start:
        raise bad_request("the interval must end after it starts", "constraint.validation")
    return start, end


def days_touched(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Widen an interval to the whole UTC days it touches, as the synchronous query does."""
    opening = start.replace(hour=0, minute=0, second=0, microsecond=0)
    closing = end.replace(hour=0, minute=0, second=0, microsecond=0)
    return opening, closing if closing == end else closing + timedelta(days=1)


@dataclass(slots=True)
class Queries:
    """Answers queries, remembering the last few so that page after page is not evaluated anew."""

    tenant: Tenant
    _remembered: OrderedDict[str, list[Conversation]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def started(self, query: Json) -> list[Conversation]:
        """Return what the synchronous query finds: conversations that started on a UTC day the interval touches.

        Raises:
            ApiError: 400 for a query the API would refuse.
        """
        start, end = interval_of(query)
        if end - start > timedelta(days=INTERVAL_DAYS_MAX):
            raise bad_request(f"The interval may not be longer than {INTERVAL_DAYS_MAX} days", "constraint.validation")
        return self._find(query, "started", days_touched(start, end))

    def active(self, query: Json) -> list[Conversation]:
        """Return what the asynchronous query finds: conversations with any activity during the interval.

        Raises:
            ApiError: 400 for a query the API would refuse.
        """
        start, end = interval_of(query)
        found = self._find(query, "active", (start, end))
        if query.get("startOfDayIntervalMatching"):
            found = [conversation for conversation in found if conversation.start >= days_touched(start, end)[0]]
        limit = query.get("limit")
        return found[:limit] if isinstance(limit, int) and limit > 0 else found

    def _find(self, query: Json, mode: str, span: tuple[datetime, datetime]) -> list[Conversation]:
        check(query)
        order = (query.get("order", "asc"), query.get("orderBy", "conversationStart"))
        key = json.dumps(
            [
                mode,
                [str(moment) for moment in span],
                order,
                {name: query.get(name) for name in _FILTER_KEYS},
                self.tenant.landings,
            ]
        )
        with self._lock:
            if key not in self._remembered:
                look = self.tenant.started_between if mode == "started" else self.tenant.active_between
                found = [each for each in look(*span) if holds(query, conversation_json(each))]
                self._remembered[key] = _ordered(found, *order)
                while len(self._remembered) > _REMEMBERED:
                    self._remembered.popitem(last=False)
            self._remembered.move_to_end(key)
            return self._remembered[key]


def _ordered(found: list[Conversation], order: object, order_by: object) -> list[Conversation]:
    if order not in {"asc", "desc", "unordered"}:
        raise bad_request(f"Value [{order}] is not valid for field type [order]", "invalid.value")
    if order_by not in {"conversationStart", "conversationEnd", "segmentStart", "segmentEnd"}:
        raise bad_request(f"Value [{order_by}] is not valid for field type [orderBy]", "invalid.value")
    if order_by in {"conversationEnd", "segmentEnd"}:
        far = datetime.max.replace(tzinfo=UTC)
        found = sorted(found, key=lambda conversation: (conversation.end or far, conversation.id))
    return found[::-1] if order == "desc" else found
