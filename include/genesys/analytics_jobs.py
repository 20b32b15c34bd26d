"""Which conversations happened on a large day: the asynchronous details job, read by cursor.

``POST /api/v2/analytics/conversations/details/jobs`` (source: Genesys OpenAPI). It has no limit of pages and its
answer does not move, but its data lag behind by up to a day (``…/jobs/availability`` says how far they reach), and its
interval means "any activity within", so the bounds are applied here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from include.errors import SourceChanged
from include.genesys.analytics import ConversationsFound, details_question
from include.genesys.answer import Malformed
from include.genesys.conversation import read_answer
from include.genesys.conversation_shelf import ConversationShelf
from include.genesys.gone import told_gone
from include.genesys.json_fields import envelope_of, moment_of, text_of, uuid_of
from include.genesys.request import ApiRequest, path_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from include.genesys.http import ApiDoor

JOBS = "/api/v2/analytics/conversations/details/jobs"
JOB, RESULTS, AVAILABILITY = f"{JOBS}/{{}}", f"{JOBS}/{{}}/results", f"{JOBS}/availability"
PAGE_ROWS = 1000
"""Rows a page of results: what others use; the maximum is not documented."""
PAGES_MAX = 100_000
CURSOR_CHARACTERS_MAX = 16_384
"""It has to fit into the address of the next request."""
FULFILLED = "FULFILLED"
_ENDED = frozenset({FULFILLED, "FAILED", "CANCELLED", "EXPIRED"})


@dataclass(frozen=True, slots=True)
class DetailsJobState:
    """How far a job is: ``state`` as the source spells it, ``said`` its own word about a failure."""

    state: str
    said: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether asking again is pointless."""
        return self.state in _ENDED

    @property
    def is_fulfilled(self) -> bool:
        """Whether its results can be read."""
        return self.state == FULFILLED


def data_available_until(door: ApiDoor) -> datetime:
    """Return up to when the jobs' data reach; raises as ``ApiDoor.fetch``."""
    return door.fetch(ApiRequest("GET", AVAILABILITY, AVAILABILITY), _read_availability)


def submit_details_job(door: ApiDoor, start: datetime, end: datetime) -> str:
    """Ask for all finished, recorded voice conversations with any activity in the interval; return the job's id.

    Raises:
        ArchiveError: as ``ApiDoor.fetch``.
    """
    return door.fetch(ApiRequest("POST", JOBS, JOBS, body=details_question(start, end)), _read_job_id)


def details_job_state(door: ApiDoor, job_id: str) -> DetailsJobState:
    """Return how far a job is.

    Raises:
        RecordingGone: when the source does not know the job (any more).
        ArchiveError: as ``ApiDoor.fetch``.
    """
    with told_gone(f"Analytics job {job_id}", job_id=job_id):
        return door.fetch(ApiRequest("GET", JOB, path_of(JOB, job_id)), _read_state)


def read_details_job(door: ApiDoor, job_id: str, start: datetime, end: datetime, folder: Path) -> ConversationsFound:
    """Return what a fulfilled job found with ``start <= conversation start < end``; conversations rest in ``folder``.

    Raises:
        SourceChanged: when its cursor goes round in circles.
        ArchiveError: as ``ApiDoor.fetch``.
    """
    shelf = ConversationShelf(folder)
    try:
        return _read_pages(door, job_id, _Reading(shelf, start, end))
    except BaseException:
        shelf.close()
        raise


def _read_pages(door: ApiDoor, job_id: str, reading: _Reading) -> ConversationsFound:
    cursor: str | None = None
    seen: set[str] = set()
    for pages in range(1, PAGES_MAX + 1):
        rows, cursor = door.fetch(_results_request(job_id, cursor), _read_results)
        for row in rows:
            reading.note(row)
        if cursor is None:
            return reading.result(pages)
        if cursor in seen:
            break
        seen.add(cursor)
    raise SourceChanged(f"The results of analytics job {job_id} do not end: a cursor came twice")


@dataclass(slots=True)
class _Reading:
    shelf: ConversationShelf
    start: datetime
    end: datetime
    duplicates: int = 0
    outside: int = 0
    rejected: set[str] = field(default_factory=set)
    undated: set[str] = field(default_factory=set)

    def note(self, row: object) -> None:
        try:
            conversation = read_answer(row, self.start, self.end)
        except Malformed:
            named = uuid_of(row.get("conversationId")) if isinstance(row, dict) else None
            if named is not None:
                self.undated.add(named)
            else:
                self.rejected.add(hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest())
            return
        if not self.start <= conversation.start < self.end:
            self.outside += 1
        elif not self.shelf.add(conversation):
            self.duplicates += 1

    def result(self, pages: int) -> ConversationsFound:
        return ConversationsFound(
            conversations=(),
            duplicates=self.duplicates,
            pages=pages,
            rejected=tuple(sorted(self.rejected)),
            split=0,
            outside=self.outside,
            undated=tuple(sorted(self.undated - self.shelf.keys())),
            shelf=self.shelf,
        )


def _results_request(job_id: str, cursor: str | None) -> ApiRequest:
    query = (("pageSize", str(PAGE_ROWS)), *((("cursor", cursor),) if cursor else ()))
    return ApiRequest("GET", RESULTS, path_of(RESULTS, job_id), query=query)


def _read_availability(body: object) -> datetime:
    moment = moment_of(envelope_of(body).get("dataAvailabilityDate"))
    if moment is None:
        raise Malformed("its dataAvailabilityDate is no moment")
    return moment


def _read_job_id(body: object) -> str:
    job_id = text_of(envelope_of(body).get("jobId"))
    if job_id is None:
        raise Malformed("it names no jobId")
    return job_id


def _read_state(body: object) -> DetailsJobState:
    status = envelope_of(body)
    state = text_of(status.get("state"))
    if state is None:
        raise Malformed("it names no state")
    return DetailsJobState(state.upper(), text_of(status.get("errorMessage")))


def _read_results(body: object) -> tuple[list[object], str | None]:
    page = envelope_of(body)
    rows = page.get("conversations")
    if rows is not None and not isinstance(rows, list):
        raise Malformed("its conversations are no list")
    cursor = page.get("cursor")
    if cursor is None or cursor == "":
        return rows or [], None
    # Taken for the end, any other value would lose what is behind it; it is the source's own, and not ours to mend.
    if not isinstance(cursor, str) or len(cursor) > CURSOR_CHARACTERS_MAX or not cursor.isprintable():
        raise Malformed("its cursor is none")
    return rows or [], cursor
