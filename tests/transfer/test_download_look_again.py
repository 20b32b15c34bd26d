"""What the API's own media asks for beside the rest: our token on that host alone, and a second look after a 416."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from include.errors import UrlExpired
from include.secret import PresignedUrl, Secret
from include.transfer.download import MediaDownloader
from tests.transfer.behaviours import after, answer, changed_head
from tests.transfer.conftest import url_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.settings import ArchiveSettings
    from tests.transfer.fault_server import FaultServer, Request, Wire

TOKEN = "canary-token"
BEHAVIOURS = {
    "416-without-size": answer(416),
    "416-inside": answer(416, content_range="bytes */4500"),
    "416-shorter": answer(416, content_range="bytes */500"),
    "other-size": changed_head(content_range="bytes 2000-2999/9999"),
}


def downloader(settings: ArchiveSettings, authorise: Callable[[PresignedUrl], Secret | None]) -> MediaDownloader:
    """Return a downloader that never sleeps."""
    return MediaDownloader(settings, ("127.0.0.1",), lambda _: None, authorise=authorise)


def host_of(url: PresignedUrl) -> str:
    """Return host and port."""
    return urlsplit(url.location).netloc


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=BEHAVIOURS)
def test_metadata_is_asked_for_before_the_retry(
    settings: ArchiveSettings, server: FaultServer, content: bytes, behaviour: Callable[[Request, Wire], None]
) -> None:
    """Once for the one answer that was wrong; the file arrives from where it is now."""
    server.script.extend(after(2, behaviour))
    asked: list[PresignedUrl] = []

    def look_again(used: PresignedUrl) -> PresignedUrl:
        asked.append(used)
        return PresignedUrl(f"{used.reveal()}&again=1")

    sink = io.BytesIO()
    with downloader(settings, lambda _: None) as media:
        done = media.fetch(url_of(server), sink, look_again=look_again)
    assert (hashlib.sha256(content).hexdigest(), [url_of(server)]) == (done.sha256, asked)
    assert ["again=1" in request.target for request in server.requests[:4]] == [False, False, False, True]


def test_token_goes_to_the_host_that_wants_it_and_to_no_other(settings: ArchiveSettings, server: FaultServer) -> None:
    """Asked for each request, so that a renewed token is used at once; another host sees none."""
    tokens = iter(range(100))
    wanted = host_of(url_of(server))

    def authorise(url: PresignedUrl) -> Secret | None:
        return Secret(f"{TOKEN}{next(tokens)}") if host_of(url) == wanted else None

    with downloader(settings, authorise) as media:
        media.fetch(url_of(server), io.BytesIO())
        sent = [request.headers.get("authorization") for request in server.requests]
        assert [f"Bearer {TOKEN}{number}" for number in range(len(sent))] == sent
        wanted = "elsewhere"
        server.requests.clear()
        media.fetch(url_of(server), io.BytesIO())
    assert {None} == {request.headers.get("authorization") for request in server.requests}


@pytest.mark.parametrize("renewed", [True, False])
def test_refused_token_is_renewed_once(settings: ArchiveSettings, server: FaultServer, *, renewed: bool) -> None:
    """401 under our own token is one that has grown old, not a recording that is forbidden."""
    server.script.extend(after(2, answer(401), *([] if renewed else [answer(401)])))
    with downloader(settings, lambda _: Secret(TOKEN)) as media:
        if renewed:
            assert 4500 == media.fetch(url_of(server), io.BytesIO(), renew=lambda url: url).size
            return
        with pytest.raises(UrlExpired) as caught:
            media.fetch(url_of(server), io.BytesIO(), renew=lambda url: url)
    assert TOKEN not in f"{caught.value!r}{caught.value.facts}"
