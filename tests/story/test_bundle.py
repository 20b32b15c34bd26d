"""Zips of many recordings: whose a member is, what is refused, and that one bad member costs one recording."""

from __future__ import annotations

import zipfile

import pytest

from include.errors import ConfigurationError, NotAuthorised, SourceUnavailable
from include.genesys.models import RecordingResult
from include.secret import PresignedUrl
from include.transfer.bundle_members import INDEX_BYTES_MAX
from tests.story.desk import (
    ZIP_TYPE,
    Desk,
    audio,
    brief,
    conversation,
    desk,
    index,
    path,
    recording_of,
    row,
    sha256,
    zipped,
)
from tests.story.shelf import finished, recording


def archived(number: int, rec: int | None = None) -> tuple[str, str, str, str]:
    """Return the record of an archived recording, in brief."""
    return (conversation(number), recording_of(number if rec is None else rec), "archived", "")


def deliver(table: Desk, members: dict[str, bytes], *numbers: int):
    """Archive a job that delivers one bundle with these members."""
    return table.deliver(table.bundle(zipped(members)), numbers=numbers)


def test_members_go_where_the_index_says(table: Desk) -> None:
    """Names without any id are mapped by the index, and its own words are kept as declared."""
    members = {"a.wav": audio(1), "b.wav": audio(2), "metadata.json": index(row(1, "a.wav"), row(2, "b.wav"))}
    items = deliver(table, members, 1, 2)
    assert {archived(1), archived(2)} == brief(items)
    assert {sha256(audio(1)): 0, sha256(audio(2)): 0} == table.stored()
    document = table.lake.read(items[0].metadata_key).decode()
    assert '"archive_member":"a.wav"' in document
    assert f'"archive_sha256":"{sha256(zipped(members))}"' in document
    assert "fileName" in document


def test_no_index_is_mapped_by_path(table: Desk) -> None:
    """Without any metadata JSON the two ids in a member's path say whose it is."""
    assert {archived(1), archived(2)} == brief(deliver(table, {path(1): audio(1), path(2): audio(2)}, 1, 2))
    assert {sha256(audio(1)), sha256(audio(2))} == table.stored().keys()


def test_index_and_path_must_agree(table: Desk) -> None:
    """A member whose index names another conversation than its path is archived under neither."""
    members = {path(2): audio(2), path(1): audio(1), "metadata.json": index(row(1, path(2)), row(1, path(1)))}
    table.source.recordings[conversation(2)] = (recording(conversation(2), recording_of(2)),)
    items = deliver(table, members, 1, 2)
    assert {
        archived(1),
        (conversation(1), recording_of(1), "quarantined", "identity_mismatch"),
        (conversation(2), recording_of(2), "pending", "not_in_result"),
    } == brief(items)
    assert "reason=identity_mismatch" in table.quarantined()[sha256(audio(2))]
    assert {sha256(audio(1))} == table.stored().keys()


def test_uninvited_conversation_is_left_out(table: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """A member for a conversation that was never requested is neither stored nor recorded, only logged."""
    items = deliver(table, {path(1): audio(1), path(7): audio(7)}, 1)
    assert {archived(1)} == brief(items)
    assert {sha256(audio(1))} == table.stored().keys()
    assert f"never requested was left out: {conversation(7)}" in caplog.text


def test_member_of_nobody_makes_the_source_be_asked(table: Desk) -> None:
    """A member that nothing maps goes to quarantine; whether a recording is missing is asked of the source."""
    table.source.recordings = {
        conversation(1): (recording(conversation(1), recording_of(1)), recording(conversation(1), recording_of(11))),
        conversation(2): (recording(conversation(2), recording_of(2)),),
    }
    items = deliver(table, {path(1): audio(1), path(2): audio(2), "stray.wav": audio(3)}, 1, 2)
    assert {archived(1), archived(2), (conversation(1), recording_of(11), "pending", "not_in_result")} == brief(items)
    assert "reason=unmapped/conversation=unknown" in table.quarantined()[sha256(audio(3))]
    assert [conversation(1), conversation(2)] == table.source.asked_metadata


def test_noise_beside_the_recordings_stays_noise(table: Desk) -> None:
    """A stray member costs nothing when the source knows of no other recording, and no nameless record is made."""
    table.source.recordings = {conversation(1): (recording(conversation(1), recording_of(1)),)}
    assert {archived(1)} == brief(deliver(table, {path(1): audio(1), "README.txt": b"hello"}, 1))


def test_best_of_several_indexes(table: Desk) -> None:
    """Of several JSON members the index is the one that names most members which are there, not the longest."""
    boast = index(*(row(9, f"nowhere-{number}.wav") for number in range(5)))
    members = {
        "0.json": boast,
        "1.json": index(row(1, "a.wav")),
        "2.json": index(row(1, "a.wav"), row(2, "b.wav")),
        "a.wav": audio(1),
        "b.wav": audio(2),
        "notes.json": b'{"no": "index"}',
    }
    assert {archived(1), archived(2)} <= brief(deliver(table, members, 1, 2))


def test_index_names_failures(table: Desk) -> None:
    """What the index says could not be had is explained by the source, with the index's words as the fact."""
    rows = [{"conversationId": conversation(2), "recordingId": recording_of(2), "errorMsg": "gone for good"}]
    rows.append({"conversationId": conversation(8), "errorMsg": "never requested"})
    table.source.recordings[conversation(2)] = (recording(conversation(2), recording_of(2), "DELETED"),)
    items = deliver(table, {path(1): audio(1), "metadata.json": index(row(1, path(1)), errors=rows)}, 1, 2)
    deleted = next(item for item in items if item.conversation_id == conversation(2))
    assert {archived(1), (conversation(2), recording_of(2), "deleted_at_source", "deleted_at_source")} == brief(items)
    assert "fileState=DELETED; gone for good" == deleted.fact


@pytest.mark.parametrize("name", [None, "", 0, []])
def test_row_without_a_file_is_no_failure_where_the_file_is_there(table: Desk, name: object) -> None:
    """An index that names its files by another field describes them badly; what is not there is still asked for."""
    rows = [row(1, path(1)) | {"fileName": name}, row(2, path(2)) | {"fileName": name}]
    table.source.recordings[conversation(2)] = (recording(conversation(2), recording_of(2)),)
    items = deliver(table, {path(1): audio(1), "metadata.json": index(*rows)}, 1, 2)
    assert {archived(1), (conversation(2), recording_of(2), "pending", "not_in_result")} == brief(items)


def test_row_without_a_file_may_be_a_part_that_is_lost(table: Desk) -> None:
    """Of a recording in two files one is there and named; the other row has nothing, so a part is missing."""
    table.source.recordings[conversation(1)] = (recording(conversation(1), recording_of(1)),)
    rows = [row(1, path(1)), row(1, path(1)) | {"fileName": None}]
    items = deliver(table, {path(1): audio(1), "metadata.json": index(*rows)}, 1)
    assert {archived(1), (conversation(1), recording_of(1), "pending", "part_failed")} == brief(items)


def test_words_of_an_index_are_made_safe(table: Desk) -> None:
    """They go to the report and to the log: no signature of an address, and no line of their own."""
    said = "no answer\nof https://host/a?X-Amz-Signature=SECRET"
    rows = [{"conversationId": conversation(2), "recordingId": recording_of(2), "errorMsg": said}]
    table.source.recordings[conversation(2)] = (recording(conversation(2), recording_of(2)),)
    items = deliver(table, {path(1): audio(1), "metadata.json": index(row(1, path(1)), errors=rows)}, 1, 2)
    assert ["", "fileState=AVAILABLE; no answer of https://host/a?***"] == [item.fact for item in items]


def test_declared_other_media_are_not_selected(table: Desk) -> None:
    """A screen recording is named and left in the archive."""
    members = {
        path(1): audio(1),
        path(1, 11, ".webm"): b"\x1a\x45\xdf\xa3 film",
        "metadata.json": index(row(1, path(1)), row(1, path(1, 11, ".webm"), 11, "video/webm")),
    }
    items = deliver(table, members, 1)
    screen = (conversation(1), recording_of(11), "not_selected", "media_not_selected")
    assert {archived(1), screen} == brief(items)
    assert {sha256(audio(1))} == table.stored().keys()


def test_two_members_of_one_recording(table: Desk) -> None:
    """Two parts of a recording are two numbers, by the order of their digests."""
    items = deliver(table, {path(1, end="_1.wav"): audio(1), path(1, end="_0.wav"): audio(2)}, 1)
    ordered = sorted([sha256(audio(1)), sha256(audio(2))])
    assert ordered == [item.sha256 for item in sorted(items, key=lambda item: item.part)]


def spoiled(members: dict[str, bytes], name: str) -> bytes:
    """Return a stored zip in which one bit of one member is wrong."""
    whole = zipped(members, zipfile.ZIP_STORED)
    at = whole.index(members[name]) + 60
    return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]


def test_one_damaged_member_costs_one_recording(table: Desk) -> None:
    """A member with a wrong CRC is quarantined by name, the archive is kept whole, the others are archived."""
    damaged = spoiled({path(number): audio(number) for number in (1, 2, 3)}, path(2))
    items = table.deliver(table.bundle(damaged), numbers=(1, 2, 3))
    assert {archived(1), archived(3), (conversation(2), recording_of(2), "quarantined", "crc_mismatch")} == brief(items)
    kept = next(item.key for item in items if item.conversation_id == conversation(2))
    assert {sha256(damaged): kept} == table.quarantined()
    assert "reason=crc_mismatch/" in kept


def test_damaged_archive_is_kept_once(table: Desk) -> None:
    """Several damaged members, refused ones among them, name one and the same kept archive."""
    members = {path(1): audio(1), path(2): audio(2), "stray.wav": audio(3)}
    whole = zipped(members, zipfile.ZIP_STORED)
    for content in members.values():
        at = whole.index(content) + 60
        whole = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    items = table.deliver(table.bundle(whole), numbers=(1, 2))
    assert {sha256(whole)} == table.quarantined().keys()
    assert {"quarantined"} == {str(item.outcome) for item in items if item.reason == "crc_mismatch"}
    assert 1 == len({item.key for item in items if item.reason == "crc_mismatch"})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped({"../../etc/passwd": b"x"}), "unsafe_name"),
        (zipped({path(1): audio(1)})[:-30], None),
        (audio(5), "not_an_archive"),
        (spoiled({"metadata.json": index(row(1, "a.wav")), "a.wav": audio(1)}, "metadata.json"), "crc_mismatch"),
    ],
    ids=["unsafe-name", "cut", "no-zip", "damaged-index"],
)
def test_unsafe_archive_is_kept_whole_and_asked_for_once_more(table: Desk, content: bytes, reason: str | None) -> None:
    """What must not be opened is kept as it is; its conversations are pending once, and quarantined from then on."""
    first = table.deliver(table.bundle(content), numbers=(1, 2))
    assert [conversation(1), conversation(2)] == [item.conversation_id for item in first]
    (reason_once,) = {item.reason for item in first}
    assert ({"pending"}, "archive_rejected_") == ({str(item.outcome) for item in first}, reason_once[:17])
    assert reason in {None, reason_once[17:]}
    again = table.deliver(table.bundle(content, "/again.zip"), numbers=(1, 2))
    assert {(conversation(n), "", "quarantined", reason_once[17:]) for n in (1, 2)} == brief(again)
    assert {sha256(content): first[0].key} == table.quarantined()
    assert {} == table.stored()


def test_only_who_was_refused_before_is_quarantined(table: Desk) -> None:
    """A second refusal counts for the conversations of the first; another one's first time is still to come."""
    hostile = zipped({"../../etc/passwd": b"x"})
    table.deliver(table.bundle(hostile), numbers=(1,))
    items = table.deliver(table.bundle(hostile), numbers=(1, 2))
    assert {
        (conversation(1), "", "quarantined", "unsafe_name"),
        (conversation(2), "", "pending", "archive_rejected_unsafe_name"),
    } == brief(items)


def test_second_request_heals_a_refused_archive(table: Desk) -> None:
    """The job of the next run builds its zip anew: when that one is whole, nothing is left of the refusal."""
    table.deliver(table.bundle(zipped({path(1): audio(1)})[:-30]), numbers=(1,))
    assert {archived(1)} == brief(deliver(table, {path(1): audio(1)}, 1))


def test_bundle_that_does_not_come_is_pending(table: Desk) -> None:
    """A bundle whose URL answers 404 leaves all its conversations pending: nobody said that they are deleted."""
    result = RecordingResult(None, None, table.shelf.url("/nothing.zip"), ZIP_TYPE)
    items = table.deliver(result, numbers=(1, 2))
    assert {(conversation(n), "", "pending", "recording_gone") for n in (1, 2)} == brief(items)


def test_refused_credentials_stop_the_shard(table: Desk) -> None:
    """When the API refuses us while a bundle's URL is renewed, the shard stops; nothing is called quarantined."""
    expired = RecordingResult(None, None, table.shelf.url("/bundle.zip", "expired"), ZIP_TYPE)
    table.source.statuses["job"] = [finished(expired), NotAuthorised("no", status=401)]
    with pytest.raises(NotAuthorised):
        table.archive(1)
    assert [] == list(table.lake.list_keys(""))


def test_bundle_is_renewed(table: Desk) -> None:
    """A bundle's URL that is too old is asked for again, though it names no recording."""
    fresh = table.bundle(zipped({path(1): audio(1)}))
    expired = RecordingResult(None, None, table.shelf.url("/bundle.zip", "expired"), ZIP_TYPE)
    table.source.statuses["job"] = [finished(expired), finished(fresh)]
    assert {archived(1)} == brief(table.archive(1))


def test_stored_members_are_not_extracted_again(table: Desk) -> None:
    """A second job whose bundle holds what the lake has adds only what is new."""
    table.source.recordings = {conversation(2): (recording(conversation(2), recording_of(2)),)}
    first = deliver(table, {path(1): audio(1)}, 1, 2)
    before = list(table.lake.list_keys("media/"))
    again = deliver(table, {path(1): audio(1), path(2): audio(2)}, 1, 2)
    assert {archived(1), archived(2)} == brief(again)
    assert next(item for item in first if item.conversation_id == conversation(1)) in again
    assert set(before) < set(table.lake.list_keys("media/"))


def test_member_beyond_the_disk_is_pending(lake, tmp_path) -> None:
    """A member larger than a recording may be is not unpacked; it is pending, not lost, and the others are archived."""
    with desk(lake, tmp_path, recording_bytes_max=2000) as small:
        items = deliver(small, {path(1): audio(1), path(2): audio(100)}, 1, 2)
        assert {archived(1), (conversation(2), recording_of(2), "pending", "quota_exceeded")} == brief(items)


def test_foreign_host_is_named_and_not_fetched(table: Desk) -> None:
    """A bundle on a host outside the allow-list is refused before anything is sent."""
    url = PresignedUrl("https://media.example.net/bundle.zip?X-Amz-Signature=canary")
    with pytest.raises(ConfigurationError, match=r"'media\.example\.net' is not in media_hosts") as stopped:
        table.deliver(RecordingResult(None, None, url, ZIP_TYPE), numbers=(1,))
    assert "canary" not in str(stopped.value)


def test_api_trouble_while_renewing_is_pending(table: Desk) -> None:
    """When the API does not answer while a URL is renewed, the conversations are pending."""
    expired = RecordingResult(None, None, table.shelf.url("/bundle.zip", "expired"), ZIP_TYPE)
    table.source.statuses["job"] = [finished(expired), SourceUnavailable("later")]
    assert {(conversation(1), "", "pending", "source_unavailable")} == brief(table.archive(1))


def test_oversized_json_is_no_index(table: Desk) -> None:
    """A JSON member above the bound is never read into memory as an index; it is media that nobody maps."""
    members = {path(1): audio(1), "huge.json": b"[" + b" " * INDEX_BYTES_MAX + b"]"}
    assert {archived(1)} == brief(deliver(table, members, 1))


def nested(depth: int) -> list:
    """Return an empty list in so many others."""
    return [nested(depth - 1)] if depth else []


@pytest.mark.parametrize(
    "more",
    [{"words": nested(700)}, {"transcript": '"' * 9_000_000}, {"contentType": "audio/wav" + "x" * 9_000_000}],
    ids=["deep", "long", "type"],
)
def test_row_that_no_document_can_hold(table: Desk, more: dict) -> None:
    """M1: what an index says of a recording may be too deep to be looked through, or too long to be read again."""
    members = {"metadata.json": index(row(1, path(1)) | more), path(1): audio(1)}
    (item,) = deliver(table, members, 1)
    assert "archived" == str(item.outcome)
    assert None is not table.lake.read_small(item.metadata_key)


@pytest.mark.parametrize("name", ["metadata.json", path(1)], ids=["index", "recording"])
def test_without_evidence_nothing_is_called_damaged(table: Desk, name: str) -> None:
    """A damaged archive that is gone when it should be kept whole leaves its conversations pending."""
    members = {"metadata.json": index(row(1, path(1))), path(1): audio(1)}
    result = table.bundle(spoiled(members, name))
    # It can be read once, which is enough to find the damage.
    table.shelf.refusals["/bundle.zip"] = [(200, table.shelf.files.pop("/bundle.zip"))]
    items = table.deliver(result, numbers=(1,))
    assert {("pending", "recording_gone")} == {(str(item.outcome), item.reason) for item in items}
    assert {} == table.quarantined()
