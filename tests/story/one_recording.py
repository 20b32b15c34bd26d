"""One recording as a test runs it: the night's sandbox and lake, and the steps of the manual DAG, one call each."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from include.genesys.models import Contract
from include.lake.plan import DayPlan, ShardPlan
from include.local_day import ONE_DAY, LocalDay
from include.transfer.day import commit_day
from include.transfer.metadata import SINGLE
from include.transfer.single import archive_single, media_downloader
from include.transfer.single_plan import SingleWish, plan_single
from tests.story.desk import ORG, conversation
from tests.story.night import DAY, ZONE, audio_of, night

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from include.lake.store import LakeStore
    from include.transfer.single import SingleReport
    from include.transfer.single_plan import SinglePlanned
    from tests.story.night import Night

NOW = datetime.combine(DAY.date + ONE_DAY, datetime.min.time(), UTC).replace(hour=12)


@contextmanager
def clean(lake: LakeStore, folder: Path, **config: object) -> Iterator[Night]:
    """Open a day on which every conversation can be archived."""
    with night(lake, folder, **({"conversations": 9, "scenario": "clean"} | config)) as tonight:
        yield tonight


def one_of(tonight: Night, content_type: str = "") -> tuple[str, str]:
    """Return a recording of one part, the only one of its conversation, of this type where one is given."""
    types = {
        part.sha256: part.content_type for item in tonight.box.truth(DAY.date).conversations for part in item.parts
    }
    places = {place for place in audio_of(tonight.box) if types[place[2]].startswith(content_type)}
    parts = Counter(conversation_id for conversation_id, *_ in audio_of(tonight.box))
    return min(
        (conversation_id, recording_id) for conversation_id, recording_id, _ in places if parts[conversation_id] == 1
    )


def wish_for(tonight: Night, place: tuple[str, str], **changes: str) -> SingleWish:
    """Return what a person types for a recording under the night's contract."""
    name = "media_id" if tonight.connection.contract is Contract.GUIDE else "recording_id"
    return SingleWish(tonight.connection.contract, **{"conversation_id": place[0], name: place[1], **changes})


def plan(tonight: Night, wish: SingleWish) -> SinglePlanned:
    """Plan one recording."""
    return plan_single(tonight.source, tonight.lake, tonight.settings, tonight.box.org_id, wish, NOW)


def archive(tonight: Night, planned: SinglePlanned) -> SingleReport:
    """Archive and commit, as the two tasks do."""
    shard = ShardPlan.read(tonight.lake, planned.shard_key)
    with media_downloader(tonight.source, tonight.settings) as downloader:
        report = archive_single(
            tonight.source, tonight.lake, downloader, tonight.settings, shard, planned, clock=lambda: NOW
        )
    commit_day(tonight.lake, tonight.box.org_id, LocalDay.of(planned.date, ZONE), [planned.plan_key])
    return report


def bucket(lake: LakeStore) -> dict[str, object]:
    """Return everything that a listing tells of every object."""
    return {key: lake.head(key) for key in lake.list_keys("")}


def copies_in(lake: LakeStore) -> list[dict[str, object]]:
    """Return the documents of all derivatives."""
    return [json.loads(lake.read(key)) for key in lake.list_keys("derived/") if key.endswith(".metadata.json")]


def source_of(lake: LakeStore, item: object) -> dict[str, object]:
    """Return where a part says it came from."""
    return json.loads(lake.read(item.metadata_key))["source"]


def single_plans(date):
    """Return both plans that single recordings leave of a day: of all its calls where it is over, else of that one."""
    day = LocalDay.of(date, ZONE)
    return (
        DayPlan(ORG, day, (conversation(1), conversation(2)), planned_for=SINGLE),
        DayPlan(ORG, day, (conversation(1),), named_by=SINGLE),
    )
