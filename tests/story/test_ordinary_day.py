"""An ordinary day, under both contracts: what arrives is what the sandbox holds, and a second run changes nothing."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from include.lake.layout import report_key
from include.lake.store import LakeStore
from include.outcome import Outcome
from include.settings import LakeLocation
from tests.story.night import DAY, Night, audio_in, audio_of, classes_in, classes_of, media_keys, night

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from demo.object_store import ObjectStore
    from include.audit.reconcile import DayState
    from include.transfer.day_plan import DayPlanned


@dataclass
class TwoRuns:
    """A day that was run twice, with what was seen between the two."""

    night: Night
    planned: DayPlanned
    state: DayState
    objects: dict[str, tuple[str, str]]
    again: DayPlanned
    state_again: DayState
    calls_again: dict[str, int]
    reports_again: int
    documents: list[dict]


@pytest.fixture(scope="module", params=["platform", "guide"])
def ordinary(request, object_store: ObjectStore, lake_client: S3Client, tmp_path_factory) -> Iterator[TwoRuns]:
    """Run an ordinary day twice."""
    lake = LakeStore(lake_client, LakeLocation(object_store.bucket, f"tests/{uuid4().hex}"))
    folder = tmp_path_factory.mktemp("ordinary")
    with night(lake, folder, conversations=60, contract=request.param) as tonight:
        planned, state = tonight.run()
        before = _etags(lake, lake_client)
        tonight.box.journal.clear()
        again, state_again = tonight.run()
        calls = tonight.box.journal.summary()
        yield TwoRuns(
            tonight, planned, state, before, again, state_again, calls, len(tonight.reports), _documents(lake)
        )


def _etags(lake: LakeStore, client: S3Client) -> dict[str, tuple[str, str]]:
    """Return ETag and time of last change of every object: a rewrite with the same bytes would show in the time."""
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=lake.location.bucket, Prefix=f"{lake.location.prefix}/"
    )
    return {
        entry["Key"]: (entry["ETag"], entry["LastModified"].isoformat())
        for page in pages
        for entry in page.get("Contents", [])
    }


def _documents(lake: LakeStore) -> list[dict]:
    return [json.loads(lake.read(key)) for key in lake.list_keys("media/") if key.endswith(".metadata.json")]


def test_every_conversation_ends_in_the_class_the_sandbox_says(ordinary: TwoRuns) -> None:
    """Class by class, the day is what the side that made it says, and it is complete."""
    assert classes_of(ordinary.night.box) == classes_in(ordinary.state)
    assert ordinary.state.is_complete
    assert {"archived", "deleted_at_source", "archived_at_source", "restricted", "no_recording"} == set(
        classes_in(ordinary.state).values()
    )


def test_every_part_in_the_bucket_is_the_source_s_own_bytes(ordinary: TwoRuns) -> None:
    """Every part has the SHA-256 that the sandbox computed, none is missing and none is too many."""
    assert audio_of(ordinary.night.box) == audio_in(ordinary.night.lake)


def test_records_and_bucket_agree(ordinary: TwoRuns) -> None:
    """The records of archived parts name exactly the audio objects that are there."""
    archived = [item for items in ordinary.state.items.values() for item in items if item.outcome is Outcome.ARCHIVED]
    assert sorted(media_keys(ordinary.night.lake)) == sorted(item.key for item in archived)


def test_second_run_asks_for_nothing(ordinary: TwoRuns) -> None:
    """The second plan has nothing outstanding, so there is no shard, no submit and no download."""
    assert (0, (), 0) == (ordinary.again.outstanding, ordinary.again.shards, ordinary.reports_again)
    assert {"POST /api/v2/analytics/conversations/details/query"} == set(ordinary.calls_again)


def test_second_run_leaves_every_object_as_it_was(ordinary: TwoRuns, lake_client: S3Client) -> None:
    """No object is new, gone or written again, and the state is the same."""
    assert ordinary.objects == _etags(ordinary.night.lake, lake_client)
    assert ordinary.state == ordinary.state_again


def test_metadata_says_who_called_whom(ordinary: TwoRuns) -> None:
    """The document beside each recording has the facts of its conversation as the sandbox knows them."""
    tenant = ordinary.night.box.tenant
    people = {user.id: user.name for user in tenant.directory.users}
    for document in ordinary.documents:
        told, facts = tenant.conversation(document["conversation_id"]), document["conversation"]
        assert told.ani.partition(":")[2].partition(";")[0] == facts["ani"]
        assert told.dnis.partition(":")[2].partition(";")[0] == facts["dnis"]
        assert told.direction == facts["direction"]
        assert told.start == datetime.fromisoformat(facts["start"])
        assert told.end == datetime.fromisoformat(facts["end"])
        assert sorted({leg.user_id for leg in told.legs}) == sorted(item["id"] for item in facts["agents"])
        assert {leg.queue_id for leg in told.legs} == {item["id"] for item in facts["queues"]}
        assert {leg.wrap_up_code for leg in told.legs} == {item["id"] for item in facts["wrap_up_codes"]}
        assert sorted({tag for leg in told.legs for tag in leg.wrap_up_tags}) == sorted(facts["wrap_up_tags"])
        for agent in facts["agents"]:
            assert agent["name"] or agent["id"] not in people


def test_metadata_says_where_the_bytes_come_from(ordinary: TwoRuns) -> None:
    """The document names the job, the host, the time and the checksum of the very object it stands beside."""
    for document in ordinary.documents:
        stored = ordinary.night.lake.head(document["media"]["key"])
        assert (stored.bytes, stored.sha256) == (document["media"]["bytes"], document["media"]["sha256"])
        assert document["source"]["job_id"]
        assert "127.0.0.1" == document["source"]["url_host"]
        assert document["source"]["acquired_at"].endswith("+00:00")
        assert all(finding["ok"] for finding in document["findings"])
        assert "X-Amz-Signature" not in json.dumps(document)


def test_metadata_says_how_long_the_recording_is(ordinary: TwoRuns) -> None:
    """The duration of each part is the one that the sandbox recorded, to a codec's frame."""
    truth = {part.sha256: part for part in ordinary.night.box.truth(DAY.date).archived_parts()}
    for document in ordinary.documents:
        part, media = truth[document["media"]["sha256"]], document["media"]
        assert (part.channels, part.size) == (media["channels"], media["bytes"])
        # The sandbox's Ogg ends with a whole page of a second.
        tolerance = 1000 if media["codec"] == "opus" else 150
        assert part.duration_ms == pytest.approx(media["duration_milliseconds"], abs=tolerance)


def test_names_are_resolved(ordinary: TwoRuns) -> None:
    """Agents, queues and wrap-up codes have the names of the sandbox's directory."""
    directory = ordinary.night.box.tenant.directory
    names = {item.id: item.name for group in (directory.users, directory.queues) for item in group}
    resolved = [item for document in ordinary.documents for item in document["conversation"]["queues"]]
    assert resolved
    assert all(names[item["id"]] == item["name"] for item in resolved)
    wrap_ups = [item for document in ordinary.documents for item in document["conversation"]["wrap_up_codes"]]
    assert all(item["name"] for item in wrap_ups)


def test_report_adds_up(ordinary: TwoRuns) -> None:
    """Expected is archived plus exclusions, and every exclusion is named with its class and who said so."""
    report = json.loads(ordinary.night.lake.read(report_key(str(DAY), "report.json")))
    counts = Counter(report["conversations"])
    assert len(classes_of(ordinary.night.box)) == report["expected"] == counts.total()
    assert report["complete"]
    named = {item["conversation_id"] for item in report["exclusions"] if item["outcome"] != "not_selected"}
    excluded = {key for key, value in classes_in(ordinary.state).items() if value != "archived"}
    assert excluded <= named
    assert report["expected"] == counts["archived"] + len(excluded)
    assert all(item["reason"] and item["said_by"] for item in report["exclusions"])


def test_shard_reports_count_recordings(ordinary: TwoRuns) -> None:
    """The plan travels as keys and counts, and its sentence says what it will ask for."""
    assert {"date", "plan_key", "expected"} < ordinary.planned.without_shards().keys()
    assert "shards" not in ordinary.planned.without_shards()
    # Airflow stores a tuple as a class of Python's, which its UI cannot show.
    assert set() == {type(value) for value in ordinary.planned.without_shards().values()} & {tuple, set, frozenset}
    assert f"{ordinary.planned.expected} conversations expected" in ordinary.planned.sentence()
    assert sum(shard.conversations for shard in ordinary.planned.shards) == ordinary.planned.outstanding
