"""Sorts what a batch job answered: which results belong together, and which requests nobody answered; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.lake.layout import is_uuid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from include.genesys.models import RecordingResult

NOT_SELECTED_TYPES = frozenset({"video", "image", "text", "message"})
NOT_SELECTED_SUBTYPES = frozenset({"application/json", "application/xml"})


@dataclass(frozen=True, slots=True)
class RecordingResults:
    """All results of one recording, in the order the job gave them."""

    conversation_id: str
    recording_id: str
    results: tuple[RecordingResult, ...]


@dataclass(frozen=True, slots=True)
class SortedResults:
    """A job's results by what has to be done with them.

    ``strangers`` speak of conversations that were never requested, or carry ids that are no UUIDs: they are reported,
    and nothing of theirs is fetched.
    """

    recordings: tuple[RecordingResults, ...]
    bundles: tuple[RecordingResult, ...]
    errors: Mapping[str, tuple[RecordingResult, ...]]
    strangers: tuple[RecordingResult, ...]


def sort_results(results: Iterable[RecordingResult], requested: Iterable[str]) -> SortedResults:
    """Sort a job's results; ``requested`` are the conversations of its batch.

    A result without any conversation is a bundle: one archive for many of them.
    """
    wanted = frozenset(requested)
    recordings: dict[tuple[str, str], list[RecordingResult]] = {}
    errors: dict[str, list[RecordingResult]] = {}
    bundles, strangers = [], []
    for result in results:
        conversation_id = result.conversation_id
        if result.url is not None and conversation_id is None and result.recording_id is None:
            bundles.append(result)
        elif conversation_id not in wanted or conversation_id is None:
            strangers.append(result)
        elif result.url is None:
            errors.setdefault(conversation_id, []).append(result)
        elif not is_uuid(result.recording_id):
            strangers.append(result)
        else:
            recordings.setdefault((conversation_id, str(result.recording_id)), []).append(result)
    return SortedResults(
        recordings=tuple(
            RecordingResults(conversation_id, recording_id, tuple(items))
            for (conversation_id, recording_id), items in sorted(recordings.items())
        ),
        bundles=tuple(bundles),
        errors={key: tuple(items) for key, items in sorted(errors.items())},
        strangers=tuple(strangers),
    )


def is_selected(media_type: str | None) -> bool:
    """Whether a declared media type may be call audio; an unknown or missing one may.

    >>> is_selected("audio/ogg; codecs=opus"), is_selected("application/json; charset=utf-8"), is_selected(None)
    (True, False, True)
    """
    declared = (media_type or "").partition(";")[0].strip().lower()
    return declared not in NOT_SELECTED_SUBTYPES and declared.partition("/")[0] not in NOT_SELECTED_TYPES
