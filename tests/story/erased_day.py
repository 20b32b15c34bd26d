"""A day with three conversations in a lake of the test's choice, for erasing one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from include.lake.commit import read_head
from include.lake.plan import DayPlan, ShardPlan
from include.lake.store import LakeStore, Writing
from include.settings import LakeLocation
from include.transfer.archive import archive_shard
from include.transfer.day import commit_day
from include.transfer.day_state import present_state
from include.transfer.erase import ErasureOrder
from include.transfer.hold import HoldOrder, hold_conversation
from include.transfer.submit import SubmittedJob, SubmittedShard
from tests.story.desk import ORG, Desk, audio, conversation
from tests.story.night import DAY, ZONE
from tests.story.shelf import finished

if TYPE_CHECKING:
    from include.lake.protection import Protection
    from include.lake.versions import ObjectVersion
    from include.transfer.hold import Hold

NUMBERS = (1, 2, 3)
EXPECTED = {conversation(1): "erased", conversation(2): "archived", conversation(3): "archived"}
"""What each conversation is once the first is erased."""


def facts_of(number: int) -> dict[str, object]:
    """Return what is known of a conversation: numbers and names that stand nowhere else."""
    agent = {"id": conversation(900 + number), "name": f"Agent Mustermann-{number}"}
    queue = {"id": conversation(800 + number), "name": f"Queue-{number}"}
    people = {"ani": f"+4930555000{number}", "dnis": "+4980", "agents": [agent]}
    return {**people, "queues": [queue], "division_ids": [f"d-{number}"]}


def traces_of(number: int) -> tuple[bytes, ...]:
    """Return what must be found nowhere after an erasure: caller, agent, and the audio itself."""
    return (f"+4930555000{number}".encode(), f"Mustermann-{number}".encode(), audio(number))


def lake_in(client: object, bucket: str, protection: Protection | None = None) -> LakeStore:
    """Return an empty lake in that bucket."""
    writing = Writing(protection) if protection else Writing()
    return LakeStore(client, LakeLocation(bucket, f"erase/{uuid4().hex}"), writing)


@dataclass
class ErasedDay:
    """The day's plan and what archives it, before and after."""

    table: Desk
    numbers: tuple[int, ...] = NUMBERS

    @property
    def lake(self) -> LakeStore:
        """The lake that it stands in."""
        return self.table.lake

    @property
    def plan(self) -> ShardPlan:
        """The shard plan of all of the day's conversations."""
        ids = tuple(sorted(conversation(number) for number in self.numbers))
        facts = {conversation(number): facts_of(number) for number in self.numbers}
        return ShardPlan(ORG, str(DAY), ZONE.key, (ids,), facts)

    def archive(self, plan: ShardPlan | None = None) -> None:
        """Plan and archive all conversations, and commit."""
        if plan is None:
            plan = self.plan
            day_plan = DayPlan(ORG, DAY, plan.conversation_ids)
            for document in (day_plan, plan):
                self.lake.put_document(document.key, document.body())
        results = [self.table.result(n, self.table.shelf.put(f"/{n}.wav", audio(n))) for n in self.numbers]
        self.table.source.statuses["job"] = [finished(*results)]
        archive_shard(
            self.table.source,
            self.lake,
            self.table.downloader,
            self.table.settings,
            plan,
            SubmittedShard(plan.key, (SubmittedJob("job", plan.conversation_ids),), ()),
            unfinished=frozenset(),
        )
        commit_day(self.lake, ORG, DAY, ())


def order(number: int = 1, **words: str) -> ErasureOrder:
    """Return the order to erase a conversation."""
    said = {"reason": "asked for by the caller", "legal_basis": "GDPR Art. 17(1)(b)", "by": "dpo", **words}
    return ErasureOrder(ORG, DAY, conversation(number), **said)


def every_version(lake: LakeStore) -> dict[ObjectVersion, bytes]:
    """Return the bytes of every version of every object of the lake, markers as nothing."""
    return {item: b"" if item.is_marker else lake.versions.read(item) for item in lake.versions.list("")}


def keys_with(lake: LakeStore, *needles: bytes) -> list[str]:
    """Return the keys of the versions that hold any of these."""
    return sorted({item.key for item, body in every_version(lake).items() if any(one in body for one in needles)})


def outcomes(lake: LakeStore) -> dict[str, str]:
    """Return the class of each conversation, as the bucket bears it out."""
    head = read_head(lake, ORG, DAY)
    assert head, "nothing is committed"
    return {key: str(value) for key, value in present_state(lake, head).outcomes.items()}


def hold(lake: LakeStore, number: int, *, on: bool) -> Hold:
    """Hold a conversation, or release it."""
    return hold_conversation(lake, HoldOrder(ORG, DAY, conversation(number), "litigation", "counsel", on))
