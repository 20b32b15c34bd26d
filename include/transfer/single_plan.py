"""One recording now: which it is, on which day it belongs, and whether the lake has it already.

Nothing is fetched here. What is expected of the day is written down first, as the night does; a day without a commit
is expected whole, so that one archived recording does not make it look complete.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Protocol, cast

from include.errors import ConfigurationError
from include.genesys.models import Contract
from include.lake import layout
from include.lake.commit import read_head
from include.lake.erasures import erasures_of
from include.lake.plan import DayPlan, ShardPlan, earlier_facts
from include.outcome import Outcome
from include.transfer.day_plan import ConversationSource
from include.transfer.day_state import present_state
from include.transfer.facts import stored_facts
from include.transfer.holes import is_other_medium
from include.transfer.metadata import SINGLE
from include.transfer.names import with_names
from include.transfer.rendition import Rendition
from include.transfer.single_held import is_held
from include.transfer.single_place import listed_recordings, place_of, refuse_other_call
from include.transfer.single_urls import SingleSource, Wanted
from include.transfer.stored import stored_parts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from include.genesys.models import Conversation
    from include.lake.commit import Commit
    from include.lake.store import LakeStore
    from include.local_day import LocalDay
    from include.settings import ArchiveSettings
    from include.transfer.stored import StoredParts


class PlanSource(SingleSource, ConversationSource, Protocol):
    """What planning one recording needs of the source."""

    def conversation(self, conversation_id: str) -> Conversation:
        """Return what analytics says of one conversation."""


@dataclass(frozen=True, slots=True)
class SingleWish:
    """What a person asked for; empty text means nothing was given.

    Raises:
        ConfigurationError: when it names no recording, or what the contract does not have; the sentence says what to
            give.
    """

    contract: Contract
    conversation_id: str = ""
    recording_id: str = ""
    media_id: str = ""
    date: str = ""
    output_format: str = "original"

    def __post_init__(self) -> None:
        for name in ("conversation_id", "recording_id", "media_id"):
            value = getattr(self, name)
            if value and not layout.is_uuid(value):
                raise ConfigurationError(f"{name} must be an id such as Genesys gives them, not {value[:64]!r}.")
        if not (self.media_id or self.conversation_id):
            raise ConfigurationError("Give media_id (contract guide), or conversation_id and perhaps recording_id.")
        if self.media_id and self.recording_id:
            raise ConfigurationError("Give media_id or recording_id, not both: they name the same thing.")
        _ = Rendition(self.output_format)
        if self.contract is Contract.PLATFORM and self.media_id:
            raise ConfigurationError("The platform contract knows no media_id: give conversation_id and recording_id.")

    @property
    def rendering(self) -> str | None:
        """The format to ask for beside the original, if any."""
        return None if self.output_format == "original" else self.output_format


@dataclass(frozen=True, slots=True)
class SinglePlanned:
    """What is to be done, as it travels through XCom: ids and keys. ``shard_key`` is empty where nothing is."""

    date: str
    plan_key: str
    shard_key: str
    conversation_id: str
    recordings: tuple[str, ...]
    rendering: str | None
    by_media_id: bool

    def wanted(self) -> tuple[Wanted, ...]:
        """Return each recording as the source keeps it, and then in the format that was asked for."""
        formats = (None,) if self.rendering is None else (None, self.rendering)
        return tuple(
            Wanted(self.conversation_id, recording_id, form, self.by_media_id)
            for recording_id in self.recordings
            for form in formats
        )

    @property
    def is_of_unknown_call(self) -> bool:
        """Whether it is media whose call nobody knows."""
        return self.date == layout.UNKNOWN_CALL_DATE

    def to_json(self) -> dict[str, object]:
        """Return it for XCom, in lists."""
        return {**asdict(self), "recordings": list(self.recordings)}

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> SinglePlanned:
        """Read what ``to_json`` wrote."""
        fields = {**document, "recordings": tuple(cast("list[str]", document["recordings"]))}
        return cls(**fields)  # type: ignore[arg-type]  # written by to_json, types as declared

    def sentence(self) -> str:
        """Return it for the log of a person."""
        what = f"{len(self.recordings)} recordings of conversation {self.conversation_id}, {self.date}"
        if self.is_of_unknown_call:
            what = f"Media {self.conversation_id}, of a call that nobody knows, {self.date}"
        return f"{what}: " + ("to be fetched" if self.shard_key else "the lake holds them, nothing is to be fetched")


def plan_single(
    source: PlanSource, lake: LakeStore, settings: ArchiveSettings, org: str, wish: SingleWish, now: datetime
) -> SinglePlanned:
    """Find the recording and its day, refuse what was erased, and write down what is expected.

    ``now`` must be aware. What the lake holds and its newest commit names is recognised: nothing is written then.

    Raises:
        ConfigurationError: when nobody knows such a recording, or its conversation was erased on request.
        RetriableError, PermanentError: as the source and the lake raise them.
    """
    place = place_of(source, lake, settings, org, wish)
    conversation_id, day, found = place.conversation_id, place.day, place.found
    refuse_erased(lake, str(day), conversation_id)
    parts = stored_parts(lake, org, str(day), (conversation_id,))
    recordings = (wish.media_id,) if place.is_of_unknown_call else _recordings(source, wish, conversation_id, parts)
    head = read_head(lake, org, day)
    planned = SinglePlanned(
        date=str(day),
        plan_key=head.plans[0] if head and head.plans else "",
        shard_key="",
        conversation_id=conversation_id,
        recordings=recordings,
        rendering=wish.rendering,
        by_media_id=wish.contract is Contract.GUIDE,
    )
    if head is not None and planned.plan_key and _is_proven(lake, head, planned, parts):
        return planned
    plan = _expectation(source, lake, org, day, conversation_id, head, now)
    facts = earlier_facts(lake, str(day), set() if found else {conversation_id})
    if found is not None:
        named, nameless = with_names(source, lake, (found,))
        facts = {conversation_id: stored_facts(named[0], settings)}
        if nameless:
            plan = plan or DayPlan(org, day, (conversation_id,), named_by=SINGLE)
            plan = replace(plan, without_names=tuple(sorted(nameless)))
    shard = ShardPlan(
        org, str(day), day.zone.key, ((conversation_id,),), facts or {conversation_id: {}},
        base_version=head.version if head else 0, deep=True,
    )  # fmt: skip
    if plan is not None:
        lake.put_document(plan.key, plan.body())
    lake.put_document(shard.key, shard.body())
    plan_key = plan.key if plan else planned.plan_key
    return SinglePlanned(**{**asdict(planned), "plan_key": plan_key, "shard_key": shard.key})


def refuse_erased(lake: LakeStore, date: str, conversation_id: str) -> None:
    """Stop at a conversation with a tombstone, on whichever day: what was erased on request must not come back.

    Raises:
        ConfigurationError: when there is one.
    """
    tombstone = erasures_of(lake, date).anywhere.get(conversation_id)
    if tombstone is not None:
        raise ConfigurationError(
            f"Conversation {conversation_id} of {date} was erased on request and is not fetched again: "
            f"{lake.uri(tombstone)} says by whom and why."
        )


def _recordings(source: PlanSource, wish: SingleWish, conversation_id: str, parts: StoredParts) -> tuple[str, ...]:
    one = wish.media_id or wish.recording_id
    here = {recording_id for _, recording_id in parts}
    if one in here:
        return (one,)
    listed = listed_recordings(source, conversation_id)
    if not one:
        audio = {item.recording_id for item in listed or () if not is_other_medium(item.media)}
        return tuple(sorted(audio | here))
    if wish.media_id:
        refuse_other_call(source, conversation_id, one, listed)
    elif listed and one not in {item.recording_id for item in listed}:
        raise ConfigurationError(f"Conversation {conversation_id} has no recording {one}: are both ids right?")
    return (one,)


def _is_proven(lake: LakeStore, head: Commit, planned: SinglePlanned, parts: StoredParts) -> bool:
    """Whether the day's newest commit names every recording that is wanted, and the bucket has it."""
    items = present_state(lake, head).items.get(planned.conversation_id, ())
    proven = {item.recording_id for item in items if item.outcome is Outcome.ARCHIVED}
    return (
        bool(planned.recordings)
        and proven.issuperset(planned.recordings)
        and all(is_held(lake, head.org, planned.date, wanted, parts) for wanted in planned.wanted())
    )


def _expectation(
    source: PlanSource,
    lake: LakeStore,
    org: str,
    day: LocalDay,
    conversation_id: str,
    head: Commit | None,
    now: datetime,
) -> DayPlan | None:
    """Return what has to be expected of the day beside what its commits expect, ``None`` where that is nothing.

    Of a day that is not over, the conversation alone: tonight's run knows the rest.
    """
    alone = DayPlan(org, day, (conversation_id,), named_by=SINGLE)
    if head is not None:
        is_known = bool(head.plans) and conversation_id in present_state(lake, head).items
        return None if is_known else alone
    if now < day.end or str(day) == layout.UNKNOWN_CALL_DATE:
        return alone
    with closing(source.find_conversations(day.start, day.end)) as found:
        expected = tuple(sorted({conversation_id, *found.by_id, *found.undated}))
        return DayPlan(org, day, expected, unreadable=found.rejected, planned_for=SINGLE)
