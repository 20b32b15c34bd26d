"""The catalog of a day: a row for each archived part, built again byte for byte, never in the way of the proof."""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pyarrow.parquet as pq
import pytest

from include.errors import IntegrityError
from include.lake import layout
from include.lake.catalog_schema import COLUMNS
from include.lake.manifest import Manifest
from include.lake.store import LakeStore
from include.local_day import LocalDay
from include.outcome import ItemRecord, Outcome
from include.settings import LakeLocation
from include.transfer.catalog import catalog_day
from include.transfer.day import commit_day
from tests.story.night import DAY, ZONE, Night, audio_of, everything_in, night, remove

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from demo.object_store import ObjectStore
    from include.transfer.catalog import Catalogued

KEY = layout.catalog_key(str(DAY))
MANIFEST_KEY = layout.catalog_manifest_key(str(DAY))


@pytest.fixture(scope="module")
def archived(object_store: ObjectStore, lake_client: S3Client, tmp_path_factory) -> Iterator[Night]:
    """Archive a night once; each test builds its catalog anew."""
    lake = LakeStore(lake_client, LakeLocation(object_store.bucket, f"tests/{uuid4().hex}"))
    with night(lake, tmp_path_factory.mktemp("catalog"), conversations=40) as tonight:
        tonight.run()
        yield tonight


def catalog(tonight: Night, *, rebuild: bool = False) -> Catalogued:
    """Bring the night's catalog up to its commit."""
    return catalog_day(tonight.lake, tonight.box.org_id, DAY, rebuild=rebuild)


def table_of(lake: LakeStore) -> list[dict]:
    """Return the rows of the night's partition."""
    return pq.read_table(io.BytesIO(lake.read(KEY))).to_pylist()


def put(lake: LakeStore, key: str, body: bytes) -> None:
    """Put an object as somebody else would: unconditionally."""
    lake._client.put_object(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/{key}", Body=body)


def times(lake: LakeStore) -> dict[str, object]:
    """Return when each object of the lake was last written, by the listing in full precision."""
    return {entry["Key"]: (entry["LastModified"], entry["ETag"]) for entry in lake._listing("")}


def test_every_archived_part_has_its_row(archived: Night) -> None:
    """Conversation, recording and SHA-256 of the rows are those of the sandbox's own truth, sorted, none twice."""
    catalog(archived)
    rows = table_of(archived.lake)
    places = [(row["conversation_id"], row["recording_id"], row["part"]) for row in rows]
    assert audio_of(archived.box) == {(row["conversation_id"], row["recording_id"], row["sha256"]) for row in rows}
    assert sorted(set(places)) == places


def test_rows_say_what_the_metadata_says(archived: Night) -> None:
    """Every column of every row against the document beside the recording, and the bucket's own word."""
    catalog(archived)
    stored = dict(archived.lake.stored_times("media/"))
    for row in table_of(archived.lake):
        document = json.loads(archived.lake.read(row["metadata_key"]))
        facts, media, source = document["conversation"], document["media"], document["source"]
        for name in ("ani", "ani_e164", "ani_raw", "dnis", "dnis_e164", "dnis_raw", "direction", "external_tag"):
            assert facts[name] == row[name]
        for name in ("agents", "queues", "wrap_up_codes", "wrap_up_tags", "division_ids", "media_types"):
            assert facts[name] == row[name]
        for name in ("bytes", "sha256", "key", "media_type", "codec", "channels", "sample_rate_hz"):
            assert media.get(name) == row[name]
        assert facts["duration_milliseconds"] == row["conversation_milliseconds"]
        assert media["duration_milliseconds"] == row["duration_milliseconds"]
        assert ("batch", source["job_id"], "127.0.0.1") == (row["source"], row["job_id"], row["url_host"])
        assert row["requested_at"] <= row["acquired_at"]
        assert datetime.fromisoformat(source["acquired_at"]) == row["acquired_at"]
        assert stored[row["key"]] == row["stored_at"]
        assert (["wrap_up_notes"], []) == (row["pii_dropped"], row["wrap_up_notes"])
        assert {column.name for column in COLUMNS} == row.keys()


def test_catalog_names_its_commit_and_nothing_names_the_hour(archived: Night) -> None:
    """The footer and the manifest beside the table name the commit; the partition holds one object."""
    done = catalog(archived)
    head = archived.lake.read(done.manifest.commit_key)
    footer = pq.read_metadata(io.BytesIO(archived.lake.read(KEY)))
    assert layout.commit_key(str(DAY), 1) == done.manifest.commit_key == footer.metadata[b"commit_key"].decode()
    assert done.manifest.commit_sha256 == footer.metadata[b"commit_sha256"].decode()
    assert json.loads(head)["summary"]["recordings"]["archived"] == done.manifest.rows == footer.num_rows
    assert [KEY] == list(archived.lake.list_keys("catalog/recordings/"))
    assert {"zstandard", "zstd"} & {footer.row_group(0).column(0).compression.lower()}
    assert ("conversation_id", 3) == (COLUMNS[footer.row_group(0).sorting_columns[0].column_index].name, 3)


def test_second_time_writes_nothing(archived: Night) -> None:
    """Neither by the task nor by the command: no object of the lake has a new time."""
    catalog(archived)
    before = times(archived.lake)
    assert (False, False) == (catalog(archived).written, catalog(archived, rebuild=True).written)
    assert before == times(archived.lake)


@pytest.mark.parametrize("what", ["deleted", "corrupted", "manifest-deleted", "manifest-corrupted", "both-deleted"])
def test_rebuilt_byte_for_byte(archived: Night, what: str) -> None:
    """Whatever became of the cache, the rest of the lake gives it back, to the task as to the command."""
    catalog(archived)
    before = everything_in(archived.lake)
    for rebuild in (False, True):
        for key in (KEY, MANIFEST_KEY):
            if what in {"both-deleted", "deleted" if key == KEY else "manifest-deleted"}:
                remove(archived.lake, key)
            if what == ("corrupted" if key == KEY else "manifest-corrupted"):
                put(archived.lake, key, b"[1]")
        assert catalog(archived, rebuild=rebuild).written
        assert before == everything_in(archived.lake)


def test_stranger_in_the_partition_is_named(archived: Night) -> None:
    """A second object there is counted by every query, so the task says so; it deletes nothing."""
    catalog(archived)
    stray = f"{layout.catalog_partition(str(DAY))}copy.parquet"
    put(archived.lake, stray, b"PAR1")
    try:
        done = catalog(archived)
        assert ((stray,), True) == (done.strangers, stray in done.sentence())
    finally:
        remove(archived.lake, stray)
    assert () == catalog(archived).strangers


def test_altered_metadata_stops_the_catalog(archived: Night) -> None:
    """A row is made of what the manifest pinned, or of nothing; what stands there stays."""
    catalog(archived)
    row = table_of(archived.lake)[0]
    original, before = archived.lake.read(row["metadata_key"]), archived.lake.read(KEY)
    put(archived.lake, row["metadata_key"], original.replace(b"inbound", b"outbound") + b" ")
    try:
        with pytest.raises(IntegrityError, match="is not the metadata that the manifest names"):
            catalog(archived, rebuild=True)
    finally:
        put(archived.lake, row["metadata_key"], original)
    assert before == archived.lake.read(KEY)


def test_day_without_a_commit_has_no_partition(lake: LakeStore) -> None:
    """Nothing was said of it, so nothing is written."""
    with pytest.raises(IntegrityError, match="2026-03-02 was never committed"):
        catalog_day(lake, "org", DAY)
    assert [] == list(lake.list_keys(""))


def test_empty_day_has_an_empty_partition(lake: LakeStore) -> None:
    """A day on which nothing was archived is told apart from one that was never looked at."""
    quiet = LocalDay(date(2026, 3, 1), ZONE)
    commit_day(lake, "org-1", quiet, [])
    done = catalog_day(lake, "org-1", quiet)
    table = pq.read_table(io.BytesIO(lake.read(done.manifest.key)))
    assert (0, 0, [column.name for column in COLUMNS]) == (done.manifest.rows, table.num_rows, table.column_names)


def test_part_that_is_lost_or_excluded_has_no_row(lake: LakeStore, tmp_path: Path) -> None:
    """A part that somebody deleted leaves the catalog at once, without a new commit; exclusions never enter it."""
    with night(lake, tmp_path) as tonight:
        _, state = tonight.run()
        classes = Counter(item.outcome for items in state.items.values() for item in items)
        assert classes[Outcome.ARCHIVED] == catalog(tonight).manifest.rows < classes.total()
        lost = table_of(lake)[0]
        remove(lake, lost["key"])
        done = catalog(tonight)
        assert (True, classes[Outcome.ARCHIVED] - 1) == (done.written, done.manifest.rows)
        assert lost["sha256"] not in {row["sha256"] for row in table_of(lake)}


def test_conversation_with_a_tombstone_has_no_row(archived: Night) -> None:
    """From the moment that the tombstone stands, before any commit names it."""
    catalog(archived)
    row = table_of(archived.lake)[0]
    key = layout.tombstone_key(str(DAY), row["conversation_id"], "0" * 64)
    put(archived.lake, key, b"{}")
    try:
        assert catalog(archived).written
        assert row["conversation_id"] not in {item["conversation_id"] for item in table_of(archived.lake)}
    finally:
        remove(archived.lake, key)
    assert row in (catalog(archived) and table_of(archived.lake))


def test_later_commit_replaces_the_partition(lake: LakeStore, tmp_path: Path) -> None:
    """What a new commit adds is in the same single object, and the manifest names the new commit."""
    with night(lake, tmp_path) as tonight:
        tonight.run()
        first = catalog(tonight)
        ids = (str(uuid4()),)
        Manifest(
            tonight.box.org_id, str(DAY), ids, (ItemRecord(*ids, "", 0, Outcome.NO_RECORDING, "none_known"),)
        ).write(lake)
        commit_day(lake, tonight.box.org_id, DAY, [])
        second = catalog(tonight)
    assert (True, first.manifest.rows) == (second.written, second.manifest.rows)
    assert layout.commit_key(str(DAY), 2) == second.manifest.commit_key
    assert [KEY] == list(lake.list_keys("catalog/recordings/"))


def test_documents_of_an_earlier_version_have_rows(archived: Night) -> None:
    """What they do not say is null or empty: no E.164, no way, no policy."""
    from include.transfer.catalog_row import catalog_row  # noqa: PLC0415 - used here alone

    catalog(archived)
    document = json.loads(archived.lake.read(table_of(archived.lake)[0]["metadata_key"]))
    for name in ("ani_e164", "dnis_e164", "pii", "wrap_up_notes", "duration_milliseconds"):
        del document["conversation"][name]
    for name in ("kind", "requested_at"):
        del document["source"][name]
    item = replace(ItemRecord("c", "r", 0, Outcome.ARCHIVED), key="k", sha256="0" * 64)
    row = catalog_row(item, document, datetime(2026, 3, 3, tzinfo=UTC))
    assert ("batch", None, None, [], []) == (
        row["source"], row["ani_e164"], row["requested_at"], row["pii_dropped"], row["wrap_up_notes"],
    )  # fmt: skip
    assert row["conversation_milliseconds"] > 0
