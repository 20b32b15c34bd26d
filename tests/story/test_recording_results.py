"""Recordings that come one by one: their parts and numbers, their URLs, and what is said of those that fail."""

from __future__ import annotations

import itertools

import pytest

from include.errors import IntegrityError
from include.genesys.models import RecordingResult
from include.lake.store import LakeStore
from include.secret import PresignedUrl
from include.settings import LakeLocation
from tests.story.desk import Desk, audio, brief, conversation, desk, path, recording_of, sha256, zipped
from tests.story.night import everything_in, media_keys, remove
from tests.story.one_result import ARCHIVED, only
from tests.story.shelf import DENIED, recording

PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>expired session</body></html>"


def test_order_of_results_does_not_matter(object_store, lake_client, tmp_path) -> None:
    """Three results of one recording give the same keys in whatever order the job lists them."""
    listings = []
    for turn, order in enumerate(itertools.permutations((1, 2, 3))):
        lake = LakeStore(lake_client, LakeLocation(object_store.bucket, f"tests/{tmp_path.name}-order-{turn}"))
        with desk(lake, tmp_path) as table:
            results = [table.result(1, table.shelf.put(f"/{number}.wav", audio(number))) for number in order]
            table.deliver(*results, numbers=(1,))
            listings.append(media_keys(lake))
    assert 3 == len(listings[0])
    assert [listings[0]] * 6 == listings


def test_equal_bytes_are_one_part(table: Desk) -> None:
    """Two results with the same bytes are stored once."""
    results = [table.result(1, table.shelf.put(name, audio(1))) for name in ("/a.wav", "/b.wav")]
    assert ARCHIVED == brief(table.deliver(*results, numbers=(1,)))
    assert {sha256(audio(1)): 0} == table.stored()


def test_parts_stored_earlier_keep_their_numbers(table: Desk) -> None:
    """A part that arrives later is numbered behind those that are there, whatever its digest."""
    first, second = sorted((audio(1), audio(2)), key=sha256, reverse=True)
    broken = table.result(1, table.shelf.put("/b.wav", second, [(500, b"")] * 4))
    whole = table.result(1, table.shelf.put("/a.wav", first))
    items = table.deliver(whole, broken, numbers=(1,))
    assert ARCHIVED | only("source_unavailable", "pending") == brief(items)
    table.shelf.refusals.clear()
    table.deliver(broken, whole, numbers=(1,))
    assert {sha256(first): 0, sha256(second): 1} == table.stored()


def test_stored_recording_is_never_fetched_again(table: Desk) -> None:
    """What the lake holds is recorded from its metadata, without a request to the media host."""
    other = table.result(2, table.shelf.put("/2.wav", b"bad", [(500, b"")] * 99))
    one = table.result(1, table.shelf.put("/1.wav", audio(1)))
    first = table.deliver(one, other, numbers=(1, 2))
    table.shelf.asked.clear()
    second = table.deliver(one, other, numbers=(1, 2))
    assert {"/2.wav"} == set(table.shelf.asked)
    assert first == second


def test_zip_for_one_recording(table: Desk) -> None:
    """A result that is a zip becomes its members; a transcript inside is named as not selected."""
    content = zipped({"left.wav": audio(1), "right.wav": audio(2), "words.json": b'{"words": []}'})
    items = table.deliver(table.result(1, table.shelf.put("/1.zip", content), media_type=None), numbers=(1,))
    assert ARCHIVED | only("media_not_selected", "not_selected") == brief(items)
    assert {0, 1} == set(table.stored().values())


def test_zip_is_opened_again_after_a_kill_between_its_members(table: Desk) -> None:
    """One member in the lake does not prove that all are: the number of results says nothing about a zip."""
    url = table.shelf.put("/1.zip", zipped({"left.wav": audio(1), "right.wav": audio(2)}))
    other = table.result(2, table.shelf.put("/2.wav", b"bad", [(500, b"")] * 99))
    table.deliver(table.result(1, url), other, numbers=(1, 2))
    lost = next(key for key in media_keys(table.lake) if "/1-" in key)
    for key in (lost, lost.replace(".wav", ".metadata.json")):
        remove(table.lake, key)
    table.deliver(table.result(1, url), other, numbers=(1, 2))
    assert {sha256(audio(1)), sha256(audio(2))} == table.stored().keys()


def test_member_of_another_conversation_in_a_recording_s_zip(table: Desk) -> None:
    """A zip that stands for one recording archives nothing whose path names another."""
    content = zipped({path(1): audio(1), path(2): audio(2)})
    items = table.deliver(table.result(1, table.shelf.put("/1.zip", content)), numbers=(1,))
    assert ARCHIVED | only("identity_mismatch", "quarantined") == brief(items)
    assert {sha256(audio(1))} == table.stored().keys()
    assert {sha256(audio(2))} == table.quarantined().keys()


def test_bad_zip_for_one_recording_is_kept_whole(table: Desk) -> None:
    """A zip that is unsafe to open goes to quarantine under the reason."""
    content = zipped({"/etc/passwd": b"x"})
    items = table.deliver(table.result(1, table.shelf.put("/1.zip", content)), numbers=(1,))
    assert only("unsafe_name", "quarantined") == brief(items)
    assert {sha256(content): items[0].key} == table.quarantined()


def test_other_media_are_not_fetched(table: Desk) -> None:
    """A declared video or transcript is named without a request."""
    results = [
        table.result(1, table.shelf.put("/v", b"x"), rec, kind)
        for rec, kind in ((1, "video/webm"), (2, "application/json; charset=utf-8"))
    ]
    items = table.deliver(*results, numbers=(1,))
    assert {"not_selected"} == {str(item.outcome) for item in items}
    assert [] == table.shelf.asked


def test_undeclared_other_media_are_not_archived(table: Desk) -> None:
    """What turns out to be no audio by its bytes is named, with its real kind as the fact."""
    items = table.deliver(table.result(1, table.shelf.put("/t", b'{"a": 1}'), media_type=None), numbers=(1,))
    assert only("media_not_selected", "not_selected") == brief(items)
    assert "application/json" == items[0].fact


@pytest.mark.parametrize("declared", ["video/webm", "audio/webm"])
def test_what_a_container_was_declared_to_be_decides(table: Desk, declared: str) -> None:
    """A declared video is never fetched; the same container declared as audio is looked at."""
    table.deliver(table.result(1, table.shelf.put("/c", audio(1)), media_type=declared), numbers=(1,))
    assert (["/c"] if declared.startswith("audio") else []) == table.shelf.asked


def test_bytes_that_are_bad_twice_are_kept(table: Desk) -> None:
    """Damaged bytes are fetched once more, then kept under quarantine with the failed check as the reason."""
    cut = audio(1)[:-200]
    items = table.deliver(table.result(1, table.shelf.put("/1.wav", cut)), numbers=(1,))
    assert only("structure_whole", "quarantined") == brief(items)
    assert {sha256(cut): items[0].key} == table.quarantined()
    assert ["/1.wav"] * 2 == table.shelf.asked


def test_bytes_that_are_bad_once_are_healed(table: Desk) -> None:
    """Bytes that arrive whole the second time are archived, and nothing is in quarantine."""
    url = table.shelf.put("/1.wav", audio(1), [(200, audio(1)[:-200])])
    assert ARCHIVED == brief(table.deliver(table.result(1, url), numbers=(1,)))
    assert {} == table.quarantined()


def test_page_instead_of_audio(table: Desk) -> None:
    """A sign-in page is fetched again as long as there are attempts, then named; there are no bytes to keep."""
    url = table.shelf.put("/1.wav", audio(1), [(200, PAGE)] * 99)
    items = table.deliver(table.result(1, url), numbers=(1,))
    assert only("integrity_error", "quarantined") == brief(items)
    assert "page, not a recording" in items[0].fact
    assert 2 * table.settings.download_attempts == len(table.shelf.asked)


def test_refusing_media_host_is_one_recording_s_trouble(table: Desk) -> None:
    """A URL that the host refuses for good is named; the other recordings are archived."""
    one = table.result(1, table.shelf.put("/1.wav", audio(1), [(403, DENIED)] * 9))
    two = table.result(2, table.shelf.put("/2.wav", audio(2)))
    items = table.deliver(one, two, numbers=(1, 2))
    assert only("request_rejected", "quarantined") < brief(items)
    assert {sha256(audio(2))} == table.stored().keys()


@pytest.mark.parametrize(
    ("state", "outcome", "reason"),
    [
        ("DELETED", "deleted_at_source", "deleted_at_source"),
        ("ARCHIVED", "archived_at_source", "archived_at_source"),
        ("ERROR", "source_error", "file_state_error"),
        ("UPLOADING", "pending", "uploading"),
        ("RESTORING", "pending", "restoring"),
        ("AVAILABLE", "pending", "not_in_result"),
        ("RESTORED", "pending", "not_in_result"),
        ("SHREDDED", "pending", "file_state_unknown"),
        (None, "pending", "file_state_unknown"),
    ],
)
def test_only_the_source_makes_a_404_an_exclusion(table: Desk, state: str | None, outcome: str, reason: str) -> None:
    """When a URL answers 404, ``fileState`` decides what the recording is, and an unknown word means pending."""
    other = recording(conversation(1), recording_of(7), "DELETED")
    table.source.recordings[conversation(1)] = (recording(conversation(1), recording_of(1), state), other)
    items = table.deliver(table.result(1, table.shelf.url("/nothing")), numbers=(1,))
    assert only(reason, outcome) == brief(items)


def test_404_that_the_source_has_no_word_for(table: Desk) -> None:
    """When the source knows only other recordings, the 404 itself is the record, and it is pending."""
    table.source.recordings[conversation(1)] = (recording(conversation(1), recording_of(7), "DELETED"),)
    items = table.deliver(table.result(1, table.shelf.url("/nothing")), numbers=(1,))
    assert only("recording_gone", "pending") == brief(items)


def test_foreign_host_is_named_and_not_fetched(table: Desk) -> None:
    """One URL outside the allow-list is refused by name beside good ones; its signature stays out of the record."""
    url = PresignedUrl("https://media.example.net/1.wav?X-Amz-Signature=canary")
    items = table.deliver(table.result(1, url), table.result(2, table.shelf.put("/2", audio(2))), numbers=(1, 2))
    strange = next(item for item in items if item.conversation_id == conversation(1))
    assert {"archived", "quarantined"} == {str(item.outcome) for item in items}
    assert "configuration_error" == strange.reason
    assert "media.example.net" in strange.fact
    assert "canary" not in repr(items)


def test_too_large_a_recording_is_pending(lake, tmp_path) -> None:
    """A recording above the byte budget is pending: it is not lost and nobody calls it damaged."""
    with desk(lake, tmp_path, recording_bytes_max=500) as small:
        items = small.deliver(small.result(1, small.shelf.put("/1", audio(1))), numbers=(1,))
        assert only("quota_exceeded", "pending") == brief(items)


@pytest.mark.parametrize("bad", ["", "../../x", "ABCDEF", None])
def test_recording_id_that_cannot_be_a_key(table: Desk, bad: str | None) -> None:
    """A result whose recording id is no UUID is named and not fetched."""
    result = RecordingResult(conversation(1), bad, table.shelf.put("/1", audio(1)), "audio/wav")
    items = table.deliver(result, numbers=(1,))
    assert {(conversation(1), bad or "", "quarantined", "recording_id_malformed")} == brief(items)
    assert [] == table.shelf.asked


def test_result_for_a_stranger_is_left_out(table: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """A result for a conversation that was never requested is neither fetched nor recorded."""
    stranger = table.result(9, table.shelf.put("/9", audio(9)))
    items = table.deliver(stranger, table.result(1, table.shelf.put("/1", audio(1))), numbers=(1,))
    assert ARCHIVED == brief(items)
    assert ["/1"] == table.shelf.asked
    assert "never requested" in caplog.text


def test_altered_metadata_stops_the_shard(table: Desk) -> None:
    """Metadata in the lake that no longer fits its audio is an integrity error, never a silent second copy."""
    other = table.result(2, table.shelf.put("/2.wav", b"bad", [(500, b"")] * 99))
    one = table.result(1, table.shelf.put("/1.wav", audio(1)))
    table.deliver(one, other, numbers=(1, 2))
    key = next(key for key in everything_in(table.lake) if key.endswith(".metadata.json"))
    honest = table.lake.read(key)
    for altered in (honest.replace(b'"bytes":', b'"bytes":1'), b"{}", b"no json", b'{"media": 5}'):
        table.lake.put_latest(key, altered, "application/json")
        with pytest.raises(IntegrityError):
            table.deliver(one, other, numbers=(1, 2))


def test_result_that_names_no_conversation_says_why(table: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """The one URL of a job that cannot be read leaves every conversation open, and the log knows the reason."""
    table.source.recordings[conversation(1)] = (recording(conversation(1), recording_of(1)),)
    odd = RecordingResult(None, None, None, "application/zip", "the result URL cannot be read")
    assert only("not_in_result", "pending") == brief(table.deliver(odd, numbers=(1,)))
    assert "names no conversation; left out: the result URL cannot be read" in caplog.text
