"""URLs that have expired or lead nowhere: renewed once for all, and by whose address they are told apart."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from include.errors import IntegrityError, NotAuthorised, SourceUnavailable, UrlExpired
from include.genesys.models import RecordingResult
from include.transfer.shard_work import JobUrls
from tests.story.desk import Desk, audio, brief, conversation, recording_of, sha256
from tests.story.one_result import ARCHIVED, only
from tests.story.shelf import EXPIRED, finished

if TYPE_CHECKING:
    from include.secret import PresignedUrl


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
