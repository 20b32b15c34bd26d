"""The one door to the API: every call of this project to Genesys Cloud passes here.

Allowance, token, one renewal on 401, time limits, retries, reading, counting and redaction: in this order. Media is
not fetched here: presigned URLs take no token and obey other rules.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from include.errors import ArchiveError, RateLimited, SourceUnavailable
from include.genesys.answer import (
    UNAUTHORISED,
    Malformed,
    again_for,
    again_for_malformed,
    json_of,
    raise_for,
)
from include.genesys.auth import TokenSource
from include.genesys.call_counts import CallCounter, CallCounts
from include.genesys.retry import Again, Retrier, Timekeeping
from include.genesys.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.genesys.budget import RequestBudget
    from include.genesys.connection import GenesysConnection
    from include.genesys.request import ApiRequest
    from include.genesys.retry import Deadline
    from include.genesys.wire import Answer
    from include.secret import PresignedUrl, Secret
    from include.settings import ArchiveSettings

LOGGER = logging.getLogger(__name__)
T = TypeVar("T")


class ApiDoor:
    """Sends calls for one connection; safe to share between threads. ``close()`` ends its connections."""

    def __init__(
        self,
        connection: GenesysConnection,
        settings: ArchiveSettings,
        budget: RequestBudget,
        timekeeping: Timekeeping | None = None,
    ) -> None:
        self.connection = connection
        self._budget = budget
        self._time = timekeeping or Timekeeping()
        self._counter = CallCounter()
        self._wire = Wire(connection.name, settings, self._time.clock)
        self._retrier = Retrier(settings, self._time, self._counter)
        self._tokens = TokenSource(connection, self._wire, self._retrier, self._time, self._counter)

    @property
    def counts(self) -> CallCounts:
        """Calls, retries and waiting so far."""
        return self._counter.snapshot()

    def close(self) -> None:
        """Close all connections; the door may be used again."""
        self._wire.close()

    def fetch(self, request: ApiRequest, read: Callable[[object], T]) -> T:
        """Send ``request`` until it succeeds or patience ends; return what ``read`` makes of its JSON body.

        ``read`` gets ``None`` for an empty body, and raises ``Malformed`` where the body is not what the contract
        says: that counts as a failed attempt.

        Raises:
            NotAuthorised: 401 after a renewal of the token, 403, or the client is refused at login.
            RateLimited: the source asks for more patience than a task should spend waiting.
            SourceUnavailable: no usable answer in time.
            RequestRejected: any other 4xx, 501, or an answer too large; ``status`` and ``code`` say which.
            ConfigurationError: a redirect, an untrusted certificate, or a state folder that cannot be written.
        """
        endpoint = f"{request.method} {request.endpoint}"
        renewed = False

        def attempt(deadline: Deadline) -> T:
            nonlocal renewed
            token = self._tokens.current()
            answer = self._send(request, token, deadline)
            if answer.status == UNAUTHORISED and not renewed:
                renewed = True
                token = self._tokens.renewed(token)
                answer = self._send(request, token, deadline)
            return self._read(answer, endpoint, token, read)

        try:
            return self._retrier.run(endpoint, attempt, lost_replies_max=request.lost_replies_max)
        except ArchiveError as error:
            known = error.facts.get("correlation_id")
            LOGGER.warning("%s failed: %s%s", endpoint, error, f" (correlation id {known})" if known else "")
            raise

    def token_for(self, url: PresignedUrl) -> Secret | None:
        """Return a token for a URL of the API itself (same scheme, host and port), ``None`` for any other.

        Raises:
            ArchiveError: as ``TokenSource.current``.
        """
        theirs, ours = urlsplit(url.location), urlsplit(self.connection.api_base_url)
        # A second way to authorise is refused by presigned hosts (AWS S3: 400), and would hand them our token.
        if (theirs.scheme, theirs.netloc) != (ours.scheme, ours.netloc):
            return None
        return self._tokens.current()

    def renew_token(self) -> None:
        """Get another token, for whoever holds that the one in use has served: bytes under it were not a recording.

        Raises:
            ArchiveError: as ``TokenSource.renewed``.
        """
        self._tokens.renewed(self._tokens.current())

    def _send(self, request: ApiRequest, token: Secret, deadline: Deadline) -> Answer:
        endpoint = f"{request.method} {request.endpoint}"
        waited = self._budget.acquire()
        deadline.extend(waited)
        self._counter.waited(waited)
        self._counter.call(endpoint)
        headers = {"Authorization": f"Bearer {token.reveal()}", "Accept": "application/json"}
        if request.payload is not None:
            headers["Content-Type"] = "application/json"
        try:
            return self._wire.exchange(
                request.method,
                f"{self.connection.api_base_url}{request.target}",
                headers=headers,
                body=request.payload,
                deadline_at=deadline.at,
            )
        except SourceUnavailable as error:
            raise again_for(error, endpoint) from None

    def _read(self, answer: Answer, endpoint: str, token: Secret, read: Callable[[object], T]) -> T:
        try:
            secrets = (token.reveal(), self.connection.client_secret.reveal())
            raise_for(answer, endpoint, self.connection.name, *secrets, wall=self._time.wall())
            return read(json_of(answer))
        except Malformed as error:
            raise again_for_malformed(error, answer, endpoint) from None
        except Again as again:
            if isinstance(again.error, RateLimited):
                self._counter.event("rate_limited")
                # All processes share the token that was told to wait; the others need not find out one by one.
                self._budget.pause(again.retry_after_seconds or 0.0)
            raise
