"""The fault matrix of metadata and audio, where a bundle's members become recordings (rows M1 to M4, M10, M12, M13)."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from include.errors import IntegrityError
from include.lake.layout import MediaIdentity, media_key
from tests.story.desk import (
    ORG,
    Desk,
    audio,
    brief,
    conversation,
    index,
    path,
    recording_of,
    row,
    sha256,
    zipped,
)
from tests.story.night import DAY
from tests.story.shelf import recording

if TYPE_CHECKING:
    from include.outcome import ItemRecord

TRUTH = json.loads(index(row(1, path(1)), row(2, path(2))))
ROWS = json.dumps(TRUTH["recordings"])
TWICE = json.dumps(TRUTH).replace('"fileName"', '"fileName": "stray.wav", "fileName"')

BROKEN = {
    "missing": {},
    "two": {"metadata.json": json.dumps(TRUTH).encode(), "index.json": json.dumps(TRUTH).encode()},
    "two-that-disagree": {
        "metadata.json": json.dumps(TRUTH).encode(),
        "index.json": index(row(2, path(1)), row(1, path(2)), row(2, "nowhere.wav")),
    },
    "malformed": {"metadata.json": json.dumps(TRUTH).encode()[:-1]},
    "empty": {"metadata.json": b""},
    "byte-order-mark": {"metadata.json": b"\xef\xbb\xbf" + json.dumps(TRUTH).encode()},
    "utf-16": {"metadata.json": json.dumps(TRUTH).encode("utf-16")},
    "latin-1": {"metadata.json": json.dumps(TRUTH | {"x": "\u00e9"}, ensure_ascii=False).encode("latin-1")},
    "key-twice": {"metadata.json": TWICE.encode()},
    "not-a-number": {"metadata.json": json.dumps(TRUTH | {"x": float("nan")}).encode()},
    "deep": {"metadata.json": b"[" * 200_000},
    "deep-beside-the-rows": {"metadata.json": b'{"recordings": ' + ROWS.encode() + b', "x": ' + b"[" * 9000 + b"}"},
    "number-of-a-million-digits": {"metadata.json": b'{"recordings": [' + b"9" * 1_000_000 + b"]}"},
    "types": {"metadata.json": b'{"recordings": [null, 1, "x", {"conversationId": 1, "fileName": []}]}'},
    "xml-bomb": {"metadata.json": b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><a>&b;</a>'},
}


def known(table: Desk, *numbers: int) -> None:
    """Let the source know of exactly these recordings."""
    for number in numbers:
        table.source.recordings[conversation(number)] = (recording(conversation(number), recording_of(number)),)


def archived(number: int) -> tuple[str, str, str, str]:
    """Return the record of an archived recording, in brief."""
    return (conversation(number), recording_of(number), "archived", "")


def document_of(table: Desk, item: ItemRecord) -> dict:
    """Return the metadata of an archived recording."""
    return json.loads(table.lake.read(item.metadata_key))


@pytest.mark.parametrize("extra", BROKEN.values(), ids=BROKEN)
def test_broken_index_never_costs_the_audio(table: Desk, extra: dict[str, bytes]) -> None:
    """M1: missing, two of them, malformed, any encoding, a key twice, too deep: the audio goes where its path says."""
    known(table, 1, 2)
    items = table.deliver(table.bundle(zipped({path(1): audio(1), path(2): audio(2)} | extra)), numbers=(1, 2))
    assert {archived(1), archived(2)} <= brief(items)
    assert {sha256(audio(1)), sha256(audio(2))} == table.stored().keys()
    for item in items:
        assert item.conversation_id in item.key
        assert {"conversation_id": item.conversation_id}.items() <= document_of(table, item).items()


def test_index_that_says_two_things_assigns_nothing(table: Desk) -> None:
    """M1: a file with two owners in one object goes to neither, whichever of the two a parser would have heard."""
    double = json.dumps({"recordings": [row(1, "a.wav")]}).replace(
        '"conversationId"', f'"conversationId": "{conversation(2)}", "conversationId"'
    )
    known(table, 1, 2)
    items = table.deliver(table.bundle(zipped({"a.wav": audio(1), "metadata.json": double.encode()})), numbers=(1, 2))
    assert {(conversation(n), recording_of(n), "pending", "not_in_result") for n in (1, 2)} == brief(items)
    assert "reason=unmapped" in table.quarantined()[sha256(audio(1))]


def test_index_that_stands_for_nothing_is_kept(table: Desk) -> None:
    """M1: what cannot be read is quarantined as it came, so that it can be looked at."""
    known(table, 1)
    table.deliver(table.bundle(zipped({path(1): audio(1), "metadata.json": b"{broken"})), numbers=(1,))
    assert "reason=unmapped" in table.quarantined()[sha256(b"{broken")]


def test_swapped_pair_is_filed_under_neither(table: Desk) -> None:
    """M3: the index gives each call's file to the other one: neither audio is archived under anybody's name."""
    known(table, 1, 2)
    members = {path(1): audio(1), path(2): audio(2), "metadata.json": index(row(1, path(2)), row(2, path(1)))}
    items = table.deliver(table.bundle(zipped(members)), numbers=(1, 2))
    mismatches = {(conversation(n), recording_of(n), "quarantined", "identity_mismatch") for n in (1, 2)}
    assert mismatches <= brief(items)
    assert {} == table.stored()
    assert {sha256(audio(1)), sha256(audio(2))} == table.quarantined().keys()


def test_equal_bytes_of_two_recordings_are_two_recordings(table: Desk) -> None:
    """M4: one silence, recorded twice: two records, two objects, two documents."""
    content = zipped({path(1): audio(5), path(2): audio(5)}, zipfile.ZIP_STORED)
    items = table.deliver(table.bundle(content), numbers=(1, 2))
    assert {archived(1), archived(2)} == brief(items)
    assert 2 == len({item.key for item in items}) == len({item.metadata_key for item in items})
    assert 1 == len({item.sha256 for item in items})


def test_declared_type_that_is_wrong_is_said(table: Desk) -> None:
    """M10: the bytes win, and the disagreement stands in the document."""
    members = {path(1): audio(1), "metadata.json": index(row(1, path(1), media_type="audio/ogg"))}
    (item,) = table.deliver(table.bundle(zipped(members)), numbers=(1,))
    assert item.key.endswith(".wav")
    (finding,) = [one for one in document_of(table, item)["findings"] if one["name"] == "declared_type_agrees"]
    assert (False, True) == (finding["ok"], "audio/ogg" in finding["note"])


@pytest.mark.parametrize(("declared", "ok"), [(25, True), (1900, True), (60_000, False), ("60000", None), (0, None)])
def test_declared_duration_that_the_sound_lacks_is_said(table: Desk, declared: object, *, ok: bool | None) -> None:
    """M12: a call of a minute that lasts a fortieth of a second is kept, and said to be so."""
    members = {path(1): audio(1), "metadata.json": index(row(1, path(1)) | {"durationMs": declared})}
    (item,) = table.deliver(table.bundle(zipped(members)), numbers=(1,))
    assert "archived" == str(item.outcome)
    found = [one["ok"] for one in document_of(table, item)["findings"] if one["name"] == "declared_duration_agrees"]
    assert ([] if ok is None else [ok]) == found


def test_byte_that_changes_between_hash_and_bucket_is_found(table: Desk) -> None:
    """M13: the bucket is told the digest that was taken while receiving, and refuses other bytes."""
    altered = bytearray(audio(1))
    altered[700] ^= 1
    key = media_key(MediaIdentity(ORG, str(DAY), conversation(1), recording_of(1), 0), sha256(audio(1)), "wav")
    with pytest.raises(IntegrityError):
        table.lake.put_if_absent(
            key, io.BytesIO(altered), bytes_=len(altered), sha256=sha256(audio(1)), media_type="audio/wav"
        )
    assert None is table.lake.head(key)
