"""A legal hold keeps the source's copy too: the gate leaves it, says why, and lets it go once the hold is lifted."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import boto3
import pytest

from include.errors import NotAuthorised
from include.lake.commit import read_head
from include.lake.export_bucket import ExportBucket
from include.lake.layout import journal_prefix
from include.lake.store import LakeStore, client_config
from include.local_day import ONE_DAY
from include.settings import LakeLocation
from include.transfer.export_delete import delete_proved, find_candidates
from include.transfer.export_gate import GatePorts
from include.transfer.hold import HoldOrder, hold_everywhere
from include.transfer.verify import Scope, verify_lake
from tests.faults.gate import Gate
from tests.story.export_desk import NOW, WINDOW, config_of, export_desk
from tests.story.night import DAY


@pytest.fixture
def desk(lake_client, tmp_path, locking_bucket):
    """An ingested export in a bucket with versions, and a lake that can hold."""
    lake = LakeStore(lake_client, LakeLocation(locking_bucket, f"held/{uuid4().hex}"))
    with export_desk(lake, lake_client, tmp_path, config_of(conversations=6)) as laid:
        source = LakeLocation(locking_bucket, f"exports/{uuid4().hex}")
        laid.ports = replace(laid.ports, export=ExportBucket(lake_client, source))
        laid.write("first")
        laid.ingest()
        yield laid


def at_the_gate(desk, **changes):
    """Open the gate once; return what became of the exported recordings."""
    ports = GatePorts(desk.ports.export, desk.ports.lake, desk.ports.settings, desk.ports.org, timedelta(days=7))
    ports = replace(ports, **changes)
    found = find_candidates(ports, WINDOW, NOW)
    fates = found.fates
    for day, candidates in found.days.items():
        fates = fates + delete_proved(ports, day, candidates)
    return dict(+fates)


def media(desk, conversation_id=""):
    """Return the recordings that stand in the export, of one conversation or of all."""
    keys = {item.key for item in desk.ports.export.objects("") if not item.key.endswith(".json")}
    return {key for key in keys if conversation_id in key}


def one_of(desk):
    """Return a conversation of the export."""
    return min(media(desk)).split("conversation_id=")[1][:36]


def hold(desk, conversation_id, *, on=True):
    """Hold it, or lift the hold."""
    hold_everywhere(desk.ports.lake, HoldOrder(desk.ports.org, DAY, conversation_id, "litigation", "counsel", on))


def told(desk, action):
    """Return the lines of the gate's journal with this word."""
    lake = desk.ports.lake
    bodies = [lake.read(key) for key in lake.list_keys(journal_prefix(str(DAY))) if "source-delete" in key]
    return [line for body in bodies for line in map(json.loads, body.splitlines()) if line["action"] == action]


def findings(desk):
    """Return what an auditor finds wrong with the day."""
    return list(verify_lake(desk.ports.lake, Scope((str(DAY),), desk.ports.org)).findings)


def test_held_conversation_stays_at_the_source(desk, caplog):
    """All others go; log and journal name it and why, once, and the next gate writes nothing."""
    one = one_of(desk)
    hold(desk, one)
    kept, total = media(desk, one), len(media(desk))
    assert {"legal_hold": len(kept), "deleted": total - len(kept)} == at_the_gate(desk)
    assert kept == media(desk)
    lines = told(desk, "source_kept")
    assert {desk.ports.export.uri(key) for key in kept} == {line["key"] for line in lines}
    assert {(one, "legal_hold")} == {(line["conversation_id"], line["reason"]) for line in lines}
    assert not {line["key"] for line in lines} & {line["key"] for line in told(desk, "source_proved")}
    assert f"conversation={one} kept={len(kept)} reason=legal_hold" in caplog.text
    assert [] == findings(desk)
    before = desk.objects()
    assert {"legal_hold": len(kept)} == at_the_gate(desk)
    assert before == desk.objects()


def test_released_it_goes(desk):
    """The hold is the only thing that kept it."""
    one = one_of(desk)
    hold(desk, one)
    at_the_gate(desk)
    kept = media(desk)
    hold(desk, one, on=False)
    assert {"deleted": len(kept)} == at_the_gate(desk)
    assert set() == media(desk)
    assert {desk.ports.export.uri(key) for key in kept} <= {line["key"] for line in told(desk, "source_deleted")}
    assert [] == findings(desk)


def test_one_held_version_holds_the_conversation(desk):
    """Of a recording that came after the hold was set nothing is held, and its conversation is."""
    lake, one = desk.ports.lake, one_of(desk)
    place = f"media/org={desk.ports.org}/date={DAY}/conversation={one}/"
    lake.versions.hold(min(lake.versions.list(place)), on=True)
    at_the_gate(desk)
    assert media(desk) == media(desk, one) != set()


@pytest.mark.parametrize("shift", [-1, 1])
def test_hold_of_the_day_beside_keeps_it_too(desk, shift):
    """A call may lie on two days: what is held of it there was there first, and nothing of it here is held itself."""
    lake, one = desk.ports.lake, one_of(desk)
    beside = f"media/org={desk.ports.org}/date={DAY.date + shift * ONE_DAY}/conversation={one}/recording={one}/"
    lake.put_document(f"{beside}0-{'ab' * 32}.wav", b"of another hour")
    lake.versions.hold(next(lake.versions.list(beside)), on=True)
    at_the_gate(desk)
    assert media(desk) == media(desk, one) != set()


class Between(Gate):
    """Lies between the gate and a bucket; ``before`` sees each request first and may answer it."""

    def __init__(self, upstream_url, before):
        super().__init__(upstream_url)
        self._before = before

    def _pass(self, client, request):
        method, target, _ = request.partition(b"\r\n")[0].decode().split(" ")
        answer = self._before(method, target)
        if answer is None:
            super()._pass(client, request)
        else:
            client.sendall(answer)


@contextmanager
def reached_through(store, before):
    """Return a client whose every request passes by ``before``."""
    with Between(store.endpoint_url, before) as door:
        keys = {"aws_access_key_id": store.access_key, "aws_secret_access_key": store.secret_key}
        client = boto3.client("s3", endpoint_url=door.url, region_name=store.region, config=client_config(), **keys)
        yield client
        client.close()


def test_hold_that_is_placed_while_it_deletes(desk, object_store):
    """The first deletion is under way when the hold comes: the conversation whose turn is last is asked for again."""
    last = max(media(desk)).split("conversation_id=")[1][:36]
    kept, deletions = media(desk, last), []

    def before(method, target):
        if method == "DELETE":
            if not deletions:
                hold(desk, last)
            deletions.append(target)

    with reached_through(object_store, before) as client:
        fates = at_the_gate(desk, source=ExportBucket(client, desk.ports.export.location))
    assert {"legal_hold": len(kept), "deleted": len(deletions)} == fates
    assert kept == media(desk)
    named = {desk.ports.export.uri(key) for key in kept}
    assert (
        named
        == {line["key"] for line in told(desk, "source_kept")}
        <= {line["key"] for line in told(desk, "source_proved")}
    )
    assert not named & {line["key"] for line in told(desk, "source_deleted")}
    assert [] == findings(desk)
    hold(desk, last, on=False)
    assert {"deleted": len(kept)} == at_the_gate(desk)


def test_role_that_cannot_see_holds_deletes_nothing(desk, object_store):
    """Nobody can say then that there is none."""
    body = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    refusal = b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    before, lake = media(desk), desk.ports.lake
    with reached_through(object_store, lambda _, target: refusal if "legal-hold" in target else None) as client:
        seen = LakeStore(client, lake.location)
        with pytest.raises(NotAuthorised):
            at_the_gate(desk, lake=seen)
    assert before == media(desk)
    assert [] == told(desk, "source_proved")


def test_word_of_a_dead_run_is_anchored(desk, object_store):
    """It died between its word and the commit that anchors it: the next one says nothing twice, and anchors it."""
    one = one_of(desk)
    hold(desk, one)
    kept, lake = media(desk, one), desk.ports.lake
    refusal = b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

    def before(method, target):
        return refusal if method == "PUT" and "/commits/" in target else None

    with reached_through(object_store, before) as client, pytest.raises(NotAuthorised):
        at_the_gate(desk, lake=LakeStore(client, lake.location))
    assert len(kept) == len(told(desk, "source_kept"))
    assert {"legal_hold"} < at_the_gate(desk).keys()
    assert len(kept) == len(told(desk, "source_kept"))
    segments = {key for key in lake.list_keys(journal_prefix(str(DAY))) if "source-delete" in key}
    assert segments <= {segment.key for segment in read_head(lake, desk.ports.org, DAY).journal}
    assert [] == findings(desk)
