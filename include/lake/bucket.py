"""One bucket through two doors: boto3 for what is asked, signed requests for what is sent.

Both doors open with the same client. Where its credentials have expired, a new client is made once and the call is
repeated; a worker outlives the key pair or the role it began with.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from botocore.config import Config
from botocore.exceptions import ClientError

from include.lake.s3_errors import EXPIRED
from include.lake.signed_http import SignedHttp

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from include.lake.signed_http import Answer, Request

Result = TypeVar("Result")
_SIGNING_LOGGERS = ("botocore.auth", "botocore.endpoint", "botocore.hooks", "botocore.parsers")
"""They quote, at DEBUG, what they sign and send: the session token, the signature, presigned queries."""


def _speaks_aloud(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG


def client_config() -> Config:
    """Return how boto3 must talk to the lake.

    The SHA-256 is computed once, while downloading, and sent as the object's checksum; hashing every body a second
    time for the signature and a third time for a CRC would only cost CPU. botocore repeats what only reads; how often
    it may try is also how often the lake tries a write.
    """
    return Config(
        signature_version="s3v4",
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "max_attempts": 4},
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=32,
        s3={"payload_signing_enabled": False},
    )


class S3Client(Protocol):
    """What the lake uses of boto3's S3 client."""

    @property
    def meta(self) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """The client's configuration."""

    def generate_presigned_url(self, ClientMethod: str, *, Params: dict[str, str]) -> str:  # noqa: N803 - boto3's names
        """Show the address and the scope that botocore signs for."""

    def get_object(self, **kwargs: object) -> dict[str, object]:
        """GetObject."""

    def list_objects_v2(self, **kwargs: object) -> dict[str, object]:
        """ListObjectsV2."""

    def list_object_versions(self, **kwargs: object) -> dict[str, object]:
        """ListObjectVersions."""

    def list_multipart_uploads(self, **kwargs: object) -> dict[str, object]:
        """ListMultipartUploads."""

    def abort_multipart_upload(self, **kwargs: object) -> dict[str, object]:
        """AbortMultipartUpload."""


class Bucket:
    """The bucket called ``name``; ``renew`` makes a client with fresh credentials. Thread-safe."""

    def __init__(self, client: S3Client, name: str, renew: Callable[[], S3Client] | None = None) -> None:
        for logger in _SIGNING_LOGGERS:
            logging.getLogger(logger).addFilter(_speaks_aloud)  # adding it twice changes nothing
        self.name = name
        self._client = client
        self._renew = renew
        self._door: SignedHttp | None = None
        self._lock = threading.Lock()

    @property
    def attempts(self) -> int:
        """How often one request may be tried, by the client's own configuration."""
        return int((self._client.meta.config.retries or {}).get("total_max_attempts", 1))

    def call(self, operation: str, **arguments: object) -> dict[str, Any]:
        """Ask through boto3.

        Raises:
            ClientError, BotoCoreError: as boto3 raises them.
        """
        return self._renewing(lambda client: getattr(client, operation)(Bucket=self.name, **arguments))

    def send(self, request: Callable[[], Request]) -> Answer:
        """Send one signed request; ``request`` makes it, and makes it again for fresh credentials.

        Raises:
            ClientError, BotoCoreError: as ``SignedHttp.send``.
        """
        return self._renewing(lambda client: self._signed(client).send(request()))

    def server_time(self) -> datetime | None:
        """Return what time it is at the bucket, ``None`` if it does not say."""
        return self._renewing(lambda client: self._signed(client).server_time())

    def _signed(self, client: S3Client) -> SignedHttp:
        with self._lock:
            if self._door is None or client is not self._client:
                self._door = SignedHttp(client, self.name)
            return self._door

    def _renewing(self, action: Callable[[S3Client], Result]) -> Result:
        client = self._client
        try:
            return action(client)
        except ClientError as error:
            if self._renew is None or error.response.get("Error", {}).get("Code") not in EXPIRED:
                raise
        return action(self._renewed(self._renew, client))

    def _renewed(self, renew: Callable[[], S3Client], expired: S3Client) -> S3Client:
        with self._lock:
            if self._client is expired:  # the first of several threads that found out
                self._client, self._door = renew(), None
            return self._client
