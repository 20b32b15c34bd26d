"""Submit batch jobs; when the source refuses a whole batch for one conversation, find it and go on without it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.errors import NotAuthorised, PermanentError, RequestRejected
from include.genesys.answer import blamed_ids
from include.genesys.contract import batch_submission, read_job_id
from include.genesys.grouping import groups_of
from include.settings import BATCH_ITEMS_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from include.genesys.http import ApiDoor

REFUSED_MAX = 5
"""Refused conversations in one batch of many before the fault is taken to be the request, not the conversations."""

PER_CONVERSATION_STATUS = (400, 403, 404)
WHOLE_REQUEST_CODES = frozenset(
    {"batch.download.too.many.items", "missing.permissions", "missing.any.permissions", "app.not.authorized.for.scope"}
)
"""Refusals that no smaller batch would escape (codes: Genesys OpenAPI)."""

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SubmittedBatch:
    """A job that was accepted, and the conversations it covers."""

    job_id: str
    conversation_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A conversation the source refuses to export; ``status`` 403 means forbidden, 400 and 404 unknown to it."""

    conversation_id: str
    status: int | None
    code: str | None


@dataclass(frozen=True, slots=True)
class BatchSubmitted:
    """What came of a set of conversations: each is in exactly one job or among the refusals."""

    jobs: tuple[SubmittedBatch, ...]
    refusals: tuple[Refusal, ...] = ()

    @property
    def poisoned(self) -> tuple[str, ...]:
        """The ids of the refused conversations, sorted."""
        return tuple(sorted(refusal.conversation_id for refusal in self.refusals))


def submit_batch(door: ApiDoor, conversation_ids: Iterable[str], output_format: str | None = None) -> str:
    """Submit one batch job of 1 to 100 conversations; return its id.

    Raises:
        RequestRejected: when the count is out of bounds, or the source refuses the batch.
        ConfigurationError: when ``output_format`` is not to be had under the contract.
        ArchiveError: as ``ApiDoor.fetch``.
    """
    ids = sorted(set(conversation_ids))
    if not 1 <= len(ids) <= BATCH_ITEMS_LIMIT:
        raise RequestRejected(f"A batch holds 1 to {BATCH_ITEMS_LIMIT} conversations, not {len(ids)}")
    return door.fetch(batch_submission(door.connection.contract, ids, output_format), read_job_id)


def submit_batches(
    door: ApiDoor, conversation_ids: Iterable[str], output_format: str | None = None, *, size: int = BATCH_ITEMS_LIMIT
) -> BatchSubmitted:
    """Submit batch jobs for all conversations, setting aside those the source refuses.

    Raises:
        RequestRejected: when more than a few conversations of a batch are refused: then it is the request.
        NotAuthorised: the same, for 403.
        ArchiveError: as ``submit_batch``.
    """
    batches: list[SubmittedBatch] = []
    refusals: list[Refusal] = []
    for group in groups_of(conversation_ids, size):
        submission = _Submission(door, output_format)
        submission.submit(group)
        batches += submission.batches
        refusals += submission.refusals
    return BatchSubmitted(tuple(batches), tuple(refusals))


class _Submission:
    """One group on its way: what was accepted, what was refused."""

    def __init__(self, door: ApiDoor, output_format: str | None) -> None:
        self._door = door
        self._output_format = output_format
        self.batches: list[SubmittedBatch] = []
        self.refusals: list[Refusal] = []

    def submit(self, group: Sequence[str]) -> None:
        """Submit the group; after each refusal found, submit what is left of it."""
        left = tuple(group)
        while left and (refused := self._try(left)) is not None:
            left = self._without_refused(left, refused)

    def _try(self, ids: tuple[str, ...]) -> PermanentError | None:
        """Submit; return the refusal where it may be about single conversations."""
        try:
            job_id = submit_batch(self._door, ids, self._output_format)
        except (RequestRejected, NotAuthorised) as error:
            if error.status not in PER_CONVERSATION_STATUS or error.code in WHOLE_REQUEST_CODES:
                raise
            return error
        self.batches.append(SubmittedBatch(job_id, ids))
        return None

    def _without_refused(self, ids: tuple[str, ...], refused: PermanentError) -> tuple[str, ...]:
        """Find one refused conversation (or those the source names); return the ids still to submit."""
        named = blamed_ids(refused).intersection(ids)
        if named:
            for conversation_id in sorted(named):
                self._set_aside(conversation_id, refused)
            return tuple(value for value in ids if value not in named)
        suspects = ids
        untried: list[str] = []
        while len(suspects) > 1:
            half = len(suspects) // 2
            probe, rest = suspects[:half], suspects[half:]
            error = self._try(probe)
            if error is None:
                suspects = rest  # the refused one is in here, so this half alone need not be tried
            else:
                refused, suspects = error, probe
                untried += rest
        self._set_aside(suspects[0], refused)
        return tuple(sorted(untried))

    def _set_aside(self, conversation_id: str, refused: PermanentError) -> None:
        if len(self.refusals) >= REFUSED_MAX:
            raise refused
        LOGGER.warning("Conversation %s is refused by the source: %s", conversation_id, refused)
        self.refusals.append(Refusal(conversation_id, refused.status, refused.code))
