"""Listings of versions go on past the first page, as those of keys do in ``test_store.py``."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from tests.lake.scripted_bucket import Answer, ScriptedBucket

VERSION = (
    "<Version><Key>{0}</Key><VersionId>v-{0}</VersionId><IsLatest>true</IsLatest><Size>1</Size>"
    "<LastModified>2026-03-02T00:00:00Z</LastModified><ETag>e</ETag></Version>"
)


def page(*keys, more=False):
    """Return a page of versions as S3 writes one; with ``more`` it is not the last."""
    markers = f"<NextKeyMarker>{keys[-1]}</NextKeyMarker><NextVersionIdMarker>v-{keys[-1]}</NextVersionIdMarker>"
    rows = "".join(VERSION.format(key) for key in keys)
    body = f"<IsTruncated>{str(more).lower()}</IsTruncated>{markers if more else ''}{rows}"
    return Answer(200, body=f"<ListVersionsResult>{body}</ListVersionsResult>".encode())


def test_versions_of_all_pages_are_listed(lake_at):
    """The second page is asked for behind the last version of the first, and the third not at all."""
    with ScriptedBucket(GET=[page("a", "b", more=True), page("c")]) as bucket:
        assert ["a", "b", "c"] == [version.key for version in lake_at(bucket.url).versions.list("")]
        first, second = (parse_qs(urlsplit(heard.path).query) for heard in bucket.heard)
    assert ["b", "v-b"] == [*second["key-marker"], *second["version-id-marker"]]
    assert "key-marker" not in first


def test_histories_of_all_pages_are_told(lake_at):
    """The same pages, put in order key by key."""
    with ScriptedBucket(GET=[page("a", "b", more=True), page("c")]) as bucket:
        assert ["a", "b", "c"] == [history.key for history in lake_at(bucket.url).histories("")]
