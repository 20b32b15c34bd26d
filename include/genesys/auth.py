"""The access token: OAuth client credentials, fetched once for all threads, renewed before it ends.

``POST {login}/oauth/token`` with HTTP Basic (source: official SDK, ``get_client_credentials_token``). A token is valid
for 300 s to 48 h, by default 24 h (``accessTokenValiditySeconds``, Genesys OpenAPI).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from include.errors import NotAuthorised, SourceUnavailable
from include.genesys.answer import Malformed, again_for, again_for_malformed, complaint_of, json_of, raise_for
from include.genesys.contract import token_form
from include.secret import Secret

if TYPE_CHECKING:
    from include.genesys.call_counts import CallCounter
    from include.genesys.connection import GenesysConnection
    from include.genesys.retry import Deadline, Retrier, Timekeeping
    from include.genesys.wire import Answer, Wire

LEEWAY_SECONDS = 60.0
LEEWAY_FRACTION = 0.1
"""A token that lives for seconds is renewed in its last tenth, else it would be renewed at every call."""

LIFETIME_UNKNOWN_SECONDS = 300.0
LIFETIME_MAX_SECONDS = 48 * 3600.0

ENDPOINT = "/oauth/token"
REFUSALS = (400, 401, 403)
"""Whether a bad client is 400 ``invalid_client`` or 401 is not documented; both are final."""

_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")


@dataclass(frozen=True, slots=True)
class _Held:
    token: Secret
    renew_at: float


class TokenSource:
    """Hands out a valid token; one request to the login server at a time, whatever the number of threads."""

    def __init__(
        self,
        connection: GenesysConnection,
        wire: Wire,
        retrier: Retrier,
        timekeeping: Timekeeping,
        counter: CallCounter,
    ) -> None:
        self._connection = connection
        self._wire = wire
        self._retrier = retrier
        self._time = timekeeping
        self._counter = counter
        self._lock = Lock()
        self._held: _Held | None = None

    def current(self) -> Secret:
        """Return a token that is not about to end.

        Raises:
            NotAuthorised: when the login server refuses the client.
            RateLimited: when it asks for more patience than a task should spend.
            SourceUnavailable: when it gives no usable answer.
            ConfigurationError: when it redirects or its certificate is not trusted.
        """
        with self._lock:
            held = self._held
            if held is None or self._time.clock() >= held.renew_at:
                held = self._held = self._fetch()
            return held.token

    def renewed(self, refused: Secret) -> Secret:
        """Return a token other than ``refused``; threads refused together share one new token.

        Raises:
            ArchiveError: as ``current``.
        """
        with self._lock:
            held = self._held
            if held is None or held.token == refused:
                held = self._held = self._fetch()
            return held.token

    def _fetch(self) -> _Held:
        return self._retrier.run(ENDPOINT, self._attempt)

    def _attempt(self, deadline: Deadline) -> _Held:
        asked_at = self._time.clock()
        self._counter.event("token_requests")
        try:
            answer = self._wire.exchange(
                "POST",
                f"{self._connection.login_base_url}{ENDPOINT}",
                headers=self._headers(),
                body=urlencode(token_form(self._connection.token_scope)).encode(),
                deadline_at=deadline.at,
            )
        except SourceUnavailable as error:
            raise again_for(error, ENDPOINT) from None
        self._check(answer)
        try:
            token, lifetime = read_token(json_of(answer))
        except Malformed as error:
            raise again_for_malformed(error, answer, ENDPOINT) from None
        leeway = min(LEEWAY_SECONDS, lifetime * LEEWAY_FRACTION)
        return _Held(token, asked_at + lifetime - leeway)

    def _check(self, answer: Answer) -> None:
        """Raise for anything but success; a refused client is final, however the server words it."""
        connection = self._connection
        if answer.status in REFUSALS:
            complaint = complaint_of(answer, connection.client_secret.reveal())
            raise NotAuthorised(
                f"Connection {connection.name!r}: the login server refuses the client id or secret "
                f"({answer.status} {complaint.code or ''})".replace(" )", ")"),
                status=answer.status,
                code=complaint.code,
                endpoint=ENDPOINT,
                connection=connection.name,
            )
        raise_for(answer, ENDPOINT, connection.name, connection.client_secret.reveal(), wall=self._time.wall())

    def _headers(self) -> dict[str, str]:
        pair = f"{self._connection.client_id}:{self._connection.client_secret.reveal()}".encode()
        return {
            "Authorization": f"Basic {base64.b64encode(pair).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }


def read_token(body: object) -> tuple[Secret, float]:
    """Return token and lifetime in seconds.

    A lifetime that is missing or makes no sense counts as the shortest that Genesys issues; a 401 renews early
    anyway.

    Raises:
        Malformed: when there is no token that could stand in a header.
    """
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise Malformed("it holds no usable access_token")
    return Secret(token), _lifetime(body.get("expires_in"))


def _lifetime(value: object) -> float:
    try:
        seconds = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):
        seconds = 0.0
    if not seconds > 0:
        return LIFETIME_UNKNOWN_SECONDS
    return min(max(seconds, 1.0), LIFETIME_MAX_SECONDS)
