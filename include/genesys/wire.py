"""One exchange with a Genesys host: bytes out, bytes in, bounded in time and size.

Knows neither tokens nor JSON nor retries. Never follows a redirect, never reads ``.netrc`` or proxy variables (both
would replace or divert our credentials), keeps no cookies, always verifies TLS.
"""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from include.errors import ConfigurationError, RequestRejected, SourceUnavailable
from include.genesys.pace import Pace, PacedAdapter, paced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from include.settings import ArchiveSettings

ANSWER_BYTES_MAX = 64 * 1024 * 1024
"""Far above a page of 100 conversations (a few megabytes), far below what would hurt a worker."""

READ_BYTES = 64 * 1024
USER_AGENT = "genesys-recording-archive"
ANSWER_TOO_LARGE = "answer.too.large"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (case-insensitive) and the whole body of one answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """Exchanges bytes with the hosts of one connection; safe to share between threads. ``close()`` ends it."""

    def __init__(self, connection_name: str, settings: ArchiveSettings, clock: Callable[[], float]) -> None:
        self._connection_name = connection_name
        self._settings = settings
        self._clock = clock
        self._idle: LifoQueue[requests.Session] = LifoQueue()

    def exchange(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None, deadline_at: float
    ) -> Answer:
        """Send one request and read its whole answer.

        Raises:
            SourceUnavailable: when no complete answer came before ``deadline_at``; whether the request took effect is
                then unknown.
            RequestRejected: when the answer is larger than any answer we ask for.
            ConfigurationError: when the certificate of the host is not trusted, or the host redirects.
        """
        host = urlsplit(url).hostname
        with self._session() as session, paced(self._pace(deadline_at)):
            try:
                return self._exchange(session, requests.Request(method, url, headers=headers, data=body), deadline_at)
            except (requests.RequestException, HTTPError, OSError) as error:
                if _certificate_refused(error):
                    raise ConfigurationError(
                        f"Connection {self._connection_name!r}: the certificate of {host} is not trusted", host=host
                    ) from None
                # from None: the original quotes what the server sent.
                raise SourceUnavailable(
                    f"No complete answer from {host} ({type(error).__name__})", host=host, cause=type(error).__name__
                ) from None

    def close(self) -> None:
        """Close all idle connections."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    def _exchange(self, session: requests.Session, request: requests.Request, deadline_at: float) -> Answer:
        remaining = max(0.001, deadline_at - self._clock())
        timeouts = (
            min(self._settings.connect_timeout_seconds, remaining),
            min(self._settings.read_timeout_seconds, remaining),
        )
        with session.send(
            session.prepare_request(request), timeout=timeouts, allow_redirects=False, stream=True, verify=True
        ) as response:
            if response.is_redirect:
                raise ConfigurationError(
                    f"Connection {self._connection_name!r}: {urlsplit(request.url).hostname} answers with a redirect, "
                    "which is never followed; check the region",
                    status=response.status_code,
                )
            return Answer(response.status_code, CaseInsensitiveDict(response.headers), _body(response))

    def _pace(self, deadline_at: float) -> Pace:
        return Pace(
            deadline_at=deadline_at,
            read_seconds=self._settings.read_timeout_seconds,
            bytes_per_second_min=self._settings.minimum_bytes_per_second,
            grace_seconds=self._settings.throughput_grace_seconds,
            clock=self._clock,
        )

    @contextmanager
    def _session(self) -> Iterator[requests.Session]:
        """Lend a session to one thread at a time: ``requests`` does not promise that sessions can be shared."""
        try:
            session = self._idle.get_nowait()
        except Empty:
            session = _new_session()
        try:
            yield session
        finally:
            self._idle.put(session)


def _new_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers = CaseInsensitiveDict({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"})
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", PacedAdapter(max_retries=0))
    session.mount("http://", PacedAdapter(max_retries=0))
    return session


def _body(response: requests.Response) -> bytes:
    parts, size = [], 0
    for part in response.iter_content(READ_BYTES):
        size += len(part)
        if size > ANSWER_BYTES_MAX:
            raise RequestRejected(
                f"The answer is larger than {ANSWER_BYTES_MAX} bytes; reading stopped",
                status=413,
                code=ANSWER_TOO_LARGE,
            )
        parts.append(part)
    return b"".join(parts)


def _certificate_refused(error: BaseException) -> bool:
    """Look through the wrappings of requests and urllib3, which differ in where they keep the cause."""
    waiting, seen = [error], {id(error)}
    while waiting:
        current = waiting.pop()
        if isinstance(current, ssl.SSLCertVerificationError):
            return True
        inner = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
        fresh = [item for item in inner if isinstance(item, BaseException) and id(item) not in seen]
        seen.update(map(id, fresh))
        waiting += fresh
    return False
