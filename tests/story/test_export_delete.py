"""The gate: of the export goes what is proved to be archived, by version, and nothing else; the journal names it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pysequoia
import pytest

from include.errors import IntegrityError
from include.lake.commit import read_head
from include.lake.export_bucket import ExportBucket
from include.lake.layout import journal_prefix, seals_of
from include.settings import LakeLocation
from include.transfer.export_delete import delete_proved, find_candidates
from include.transfer.export_gate import GatePorts
from include.transfer.verify import Scope, verify_lake
from tests.story.export_desk import NOW, WINDOW, config_of, export_desk
from tests.story.night import DAY, media_keys, remove


@pytest.fixture
def desk(lake, lake_client, tmp_path, versioned_bucket):
    """An export of a clean day in a bucket that keeps versions."""
    with export_desk(lake, lake_client, tmp_path, config_of(conversations=12)) as laid:
        location = LakeLocation(versioned_bucket, f"exports/{uuid4().hex}")
        laid.ports = replace(laid.ports, export=ExportBucket(lake_client, location))
        yield laid


def at_the_gate(desk, now=NOW, **changes):
    """Open the gate once; return what became of the exported recordings."""
    ports = GatePorts(desk.ports.export, desk.ports.lake, desk.ports.settings, desk.ports.org, timedelta(days=7))
    ports = replace(ports, **changes)
    found = find_candidates(ports, WINDOW, now)
    fates = found.fates
    for day, candidates in found.days.items():
        fates = fates + delete_proved(ports, day, candidates)
    return dict(+fates)


def media(desk):
    """Return the recordings that stand in the export."""
    return {item.key for item in desk.ports.export.objects("") if not item.key.endswith(".json")}


def put(desk, client, key, body):
    """Write an object of the export again."""
    location = desk.ports.export.location
    client.put_object(Bucket=location.bucket, Key=f"{location.prefix}/{key}", Body=body)


def told(desk):
    """Return the lines of the journal that the gate wrote."""
    lake = desk.ports.lake
    bodies = [lake.read(key) for key in lake.list_keys(journal_prefix(str(DAY))) if "source-delete" in key]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def test_what_is_proved_goes_and_nothing_else(desk):
    """Conflicts and all metadata stay; each deletion is in the journal twice, anchored; the lake is as it was."""
    desk.write()
    desk.ingest()
    before, kept = media(desk), media_keys(desk.ports.lake)
    documents = {item.key for item in desk.ports.export.objects("")} - before
    conflicts = desk.written.truth().outcomes["conflicting"]
    assert {"deleted": len(before) - conflicts, "other_bytes": conflicts} == at_the_gate(desk)
    assert conflicts == len(media(desk))
    assert documents | media(desk) == {item.key for item in desk.ports.export.objects("")}
    assert kept == media_keys(desk.ports.lake)
    gone = {desk.ports.export.uri(key) for key in before - media(desk)}
    for action in ("source_proved", "source_deleted"):
        lines = [line for line in told(desk) if line["action"] == action]
        assert gone == {line["key"] for line in lines}
        assert all(line["version_id"] and line["sha256"] in line["note"] for line in lines)
    assert [] == desk.findings(deep=True)


def test_no_version_is_left_and_a_second_look_does_nothing(desk):
    """Neither a marker nor an older version; the lake's listing is identical, and so is the next ingest's."""
    desk.write("first")
    desk.ingest()
    assert {"deleted"} == at_the_gate(desk).keys()
    left = {version.key for version in desk.ports.export.versions.list("")}
    assert all(key.endswith(".json") for key in left)
    before = desk.objects()
    assert {} == at_the_gate(desk) == desk.ingest()
    assert before == desk.objects()


@pytest.mark.parametrize("died_before", ["commit", "seal"])
def test_words_of_a_dead_run_are_anchored_and_sealed(desk, died_before):
    """Also where it had deleted everything, so that no candidate leads to its day; and then nothing is written."""
    desk.write("first")
    desk.ingest()
    at_the_gate(desk)
    lake = desk.ports.lake
    newest = read_head(lake, desk.ports.org, DAY)
    gone = [*lake.list_keys(seals_of(str(DAY), newest.version)), *([newest.key] if died_before == "commit" else [])]
    for key in gone:
        remove(lake, key)
    assert {} == at_the_gate(desk)
    assert newest == read_head(lake, desk.ports.org, DAY)
    assert [] == desk.findings()
    before = desk.objects()
    assert {} == at_the_gate(desk)
    assert before == desk.objects()


def test_lost_ledger_after_a_deletion_is_no_news(desk, lake_client):
    """Metadata whose recording is gone are not missed: the lake has it."""
    desk.write("first")
    desk.ingest()
    at_the_gate(desk)
    lake = desk.ports.lake
    for key in list(lake.list_keys("ingest/")):
        lake_client.delete_object(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/{key}")
    outcomes = desk.state().outcomes
    assert desk.ingest().keys() <= {"recognised", "media_missing"}
    assert outcomes == desk.state().outcomes


def test_what_was_not_ingested_stays(desk):
    """Before the ingest nothing goes; what is young waits for its days."""
    desk.write("first")
    count = len(media(desk))
    assert {"not_settled": count} == at_the_gate(desk)
    desk.ingest()
    newest = max(item.stored_at for item in desk.ports.export.objects(""))
    assert {"young": count} == at_the_gate(desk, newest + timedelta(days=6))
    assert count == len(media(desk))
    assert [] == told(desk)


def test_version_that_is_not_alone_stays(desk, lake_client):
    """Deleting the newest would bring an older one to light, which would be ingested as news."""
    desk.write("first")
    desk.ingest()
    one, *_ = sorted(media(desk))
    put(desk, lake_client, one, desk.ports.export.read(one))
    fates = at_the_gate(desk)
    assert 1 == fates["other_versions"]
    assert {one} == media(desk)


def test_bucket_without_versions_keeps_all(lake, lake_client, tmp_path):
    """Nothing would say that what is deleted is what was read."""
    with export_desk(lake, lake_client, tmp_path, config_of(conversations=12)) as desk:
        desk.write("first")
        desk.ingest()
        count = len(media(desk))
        assert {"no_version": count} == at_the_gate(desk)
        assert count == len(media(desk))


def forge(client, place, body, sha256):
    """Put other bytes of that length in parts, with a writer's word that they have this digest: the bucket swears."""
    began = client.create_multipart_upload(
        **place, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT", Metadata={"sha256": sha256}
    )
    upload = {**place, "UploadId": began["UploadId"]}
    part = client.upload_part(**upload, PartNumber=1, Body=body)
    client.complete_multipart_upload(
        **upload, ChecksumType="FULL_OBJECT", MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    )


@pytest.mark.parametrize("harm", ["delete", "alter", "forge"])
def test_day_that_cannot_be_proved_keeps_its_source(desk, lake_client, harm):
    """One copy is gone, or other bytes, or such as only reading tells from it: nothing of its day is deleted."""
    desk.write("first")
    desk.ingest()
    count, lake = len(media(desk)), desk.ports.lake
    key = next(key for key in media_keys(lake) if key.endswith(".ogg"))
    place = {"Bucket": lake.location.bucket, "Key": f"{lake.location.prefix}/{key}"}
    if harm == "delete":
        lake_client.delete_object(**place)
    elif harm == "alter":
        lake_client.put_object(**place, Body=b"x" * len(lake.read(key)))
    else:
        forge(lake_client, place, b"x" * len(lake.read(key)), lake.head(key).sha256)
        assert [] == list(verify_lake(lake, Scope(org=desk.ports.org)).findings)
    with pytest.raises(IntegrityError, match=r"Nothing (of 2026-03-02 )?was deleted"):
        at_the_gate(desk)
    assert count == len(media(desk))
    assert [] == told(desk)


def test_sealed_recordings_stay(desk, lake_client):
    """Archived as they are, and nobody could listen: the source keeps its own."""
    desk.write("first")
    one, *_ = sorted(media(desk))
    secret = pysequoia.Tsk.generate("archive@example.org")
    sealed = pysequoia.encrypt(desk.ports.export.read(one), recipients=[secret.extract_certificate()], armor=False)
    put(desk, lake_client, f"{one}.pgp", sealed)
    lake_client.delete_object(
        Bucket=desk.ports.export.location.bucket, Key=f"{desk.ports.export.location.prefix}/{one}"
    )
    assert 1 == desk.ingest()["sealed"]
    assert 1 == at_the_gate(desk)["sealed"]
    assert {f"{one}.pgp"} == media(desk)


def test_what_the_night_archived_too_may_go(desk):
    """Recognised is as good as archived: the bytes are the same, and that is what is proved."""
    desk.write()
    counts = desk.ingest()
    assert 0 < counts["recognised"]
    assert counts["archived"] + counts["recognised"] == at_the_gate(desk)["deleted"]
