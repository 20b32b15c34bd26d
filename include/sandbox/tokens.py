"""OAuth client credentials: who may ask for a token, and which tokens are good."""

from __future__ import annotations

from dataclasses import dataclass, field
from hmac import compare_digest
from secrets import token_urlsafe
from time import monotonic


@dataclass(slots=True)
class Tokens:
    """The clients and the tokens issued to them; nothing here is ever printed or listed."""

    clients: dict[str, str] = field(repr=False)
    _issued: dict[str, tuple[str, float]] = field(default_factory=dict, repr=False)

    def knows(self, client_id: str, secret: str) -> bool:
        """Whether these are the credentials of a client."""
        known = self.clients.get(client_id)
        return known is not None and compare_digest(known.encode(), secret.encode())

    def issue(self, client_id: str, seconds: float) -> str:
        """Return a new token that lives so many seconds."""
        token = token_urlsafe(32)
        self._issued[token] = (client_id, monotonic() + seconds)
        return token

    def client_of(self, token: str) -> str | None:
        """Return the client a good token belongs to, or ``None``."""
        client_id, expires = self._issued.get(token, (None, 0.0))
        return client_id if monotonic() < expires else None

    def revoke(self, token: str) -> None:
        """Make one token void."""
        self._issued.pop(token, None)

    def revoke_all(self) -> None:
        """Make every token void, as disabling the OAuth client does."""
        self._issued.clear()
