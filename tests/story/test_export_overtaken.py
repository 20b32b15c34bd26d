"""An ingest that a commit of another run overtakes: what that run left open stays open."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from include.lake.export_bucket import ExportBucket
from include.lake.manifest import Manifest
from include.lake.plan import DayPlan, ShardPlan
from include.lake.store import LakeStore
from include.outcome import ItemRecord, Outcome
from include.transfer.day import commit_day
from include.transfer.verify import Scope, verify_lake
from tests.story.export_desk import config_of, export_desk
from tests.story.night import DAY

OTHER = str(UUID(int=0xA << 120 | 77))
"""A recording that the export does not have."""


class Overtaken(ExportBucket):
    """An export of which something else happens just before its first recording is fetched."""

    happens = staticmethod(lambda: None)

    def url(self, key):
        """Let it happen once; the host alone is asked for before."""
        if key != "-":
            happens, self.happens = self.happens, lambda: None
            happens()
        return super().url(key)


class OvertakenLake(LakeStore):
    """A lake of which something else happens just before the ingest writes its plan."""

    happens = staticmethod(lambda: None)

    def put_document(self, key, body):
        """Let it happen once."""
        if key.startswith("plans/"):
            happens, self.happens = self.happens, lambda: None
            happens()
        return super().put_document(key, body)


@pytest.fixture
def desk(lake, lake_client, tmp_path):
    """A small export of a clean day."""
    with export_desk(lake, lake_client, tmp_path, config_of(conversations=6)) as laid:
        laid.ports = replace(laid.ports, export=Overtaken(lake_client, laid.ports.export.location))
        yield laid


def night_commits(desk, *records, base=0):
    """Commit what a night found that was planned on this commit, by default before there was one."""
    ports, ids = desk.ports, tuple(sorted({item.conversation_id for item in records}))
    plan = DayPlan(ports.org, DAY, ids)
    ports.lake.put_document(plan.key, plan.body())
    Manifest(ports.org, str(DAY), ids, tuple(sorted(records)), base).write(ports.lake)
    commit_day(ports.lake, ports.org, DAY, [plan.key])


def conversation_in(desk):
    """Return a conversation of which the export has a recording."""
    media = (item.key for item in desk.ports.export.objects("") if not item.key.endswith(".json"))
    return min(key.split("conversation_id=")[1][:36] for key in media)


@pytest.mark.parametrize("moment", ["while_fetching", "before_its_manifest"])
def test_what_a_night_left_open_meanwhile_stays_open(desk, lake_client, moment):
    """The export brought one recording of two; the night said of the other that its URL had expired."""
    desk.write("first")
    one, plain = conversation_in(desk), replace(desk)
    owed = ItemRecord(one, OTHER, 0, Outcome.PENDING, "url_expired", "batch", "HTTP 403")
    if moment == "while_fetching":
        desk.ports.export.happens = lambda: night_commits(plain, owed)
    else:
        lake = OvertakenLake(lake_client, desk.ports.lake.location)
        lake.happens = lambda: night_commits(plain, owed)
        desk.ports = replace(desk.ports, lake=lake)
    desk.ingest()
    state = desk.state()
    assert (OTHER, Outcome.PENDING) in {(item.recording_id, item.outcome) for item in state.items[one]}
    assert Outcome.ARCHIVED in {item.outcome for item in state.items[one]}
    assert one in state.outstanding()
    assert [] == list(verify_lake(desk.ports.lake, Scope(org=desk.ports.org, whole=True)).findings)
    before = desk.objects()
    assert {} == desk.ingest()
    assert before == desk.objects()


def test_what_a_night_leaves_open_that_began_before_stays_open(desk):
    """Its evidence is older by the commit it was planned on, and of what it asks for the export knows a part."""
    desk.write("first")
    ports, one = desk.ports, conversation_in(desk)
    commit_day(ports.lake, ports.org, DAY, [])
    shard = ShardPlan(ports.org, str(DAY), DAY.zone.key, ((one,),), {one: {}}, base_version=1)
    ports.lake.put_document(shard.key, shard.body())
    ports.lake.put_document(DayPlan(ports.org, DAY, (one,)).key, DayPlan(ports.org, DAY, (one,)).body())
    commit_day(ports.lake, ports.org, DAY, [])
    desk.ingest()
    assert one in desk.state().outstanding()
    owed = ItemRecord(one, OTHER, 0, Outcome.PENDING, "url_expired", "batch", "HTTP 403")
    Manifest(ports.org, str(DAY), (one,), (owed,), 1, shard.key).write(ports.lake)
    commit_day(ports.lake, ports.org, DAY, [])
    assert one in desk.state().outstanding()


def test_an_ingest_that_died_before_its_manifest_asked_nobody(desk, lake_client):
    """Its plan stands there without one, and the next takes its place: nothing waits for a night."""
    desk.write("first")
    desk.ingest()
    complete = desk.state().outcomes
    lake = desk.ports.lake
    for key in [key for key in lake.list_keys("") if not key.startswith(("plans/", "media/"))]:
        lake_client.delete_object(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/{key}")
    desk.ingest()
    assert complete == desk.state().outcomes


def test_second_file_of_a_recording_is_owed_though_the_first_is_here(desk, lake_client):
    """The export brings another recording of the call, and once more the file that is here: neither is the second."""
    desk.write("first")
    one, export = conversation_in(desk), desk.ports.export
    key = min(item.key for item in export.objects("") if one in item.key and not item.key.endswith(".json"))
    desk.ingest()
    (here,) = desk.state().items[one]
    owed = ItemRecord(one, here.recording_id, 1, Outcome.PENDING, "url_expired", "batch", "HTTP 403")
    night_commits(desk, here, owed, base=1)
    assert not desk.state().is_complete
    place = {"Bucket": export.location.bucket}
    folder, _, name = f"{export.location.prefix}/{key}".rpartition("/")
    body = export.read(key)
    other = next(item.key for item in export.objects("") if one not in item.key and item.key.endswith(".ogg"))
    lake_client.put_object(**place, Key=f"{folder}/{name[:36]}_again.ogg", Body=body)
    lake_client.put_object(**place, Key=f"{folder}/{OTHER}.ogg", Body=export.read(other))
    assert {"archived": 1, "recognised": 1, "without_metadata": 1} == desk.ingest()
    items = {(item.recording_id, item.part, item.outcome) for item in desk.state().items[one]}
    assert {(here.recording_id, 1, Outcome.PENDING), (OTHER, 0, Outcome.ARCHIVED)} <= items
    assert one in desk.state().outstanding()
