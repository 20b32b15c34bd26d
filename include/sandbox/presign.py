"""Presigned URLs in the manner of AWS Signature Version 4 query authentication.

The parameters, their meaning and the refusals follow the AWS documentation ("Authenticating Requests: Using Query
Parameters"); the signature is an HMAC-SHA256 over method, path and the other parameters, with the sandbox's own key.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from hashlib import sha256
from secrets import token_bytes
from urllib.parse import parse_qsl, quote, urlencode

_STAMP = "%Y%m%dT%H%M%SZ"


class Verdict(Enum):
    """Whether a presigned request may pass."""

    GOOD = "good"
    MISSING = "missing"
    EXPIRED = "expired"
    TAMPERED = "tampered"


@dataclass(frozen=True, slots=True)
class Presigner:
    """Signs and judges URLs of the media port; the key lives as long as the sandbox."""

    key: bytes = field(default_factory=lambda: token_bytes(32), repr=False)

    def query(self, path: str, ttl_seconds: int, method: str = "GET") -> str:
        """Return the query string that opens ``path`` for this method and so many seconds."""
        now = datetime.now(UTC)
        parameters = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"SANDBOX/{now:%Y%m%d}/eu-central-1/s3/aws4_request",
            "X-Amz-Date": now.strftime(_STAMP),
            "X-Amz-Expires": str(ttl_seconds),
            "X-Amz-SignedHeaders": "host",
        }
        return urlencode({**parameters, "X-Amz-Signature": self._signature(method, path, parameters)}, quote_via=quote)

    def judge(self, method: str, path: str, query: str) -> Verdict:
        """Judge a request; the signature is checked first, so a changed date is tampering, not expiry."""
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        signature = parameters.pop("X-Amz-Signature", None)
        if signature is None or "X-Amz-Date" not in parameters or "X-Amz-Expires" not in parameters:
            return Verdict.MISSING
        if not hmac.compare_digest(signature.encode(), self._signature(method, path, parameters).encode()):
            return Verdict.TAMPERED
        issued = datetime.strptime(parameters["X-Amz-Date"], _STAMP).replace(tzinfo=UTC)
        if datetime.now(UTC) >= issued + timedelta(seconds=int(parameters["X-Amz-Expires"])):
            return Verdict.EXPIRED
        return Verdict.GOOD

    def _signature(self, method: str, path: str, parameters: dict[str, str]) -> str:
        canonical = "\n".join((method, path, urlencode(sorted(parameters.items()), quote_via=quote)))
        return hmac.new(self.key, canonical.encode(), sha256).hexdigest()
