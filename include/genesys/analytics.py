"""Which conversations happened: the conversation details query, page by page, until nothing is left to see.

``POST /api/v2/analytics/conversations/details/query`` (source: Genesys OpenAPI). Its paging is by number over a moving
set, and its interval means "started on a day that the interval touches". So: only closed calls in a closed interval,
everything de-duplicated by id, the bounds applied here, and a second look at whatever takes more than one page. What
stays less than the source's own total is an error, never a short day.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from include.errors import RequestRejected, SourceChanged
from include.genesys.answer import Malformed
from include.genesys.conversation import read_answer
from include.genesys.json_fields import COUNT_MAX, envelope_of, uuid_of
from include.genesys.request import ApiRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from include.genesys.conversation_shelf import ConversationShelf
    from include.genesys.http import ApiDoor
    from include.genesys.models import Conversation

QUERY = "/api/v2/analytics/conversations/details/query"

PAGE_ROWS = 100
"""Rows a page: what the official data exporter clamps to; the hard maximum is not documented."""

RESULTS_MAX = 100_000
"""Rows one query can page through (error text "Pagination may not exceed 100000 results"; splunk/genesys_cloud_ta)."""

PASSES_MAX = 3
INTERVAL_MIN = timedelta(minutes=1)
"""Shorter intervals are not split again: hits that do not shrink by then do not depend on the interval."""

_PAGINATION = re.compile(r"pagination may not exceed", re.IGNORECASE)
_TOO_LARGE = 413


@dataclass(frozen=True, slots=True)
class ConversationsFound:
    """What the query found; ``conversations`` are sorted by id and unique.

    ``rejected`` holds a SHA-256 of each row without a usable id: counted and reported, never used. ``pages`` counts
    the pages read, ``split`` how often an interval was halved, ``passes`` the most looks one interval took,
    ``outside`` the conversations that started outside the bounds. ``undated`` holds the sorted ids of conversations
    whose start cannot be read: they exist, and only the bounds that were asked for say when.
    """

    conversations: tuple[Conversation, ...]
    duplicates: int
    pages: int
    rejected: tuple[str, ...]
    split: int
    passes: int = 1
    outside: int = 0
    undated: tuple[str, ...] = ()
    shelf: ConversationShelf | None = None
    """In place of ``conversations``, where there are too many to hold; see ``conversation_shelf``."""

    @property
    def by_id(self) -> Mapping[str, Conversation]:
        """The conversations by their id."""
        return self.shelf if self.shelf is not None else {item.conversation_id: item for item in self.conversations}

    def close(self) -> None:
        """Give back the disk that the shelf takes; without one there is nothing to do."""
        if self.shelf is not None:
            self.shelf.close()


class LargeIntervalError(Exception):
    """The interval has more conversations than the caller wants to page through; nothing is wrong with it."""


@dataclass(slots=True)
class _Search:
    """What was seen so far, over all pages, passes and halves."""

    found: dict[str, Conversation] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)
    undated: set[str] = field(default_factory=set)
    duplicates: int = 0
    pages: int = 0
    split: int = 0
    passes: int = 1
    rows_max: int | None = None


@dataclass(slots=True)
class _Pass:
    """One look at one interval: the ids seen, and whether its pages added up.

    ``totals`` are those of pages with rows, ``end_total`` is what the page without rows still named.
    """

    ids: set[str] = field(default_factory=set)
    rows: int = 0
    totals: set[int] = field(default_factory=set)
    end_total: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether every page named the same total, and that many different rows came."""
        return self.totals | {self.end_total or self.rows} == {self.rows} and len(self.ids) == self.rows

    @property
    def stable_total(self) -> int:
        """How many rows no page went below; zero where none named a total.

        ``totalHits`` moves a little from page to page, so the smallest is the one that all pages agree on.
        """
        return max(min(self.totals, default=0), self.end_total)


class _TooMany(Exception):  # noqa: N818 - a message to the caller in this file
    """The interval holds more than one query can page through."""


def find_conversations(
    door: ApiDoor, start_utc: datetime, end_utc: datetime, *, rows_max: int | None = None
) -> ConversationsFound:
    """Find every finished, recorded voice conversation with ``start_utc <= start < end_utc``.

    Raises:
        LargeIntervalError: when the source counts more than ``rows_max``, where that is given.
        ValueError: when the bounds are naive or not in order.
        RequestRejected: when the source refuses the query, or has too many hits for even the shortest interval.
        SourceChanged: when the last look still found something new, or all looks together saw less than the source's
            own total.
        ArchiveError: as ``ApiDoor.fetch``.
    """
    if start_utc.tzinfo is None or end_utc.tzinfo is None or start_utc >= end_utc:
        raise ValueError("the bounds must be aware and in order")
    search = _Search(rows_max=rows_max)
    _search(door, start_utc, end_utc, search)
    inside = [found for found in search.found.values() if start_utc <= found.start < end_utc]
    return ConversationsFound(
        conversations=tuple(sorted(inside, key=lambda found: found.conversation_id)),
        duplicates=search.duplicates,
        pages=search.pages,
        rejected=tuple(sorted(search.rejected)),
        split=search.split,
        passes=search.passes,
        outside=len(search.found) - len(inside),
        undated=tuple(sorted(search.undated - search.found.keys())),
    )


def details_query(start: datetime, end: datetime, page: int) -> ApiRequest:
    """Ask for one page of finished voice conversations that have a recording."""
    paging = {"pageSize": PAGE_ROWS, "pageNumber": page}
    return ApiRequest("POST", QUERY, QUERY, body={**details_question(start, end), "paging": paging})


def details_question(start: datetime, end: datetime) -> dict[str, object]:
    """Return what is asked about an interval, the same of the query and of the job."""
    return {
        "interval": f"{_wire_moment(start)}/{_wire_moment(end)}",
        "order": "asc",
        "orderBy": "conversationStart",
        "conversationFilters": [{"type": "and", "predicates": [_predicate("conversationEnd", "exists")]}],
        "segmentFilters": [
            {
                "type": "and",
                "predicates": [
                    _predicate("mediaType", "matches", value="voice"),
                    _predicate("recording", "exists"),
                ],
            }
        ],
    }


def _search(door: ApiDoor, start: datetime, end: datetime, search: _Search) -> None:
    try:
        _look_until_settled(door, start, end, search)
    except _TooMany as error:
        middle = start + (end - start) / 2
        if end - start <= INTERVAL_MIN:
            raise RequestRejected(
                f"More than {RESULTS_MAX} conversations in {_wire_moment(start)}/{_wire_moment(end)}, "
                "and the interval cannot be shorter"
            ) from error
        search.split += 1
        _search(door, start, middle, search)
        _search(door, middle, end, search)


def _look_until_settled(door: ApiDoor, start: datetime, end: datetime, search: _Search) -> None:
    """Look until a look finds nothing new and nothing is missing from the total.

    One page that adds up is one moment's truth. Several pages are several moments: a row removed and another inserted
    between two pages leave totals equal and hide a conversation, so even pages that add up are read twice.
    """
    seen: set[str] = set()
    total = new = 0
    for number in range(1, PASSES_MAX + 1):
        look = _look(door, start, end, search)
        search.passes = max(search.passes, number)
        new = len(look.ids - seen)
        seen |= look.ids
        total = max(total, look.stable_total)
        steady = (number > 1 and not new) or (look.rows <= PAGE_ROWS and look.adds_up)
        if steady and len(seen) >= total:
            return
    raise SourceChanged(
        f"The conversations of {_wire_moment(start)}/{_wire_moment(end)} do not settle: {len(seen)} were read in "
        f"{PASSES_MAX} looks, {new} of them new in the last; the source's own total is {total}",
        read=len(seen),
        new=new,
        total=total,
    )


def _look(door: ApiDoor, start: datetime, end: datetime, search: _Search) -> _Pass:
    look = _Pass()
    for page in range(1, RESULTS_MAX // PAGE_ROWS + 1):
        rows, total = _page(door, start, end, page)
        search.pages += 1
        if not rows:
            look.end_total = total or 0
            return look
        look.rows += len(rows)
        if total is not None:
            look.totals.add(total)
        for row in rows:
            _note(row, (start, end), look, search)
        if total is not None and search.rows_max is not None and total > search.rows_max:
            raise LargeIntervalError
        if total is not None and total > RESULTS_MAX:
            raise _TooMany
    raise _TooMany


def _page(door: ApiDoor, start: datetime, end: datetime, page: int) -> tuple[list[object], int | None]:
    try:
        return door.fetch(details_query(start, end, page), _read_page)
    except RequestRejected as error:
        if error.status == _TOO_LARGE or _PAGINATION.search(str(error.facts.get("detail", ""))):
            raise _TooMany from error
        raise


def _read_page(body: object) -> tuple[list[object], int | None]:
    """Return rows and total; the page past the end is the empty object."""
    page = envelope_of(body)
    rows, total = page.get("conversations"), page.get("totalHits")
    if rows is not None and not isinstance(rows, list):
        raise Malformed("its conversations are no list")
    if total is not None and (isinstance(total, bool) or not isinstance(total, int) or not 0 <= total <= COUNT_MAX):
        # Read as zero, it would say that nothing is missing.
        raise Malformed("its totalHits is no count")
    return rows or [], total


def _note(row: object, asked: tuple[datetime, datetime], look: _Pass, search: _Search) -> None:
    try:
        conversation = read_answer(row, *asked)
    except Malformed:
        named = uuid_of(row.get("conversationId")) if isinstance(row, dict) else None
        if named is not None:
            search.undated.add(named)
            look.ids.add(named)
            return
        digest = hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()
        search.rejected.add(digest)
        look.ids.add(digest)
        return
    if conversation.conversation_id in look.ids:
        search.duplicates += 1
    look.ids.add(conversation.conversation_id)
    search.found.setdefault(conversation.conversation_id, conversation)


def _predicate(dimension: str, operator: str, **value: str) -> dict[str, str]:
    return {"type": "dimension", "dimension": dimension, "operator": operator, **value}


def _wire_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
