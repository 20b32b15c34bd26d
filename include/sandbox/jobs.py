"""Batch download jobs: what they will deliver, and how they ripen.

A job is honest about being awkward: the expected count moves, counts agree once before anything is finished, and
completion takes time. ``job_seconds=0`` leaves all of that out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from include.sandbox.dice import dice_for, uuid_for

if TYPE_CHECKING:
    from include.sandbox.conversations import Conversation
    from include.sandbox.recordings import Part, Recording
    from include.sandbox.tenant import Tenant

Item = tuple[str, str | None]

ERROR_MESSAGES = {
    "DELETED": "Recording file has been deleted",
    "ARCHIVED": "Recording is archived and must be restored before it can be downloaded",
    "UPLOADING": "Recording is not yet available",
    "RESTORING": "Recording is being restored",
    "ERROR": "Recording could not be processed",
}
"""No published vocabulary exists for ``errorMsg``; a client must treat these as opaque."""

_SETTLING_SHARE = 0.6
_READY_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Result:
    """One result: a part of a recording to download, or the source's words why there is none."""

    conversation_id: str
    recording: Recording | None
    part: Part | None
    error_message: str | None = None
    ready_share: float = 0.0


@dataclass(frozen=True, slots=True)
class View:
    """A job as one poll sees it."""

    completed: bool
    expected: int
    results: tuple[Result, ...]

    @property
    def errors(self) -> int:
        """How many of the results are errors."""
        return sum(result.error_message is not None for result in self.results)


@dataclass(slots=True)
class Job:
    """One submitted job, bound to the client that submitted it."""

    id: str
    client_id: str
    items: tuple[Item, ...]
    results: tuple[Result, ...]
    seconds: float
    output_format: str | None = None
    stuck: bool = False
    stuck_conversations: frozenset[str] = frozenset()
    created: float = field(default_factory=monotonic)
    polls: int = 0
    urls: dict[tuple[str, int], str] = field(default_factory=dict)

    def poll(self) -> View:
        """Return what this poll sees."""
        self.polls += 1
        if self.seconds == 0 and not self.stuck:
            return View(completed=True, expected=len(self.results), results=self.results)
        share = (monotonic() - self.created) / self.seconds if self.seconds else 1.0
        if self.polls == 1:
            early = self._ready(max(share, _READY_SHARE))[: len(self.results) // 3]
            return View(completed=False, expected=len(early), results=early)
        if self.stuck:
            return self._stuck(share)
        if share >= 1:
            return View(completed=True, expected=len(self.results), results=self.results)
        overcounted = share < _SETTLING_SHARE
        return View(completed=False, expected=len(self.results) + overcounted, results=self._ready(share))

    def _ready(self, share: float) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.ready_share <= share)

    def _stuck(self, share: float) -> View:
        held = self.stuck_conversations or {result.conversation_id for result in self.results[-1:]}
        ready = tuple(result for result in self._ready(share) if result.conversation_id not in held)
        return View(completed=False, expected=max(len(self.results), len(ready) + 1), results=ready)


@dataclass(slots=True)
class Jobs:
    """All jobs of the organisation. Ids depend on what was asked, by whom, and how often: repeatable across runs."""

    tenant: Tenant
    mean_seconds: float
    _jobs: dict[str, Job] = field(default_factory=dict)
    _asked: dict[tuple[object, ...], int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def submit(
        self, client_id: str, items: tuple[Item, ...], output_format: str | None = None, *, stuck: bool = False
    ) -> Job:
        """Accept a job; its results are decided now, its pace by chance that belongs to its id."""
        self.tenant.count_submissions(dict.fromkeys(conversation_id for conversation_id, _ in items))
        with self._lock:
            asked = (client_id, items, output_format)
            self._asked[asked] = self._asked.get(asked, 0) + 1
            job_id = uuid_for(self.tenant.config.seed, "batch", *asked, self._asked[asked])
            dice = dice_for(job_id)
            jammed = frozenset(conversation_id for conversation_id, _ in items if self._jams(conversation_id))
            results = tuple(
                Result(
                    found.conversation_id,
                    found.recording,
                    found.part,
                    found.error_message,
                    dice.uniform(0.1, _READY_SHARE),
                )
                for item in dict.fromkeys(items)
                for found in results_of(self.tenant, item)
            )
            seconds = self.mean_seconds * dice.uniform(0.6, 1.4)
            job = Job(job_id, client_id, items, results, seconds, output_format, stuck or bool(jammed), jammed)
            self._jobs[job_id] = job
            return job

    def get(self, job_id: str) -> Job | None:
        """Return a job, or ``None``."""
        return self._jobs.get(job_id)

    def __len__(self) -> int:
        return len(self._jobs)

    def _jams(self, conversation_id: str) -> bool:
        conversation = self.tenant.conversation(conversation_id)
        return conversation is not None and conversation.kind.stuck


def results_of(tenant: Tenant, item: Item) -> list[Result]:
    """Return what one requested item comes to; a sensitive conversation silently comes to nothing."""
    conversation_id, recording_id = item
    conversation = tenant.conversation(conversation_id)
    if conversation is None:
        return [Result(conversation_id, None, None, "Conversation not found")]
    if conversation.kind.restricted:
        return []
    recordings = [each for each in conversation.recordings if recording_id in {None, each.id}]
    if not recordings:
        return [Result(conversation_id, None, None, "No recordings found for conversation")]
    return [result for recording in recordings for result in _recording_results(tenant, conversation, recording)]


def _recording_results(tenant: Tenant, conversation: Conversation, recording: Recording) -> list[Result]:
    state = tenant.file_state(recording)
    if state != "AVAILABLE":
        return [Result(conversation.id, recording, None, ERROR_MESSAGES[state])]
    return [Result(conversation.id, recording, part) for part in recording.parts]
