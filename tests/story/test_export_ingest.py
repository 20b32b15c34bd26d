"""The native export: what it wrote is in the lake by the same identity, once, and every irregularity is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pysequoia
import pytest

from include.errors import ConfigurationError
from include.lake.key_reading import MediaKey
from include.lake.layout import conversation_prefix, quarantine_prefix
from include.lake.tombstone import Tombstone
from include.outcome import Outcome
from include.transfer.day_report import is_measured
from include.transfer.export_listing import has_news
from include.transfer.export_sealed import Unsealer
from include.transfer.export_settings import ExportSettings
from tests.story.export_desk import NOW, WINDOW, config_of, export_desk
from tests.story.night import DAY, everything_in, media_keys, night


@pytest.fixture
def desk(lake, lake_client, tmp_path):
    """A small export of a clean day."""
    with export_desk(lake, lake_client, tmp_path) as laid:
        yield laid


def expected(truth):
    """Return what an honest ingest counts, from the sandbox's truth."""
    return {
        "archived": truth.outcomes["archived"],
        "recognised": truth.outcomes["duplicate"],
        "conflicting": truth.outcomes["conflicting"],
        "without_metadata": truth.classes["missing_metadata"],
    }


def test_counts_by_class_are_the_truth(desk):
    """Late, duplicate, missing metadata, conflicting: each counted as what it is, in two waves."""
    truth = desk.written.truth()
    assert {"ordinary", "late", "duplicate", "missing_metadata", "conflicting"} == truth.classes.keys()
    desk.write("first")
    first = desk.ingest()
    desk.write("late")
    second = desk.ingest()
    assert expected(truth) == {name: (first + second)[name] for name in expected(truth)}
    assert [] == desk.findings(deep=True)
    assert 0 < second["archived"]


def test_second_run_writes_nothing(desk):
    """The listing of the lake is identical, times included."""
    desk.write()
    desk.ingest()
    before = desk.objects()
    assert {} == desk.ingest()
    assert before == desk.objects()


def test_lost_ledger_copies_nothing(desk, lake_client):
    """Without what is remembered everything is looked at again, recognised, and no news."""
    desk.write("first")
    desk.ingest()
    lake = desk.ports.lake
    before = [entry for entry in desk.objects() if not entry[0].startswith("ingest/")]
    for key in list(lake.list_keys("ingest/")):
        lake_client.delete_object(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/{key}")
    assert desk.ingest().keys() <= {"recognised", "media_missing"}
    assert before == [entry for entry in desk.objects() if not entry[0].startswith("ingest/")]


def test_metadata_are_awaited(desk):
    """A recording without its metadata waits as long as they may still come."""
    desk.write("first")
    patient = replace(desk.ports.export_settings, export_patience_seconds=3600.0)
    desk.ports = replace(desk.ports, export_settings=patient)
    soon = next(desk.ports.export.objects("")).stored_at + timedelta(minutes=1)
    counts = desk.ingest(soon)
    truth = desk.written.truth()
    halves = sum(1 for item in desk.ports.export.objects("") if "_metadata" in item.key)
    assert truth.classes["missing_metadata"] <= counts["waiting"]
    assert counts["archived"] + counts["waiting"] >= halves
    assert 0 == counts["without_metadata"]
    later = desk.ingest(NOW)
    assert truth.classes["missing_metadata"] == later["without_metadata"]


def test_facts_of_the_export_stand_beside_the_recording(desk):
    """Number, agent and queue come from the export's own metadata, and the origin says which way they came."""
    desk.write("first")
    desk.ingest()
    lake = desk.ports.lake
    keys = [MediaKey.parse(key) for key in lake.list_keys("media/")]
    assert {(desk.ports.org, "2026-03-02", 0)} == {(k.identity.org, k.identity.date, k.identity.part) for k in keys}
    documents = [lake.read(key) for key in lake.list_keys("media/") if key.endswith(".metadata.json")]
    assert all(b'"kind":"native_export"' in body for body in documents)
    named = [body for body in documents if b'"ani":"' in body]
    assert len(documents) - desk.written.truth().classes["missing_metadata"] == len(named)


def test_conflict_is_named_with_both_places(desk):
    """The other bytes are in quarantine under their reason, and the day is open until somebody has looked."""
    desk.write()
    desk.ingest()
    state = desk.state()
    conflicts = [item for items in state.items.values() for item in items if item.outcome is Outcome.QUARANTINED]
    assert desk.written.truth().outcomes["conflicting"] == len(conflicts)
    assert {"export_conflict"} == {item.reason for item in conflicts}
    assert all(desk.ports.lake.head(item.key) for item in conflicts)
    assert not state.is_complete


def test_object_written_again_is_looked_at_again(desk, lake_client):
    """A key that is settled is new with other bytes: a watermark by key or by hour would never see it."""
    desk.write("first")
    desk.ingest()
    export = desk.ports.export
    one, other = [item for item in export.objects("") if item.key.endswith(".ogg")][:2]
    key = f"{export.location.prefix}/{one.key}"
    lake_client.put_object(Bucket=export.location.bucket, Key=key, Body=export.read(other.key))
    assert {"conflicting": 1} == desk.ingest()


def test_damage_is_quarantined_as_by_the_night(lake, lake_client, tmp_path):
    """The same checks: what no player would open is not archived because it came by another way."""
    with export_desk(lake, lake_client, tmp_path, config_of(scenario="rough", conversations=70)) as desk:
        desk.write()
        counts = desk.ingest()
        truth = desk.written.truth()
        assert truth.outcomes["quarantined"] == counts["quarantined"] > 0
        assert truth.outcomes["archived"] == counts["archived"]
        assert truth.outcomes["not_selected"] == counts["not_selected"]


def test_today_waits_for_its_end(desk):
    """A day is judged as a whole, so nothing of one that is not over is taken."""
    desk.write("first")
    counts = desk.ingest(DAY.end - timedelta(hours=1))
    assert {"waiting"} == counts.keys()
    assert [] == desk.objects()


def test_metadata_of_a_whole_conversation_are_settled_beside_their_own(desk, lake_client):
    """A document of the conversation, where each recording has its own as well, is not news for ever."""
    desk.write("first")
    desk.ingest()
    export = desk.ports.export
    folder = min(item.key for item in export.objects("") if item.key.endswith(".json")).rpartition("/")[0]
    one = folder.partition("conversation_id=")[2]
    key = f"{export.location.prefix}/{folder}/{one}_metadata.json"
    lake_client.put_object(Bucket=export.location.bucket, Key=key, Body=b"{}")
    before = [entry for entry in desk.objects() if not entry[0].startswith("ingest/")]
    assert {} == desk.ingest()
    assert not has_news(export, desk.ports.lake, desk.ports.org, WINDOW)
    assert before == [entry for entry in desk.objects() if not entry[0].startswith("ingest/")]


def test_server_copies_what_its_checksum_proves(desk, lake_client):
    """Half of the export has a SHA-256 of its bucket's: the copies have it too, with our type and no second writer."""
    desk.write("first")
    lake, export = desk.ports.lake, desk.ports.export
    item = next(item for item in export.objects("") if not item.key.endswith(".json") and export.sha256(item.key))
    sha256 = export.sha256(item.key)
    source = export.copy_source(item, sha256)
    put = lake.copy_if_absent("media/copied", source, bytes_=item.bytes, sha256=sha256, media_type="audio/wav")
    assert (True, sha256, item.bytes) == (put.created, put.stored.sha256, put.stored.bytes)
    again = lake.copy_if_absent("media/copied", source, bytes_=item.bytes, sha256=sha256, media_type="audio/wav")
    assert not again.created
    kept = lake_client.head_object(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/media/copied")
    assert "audio/wav" == kept["ContentType"]


def test_server_copies_only_the_object_that_was_read(desk):
    """Written again in between, without a checksum, or of other bytes: nothing is copied, and the caller sends."""
    desk.write("first")
    lake, export = desk.ports.lake, desk.ports.export
    media = [item for item in export.objects("") if not item.key.endswith(".json")]
    item = next(item for item in media if export.sha256(item.key))
    stale = replace(export.copy_source(item, export.sha256(item.key)), etag='"0123"')
    facts = {"bytes_": item.bytes, "sha256": export.sha256(item.key), "media_type": "audio/wav"}
    assert None is lake.copy_if_absent("media/stale", stale, **facts)
    assert None is lake.head("media/stale")
    assert None is export.copy_source(next(item for item in media if not export.sha256(item.key)), "0" * 64)


def test_erased_conversation_is_not_brought_back(desk):
    """A tombstone holds against the export too; its objects are settled and never archived."""
    desk.write("first")
    lake = desk.ports.lake
    one = min(item.key.split("conversation_id=")[1][:36] for item in desk.ports.export.objects(""))
    stone = Tombstone(desk.ports.org, str(DAY), one, "request", "Art. 17", "somebody", NOW.isoformat(), ())
    lake.put_document(stone.key, stone.body())
    assert 1 == desk.ingest()["erased"]
    assert [] == list(lake.list_keys(conversation_prefix(desk.ports.org, str(DAY), one)))


def test_recordings_of_the_night_are_recognised(lake, lake_client, tmp_path):
    """What the batch jobs archived is neither copied nor committed again, and both ways make one balance."""
    with night(lake, tmp_path / "night", scenario="clean", conversations=12, seed=7) as it:
        _, state = it.run()
        config = it.box.world.config
    before = everything_in(lake)
    with export_desk(lake, lake_client, tmp_path, config) as desk:
        desk.write("first")
        assert {"recognised"} == desk.ingest().keys()
        assert state.outcomes == desk.state().outcomes
    assert before == {key: value for key, value in everything_in(lake).items() if not key.startswith("ingest/")}


def test_day_of_both_ways_is_one_balance(lake, lake_client, tmp_path):
    """Half of a day came by the export, the night brings the rest; what both have is there once, conflicts are named.

    The export's last word is that some recordings are others than those that the night archived.
    """
    config = {"scenario": "clean", "conversations": 20, "seed": 11}
    with (
        night(lake, tmp_path / "night", **config) as it,
        export_desk(lake, lake_client, tmp_path, it.box.world.config) as desk,
    ):
        desk.write("first")
        for item in list(desk.ports.export.objects(""))[::2]:
            lake_client.delete_object(
                Bucket=lake.location.bucket, Key=f"{desk.ports.export.location.prefix}/{item.key}"
            )
        by_export = desk.ingest()["archived"]
        assert not is_measured(lake, desk.ports.org, DAY)
        _, state = it.run()
        assert is_measured(lake, desk.ports.org, DAY)
        archived = [item for items in state.items.values() for item in items if item.outcome is Outcome.ARCHIVED]
        assert 0 < by_export < len(archived) == len({item.key for item in archived})
        assert {"archived"} == state.summary()["recordings"].keys()
        assert state.is_complete
        before = media_keys(lake)
        desk.write()
        counts = desk.ingest()
        truth = desk.written.truth().outcomes
        assert truth["conflicting"] == counts["conflicting"] > 0
        assert 0 == counts["archived"]
        assert before == media_keys(lake)
        conflicts = {"archived": len(archived), "quarantined": truth["conflicting"]}
        assert conflicts == desk.state().summary()["recordings"]
        assert truth["conflicting"] == len(list(lake.list_keys(quarantine_prefix(str(DAY)))))


def test_conflict_is_settled_by_bytes_alone(lake, lake_client, tmp_path):
    """The night fetches what contradicts itself, though the lake has as many parts of it as the job: both are kept."""
    with (
        night(lake, tmp_path / "night", scenario="clean", conversations=12, seed=11) as it,
        export_desk(lake, lake_client, tmp_path, it.box.world.config) as desk,
    ):
        desk.write("first")
        one, other = sorted(item.key for item in desk.ports.export.objects("") if item.key.endswith(".ogg"))[:2]
        root, true = f"{desk.ports.export.location.prefix}/", desk.ports.export.read(one)
        bucket = desk.ports.export.location.bucket
        lake_client.put_object(Bucket=bucket, Key=root + one, Body=desk.ports.export.read(other))
        desk.ingest()  # the first bytes that came are taken for the recording
        lake_client.put_object(Bucket=bucket, Key=root + one, Body=true)
        assert {"conflicting": 1} == desk.ingest()
        assert not desk.state().is_complete
        _, state = it.run()
        assert state.is_complete
        assert 1 == len([path for path in it.downloads() if one.rpartition("/")[2][:36] in path])
        bodies = [lake.read(key) for key in media_keys(lake) if one.rpartition("/")[2][:36] in key]
        assert 2 == len(bodies)
        assert true in bodies


def only_sealed(desk, client, recipient):
    """Leave of the export one recording, encrypted, with its metadata; return what was sealed and the envelope."""
    export = desk.ports.export
    desk.write("first")
    item = next(item for item in export.objects("") if item.key.endswith(".ogg"))
    plain = export.read(item.key)
    sealed = pysequoia.encrypt(plain, recipients=[recipient.extract_certificate()], armor=False)
    bucket, root = export.location.bucket, f"{export.location.prefix}/"
    for entry in list(export.objects("")):
        if entry.key != f"{item.key.rpartition('.')[0]}_metadata.json":
            client.delete_object(Bucket=bucket, Key=root + entry.key)
    client.put_object(Bucket=bucket, Key=f"{root}{item.key}.pgp", Body=sealed)
    return plain, sealed


def given_key(desk, key, path):
    """Configure a key."""
    path.write_bytes(bytes(key))
    given = replace(desk.ports.export_settings, export_pgp_key_file=str(path))
    desk.ports = replace(desk.ports, export_settings=given, unsealer=Unsealer(given))


@pytest.mark.parametrize(("with_key", "seen"), [(True, "archived"), (False, "sealed")])
def test_sealed_recordings(desk, lake_client, tmp_path, with_key, seen):
    """With the key what is inside is archived as if it had come open; without, the envelope, and it says so."""
    secret = pysequoia.Tsk.generate("archive@example.org")
    plain, sealed = only_sealed(desk, lake_client, secret)
    if with_key:
        given_key(desk, secret, tmp_path / "key.pgp")
    assert {seen: 1} == desk.ingest()
    (key,) = media_keys(desk.ports.lake)
    assert (plain if with_key else sealed) == desk.ports.lake.read(key)
    assert key.endswith(".ogg" if with_key else ".pgp")


def test_envelope_for_somebody_else_is_quarantined(desk, lake_client, tmp_path):
    """A wrong key opens nothing: the envelope is kept as evidence under its reason."""
    only_sealed(desk, lake_client, pysequoia.Tsk.generate("them"))
    given_key(desk, pysequoia.Tsk.generate("us"), tmp_path / "key.pgp")
    assert {"quarantined": 1} == desk.ingest()
    (record,) = [item for items in desk.state().items.values() for item in items]
    assert "export_seal_unopened" == record.reason


def test_public_key_is_refused(tmp_path):
    """It opens nothing: said before anything is fetched."""
    (tmp_path / "public.pgp").write_bytes(bytes(pysequoia.Tsk.generate("us").extract_certificate()))
    with pytest.raises(ConfigurationError, match="PGP_KEY_FILE"):
        Unsealer(ExportSettings(export_pgp_key_file=str(tmp_path / "public.pgp")))
