"""Recordings that come one by one: their parts and numbers, their URLs, and what is said of those that fail."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from include.errors import IntegrityError, NotAuthorised, SourceUnavailable, UrlExpired
from include.genesys.models import RecordingResult
from include.lake.store import LakeStore
from include.secret import PresignedUrl
from include.settings import LakeLocation
from include.transfer.shard_work import JobUrls
from tests.story.desk import Desk, audio, brief, conversation, desk, path, recording_of, sha256, zipped
from tests.story.night import everything_in, media_keys, remove
from tests.story.shelf import DENIED, EXPIRED, finished, recording

PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>expired session</body></html>"


def only(reason: str, outcome: str) -> set[tuple[str, str, str, str]]:
    """Return the one record of recording 1, in brief."""
    return {(conversation(1), recording_of(1), outcome, reason)}


ARCHIVED = only("", "archived")


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


def test_expired_url_is_renewed_once_for_all_threads(table: Desk) -> None:
    """Three threads whose URLs are too old cost one more question about the job."""
    old = [table.result(n, table.shelf.url(f"/{n}", "expired")) for n in (1, 2, 3)]
    new = [table.result(n, table.shelf.put(f"/{n}", audio(n))) for n in (1, 2, 3)]
    table.source.statuses["job"] = [finished(*old), finished(*new)]
    assert {"archived"} == {str(item.outcome) for item in table.archive(1, 2, 3)}
    assert ["job", "job"] == table.source.asked_jobs


def test_renewal_is_one_question_when_threads_meet(table: Desk) -> None:
    """Threads that find out at the same moment wait for one answer."""
    old = [table.result(n, table.shelf.url(f"/{n}", "expired")) for n in (1, 2, 3)]
    new = tuple(table.result(n, table.shelf.url(f"/{n}", "fresh")) for n in (1, 2, 3))
    table.source.statuses["job"] = [finished(*new)]
    urls, gate = JobUrls(table.source, "job", tuple(old)), Barrier(3)

    def renew(number: int) -> PresignedUrl:
        found_old = urls.current(old[number])
        gate.wait(5)
        return urls.renewed(old[number], found_old).url

    with ThreadPoolExecutor(3) as pool:
        assert [item.url for item in new] == list(pool.map(renew, range(3)))
    assert ["job"] == table.source.asked_jobs


def test_renewed_url_is_that_of_the_same_object(table: Desk) -> None:
    """A job that lists another part first the second time does not mix up the parts."""
    early = table.result(1, table.shelf.url("/b", "expired"))
    late = [table.result(1, table.shelf.put(name, audio(n))) for n, name in ((1, "/a"), (2, "/b"))]
    table.source.statuses["job"] = [finished(early), finished(*late)]
    table.archive(1)
    assert {sha256(audio(2))} == table.stored().keys()


def test_renewed_url_by_place_when_the_object_has_another_address(table: Desk) -> None:
    """A job that signs other addresses is matched by the result's place, and told so when there is none."""
    old = [table.result(1, table.shelf.url(name, "expired")) for name in ("/a", "/b")]
    table.source.statuses["job"] = [finished(table.result(1, table.shelf.url("/new-a")))]
    urls = JobUrls(table.source, "job", tuple(old))
    found_old = [urls.current(item) for item in old]
    assert table.shelf.url("/new-a") == urls.renewed(old[0], found_old[0]).url
    with pytest.raises(UrlExpired):
        urls.renewed(old[1], found_old[1])


def test_same_address_twice_is_matched_by_place(table: Desk) -> None:
    """Two results that differ in the query alone stay two results."""
    old = [table.result(1, table.shelf.url("/a", signature)) for signature in ("one", "two")]
    new = [table.result(1, table.shelf.url("/a", signature)) for signature in ("three", "four")]
    table.source.statuses["job"] = [finished(*new)]
    urls = JobUrls(table.source, "job", tuple(old))
    assert [item.url for item in old] == [urls.current(item).url for item in old]
    urls.renewed(old[0], urls.current(old[0]))
    assert [item.url for item in new] == [urls.current(item).url for item in old]


def test_url_is_the_youngest_known(table: Desk) -> None:
    """A recording that begins after another one's URL was renewed does not begin with the old one."""
    old = [table.result(n, table.shelf.url(f"/{n}", "first")) for n in (1, 2)]
    new = [table.result(n, table.shelf.url(f"/{n}", "fresh")) for n in (1, 2)]
    table.source.statuses["job"] = [finished(*new)]
    urls = JobUrls(table.source, "job", tuple(old))
    urls.renewed(old[0], urls.current(old[0]))
    assert new[1].url == urls.current(old[1]).url
    assert ["job"] == table.source.asked_jobs


def test_same_url_again_is_tried_again(table: Desk) -> None:
    """A host that says "expired" once by mistake is asked again, though the job signs the very same URL."""
    result = table.result(1, table.shelf.put("/1", audio(1), [(403, EXPIRED)]))
    assert ARCHIVED == brief(table.deliver(result, numbers=(1,)))


def test_promise_without_a_url_is_named(table: Desk) -> None:
    """A result without any URL has no URL to begin with."""
    result = RecordingResult(conversation(1), recording_of(1), None, None)
    with pytest.raises(IntegrityError, match="without a URL"):
        JobUrls(table.source, "job", (result,)).current(result)


def test_job_without_fresh_url_is_pending(table: Desk) -> None:
    """A URL that stays too old leaves the recording pending."""
    table.source.statuses["job"] = [finished(table.result(1, table.shelf.url("/1", "expired")))]
    assert only("url_expired", "pending") == brief(table.archive(1))


def test_renewed_url_that_is_too_old_as_well(table: Desk) -> None:
    """Two URLs that are too old in a row leave the recording pending."""
    url = table.shelf.put("/1", audio(1), [(403, EXPIRED)] * 2)
    fresh = table.result(1, table.shelf.url("/1", "second"))
    table.source.statuses["job"] = [finished(table.result(1, url)), finished(fresh)]
    assert only("url_expired", "pending") == brief(table.archive(1))


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_stop_the_shard(table: Desk, status: int) -> None:
    """When the API refuses us while a URL is renewed, the shard stops and no manifest is written."""
    old = [table.result(n, table.shelf.url(f"/{n}", "expired")) for n in (1, 2)]
    table.source.statuses["job"] = [finished(*old), NotAuthorised("no", status=status)]
    with pytest.raises(NotAuthorised):
        table.archive(1, 2)
    assert [] == list(table.lake.list_keys(""))


def test_api_trouble_while_renewing_is_pending(table: Desk) -> None:
    """When the API does not answer while a URL is renewed, the recording is pending."""
    old = table.result(1, table.shelf.url("/1", "expired"))
    table.source.statuses["job"] = [finished(old), SourceUnavailable("later")]
    assert only("source_unavailable", "pending") == brief(table.archive(1))


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
