"""The details query's filters, evaluated as the published model words them.

A segment filter holds for a conversation when one of its segments, seen together with its session and participant,
fulfils it. Dimensions the sandbox does not know are refused rather than ignored: an ignored filter would flatter.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, cast

from include.sandbox.problems import ApiError, bad_request
from include.sandbox.wire import moment_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, object]

CONVERSATION_DIMENSIONS = frozenset(
    {
        "conversationEnd",
        "conversationId",
        "conversationInitiator",
        "conversationStart",
        "customerParticipation",
        "divisionId",
        "externalTag",
        "mediaStatsMinConversationMos",
        "originatingDirection",
    }
)
_PARTICIPANT = (
    "externalContactId",
    "flaggedReason",
    "participantName",
    "purpose",
    "screenRecording",
    "teamId",
    "userId",
)
_SESSION = ("ani", "direction", "dnis", "edgeId", "mediaType", "protocolCallId", "provider", "recording", "remote")
_SESSION_MORE = ("sessionDnis", "snippetRecording")
_SEGMENT = (
    "conference",
    "disconnectType",
    "errorCode",
    "queueId",
    "segmentEnd",
    "segmentType",
    "wrapUpCode",
    "wrapUpNote",
)
SEGMENT_DIMENSIONS = frozenset((*_PARTICIPANT, *_SESSION, *_SESSION_MORE, *_SEGMENT))
_DATES = ("conversationStart", "conversationEnd")
_UNSUPPORTED = ("evaluationFilters", "surveyFilters", "resolutionFilters", "aggregations")


def holds(query: Json, conversation: Json) -> bool:
    """Whether a conversation (in wire shape) fulfils every filter of a query that ``check`` has passed."""
    facts = {**conversation, "divisionId": conversation.get("divisionIds")}
    if not all(_filter(item, facts) for item in _filters(query, "conversationFilters")):
        return False
    wanted = _filters(query, "segmentFilters")
    return all(any(_filter(item, row) for row in _segment_rows(conversation)) for item in wanted)


def check(query: Json) -> None:
    """Refuse a query whose filters the sandbox would not evaluate honestly.

    Raises:
        ApiError: 400 for an unknown dimension, operator or kind of filter.
    """
    for name in _UNSUPPORTED:
        if query.get(name):
            raise bad_request(f"the sandbox does not evaluate {name}")
    kinds = (("conversationFilters", CONVERSATION_DIMENSIONS), ("segmentFilters", SEGMENT_DIMENSIONS))
    for name, dimensions in kinds:
        for item in _filters(query, name):
            _check_filter(item, dimensions)


def _filters(query: Json, name: str) -> list[Json]:
    value = query.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise bad_request(f"{name} must be a list of filters")
    return cast("list[Json]", value)


def _check_filter(item: Json, dimensions: frozenset[str]) -> None:
    if item.get("type") not in {"and", "or"}:
        raise _not_allowed(item.get("type"), "type", "and, or")
    if not item.get("clauses") and not item.get("predicates"):
        raise bad_request("a filter needs clauses or predicates", "constraint.validation")
    for clause in _filters(item, "clauses"):
        _check_filter(clause, dimensions)
    for predicate in _filters(item, "predicates"):
        if predicate.get("type", "dimension") != "dimension" or predicate.get("metric") or predicate.get("property"):
            raise bad_request("the sandbox evaluates dimension predicates only")
        if predicate.get("dimension") not in dimensions:
            raise _not_allowed(predicate.get("dimension"), "dimension", ", ".join(sorted(dimensions)))
        operator = predicate.get("operator", "matches")
        if operator not in {"matches", "exists", "notExists"}:
            raise _not_allowed(operator, "operator", "matches, exists, notExists")
        if operator == "matches" and predicate.get("value") is None:
            raise bad_request("a matches predicate needs a value", "constraint.validation")
        if predicate["dimension"] in _DATES and operator == "matches":
            _check_span(str(predicate["value"]))


def _check_span(value: str) -> None:
    try:
        _, _ = (moment_of(text) for text in value.split("/", 1))
    except ValueError:
        raise bad_request("a date dimension is matched by an ISO-8601 interval", "invalid.date") from None


def _not_allowed(value: object, field: str, allowable: str) -> ApiError:
    return bad_request(
        f"Value [{value}] is not valid for field type [{field}]. Allowable values are: {allowable}", "invalid.value"
    )


def _filter(item: Json, facts: Json) -> bool:
    answers = chain(
        (_filter(clause, facts) for clause in _filters(item, "clauses")),
        (_predicate(predicate, facts) for predicate in _filters(item, "predicates")),
    )
    return all(answers) if item["type"] == "and" else any(answers)


def _predicate(predicate: Json, facts: Json) -> bool:
    value = facts.get(str(predicate["dimension"]))
    there = value is not None and value is not False and value != []
    operator = predicate.get("operator", "matches")
    if operator != "matches":
        return there is (operator == "exists")
    wanted = str(predicate["value"])
    if isinstance(value, list):
        return wanted in value
    if isinstance(value, bool):
        return wanted.lower() == str(value).lower()
    if isinstance(value, str) and "/" in wanted and predicate["dimension"] in _DATES:
        first, last = (moment_of(text) for text in wanted.split("/", 1))
        return first <= moment_of(value) < last
    return there and str(value) == wanted


def _segment_rows(conversation: Json) -> Iterator[Json]:
    for participant in cast("list[Json]", conversation["participants"]):
        for session in cast("list[Json]", participant["sessions"]):
            for segment in cast("list[Json]", session.get("segments") or [{}]):
                yield {**participant, **session, **segment}
