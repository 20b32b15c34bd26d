"""One S3 request at a time: signed here, sent over a connection of botocore's, and hashed by nobody.

boto3 computes a digest of every body for the signature and a checksum beside it. Here the SHA-256 is known already, so
the signer is told instead of asked. Credentials, region, endpoint, addressing style, proxies and TLS are those of the
boto3 client; only its serialiser, its parser and its retries are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, quote, urlencode

from botocore.auth import UNSIGNED_PAYLOAD
from botocore.exceptions import ClientError, NoCredentialsError

from include.errors import ConfigurationError, IntegrityError
from include.lake.bucket_wire import Body, BucketWire, Reply, origin_of
from include.lake.signature import Signer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

UNSIGNED = UNSIGNED_PAYLOAD
"""The body is not part of the signature; a checksum header, which is, stands for it (AWS SigV4)."""
_HEADER = re.compile(r"[\x20-\x7e]*\Z")
_PLAIN_KEY = re.compile(r"[A-Za-z0-9/_.~=-]*\Z")
_CODE = re.compile(rb"<Code>\s*([A-Za-z0-9._-]{1,64})\s*</Code>")
_MESSAGE = re.compile(rb"<Message>\s*([^<]{1,1024})")
_REGION = re.compile(rb"<Region>\s*([a-z0-9-]{1,32})\s*</Region>")
_ROOT = re.compile(rb"\s*(?:<\?xml[^>]*\?>)?\s*<([A-Za-z]{1,64})")
_REPLY_BYTES_SEARCHED = 64 * 1024
_UNSIGNED_HEADERS = {"accept-encoding": "identity", "user-agent": "genesys-recording-archive"}


@dataclass(frozen=True, slots=True)
class Request:
    """What to send. ``payload`` is the body's SHA-256 in hex, or ``UNSIGNED``; ``body`` may be iterated once."""

    method: str
    key: str
    headers: Mapping[str, str]
    payload: str
    body: Body = b""
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer whose body is no error in disguise."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def root(self) -> str:
        """Name of the outermost XML element, empty where there is none."""
        return _first(_ROOT, self.body)


class SignedHttp:
    """Sends requests to one bucket. Thread-safe, as the parts of boto3 that it borrows are."""

    def __init__(self, client: Any, bucket: str) -> None:  # noqa: ANN401 - boto3 makes its clients at run time
        # botocore resolves the endpoint and the region to sign for anew in every call; a presigned URL shows both,
        # with every rule about addressing, access points and partitions applied.
        presigned = client.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
        address, _, query = presigned.partition("?")
        scope = parse_qs(query).get("X-Amz-Credential", [""])[0].split("/")
        if len(scope) != 5:  # noqa: PLR2004 - key id, day, region, service, "aws4_request" (AWS SigV4)
            raise ConfigurationError(f"s3://{bucket} cannot be signed for with SigV4. See RECORDING_LAKE_URI.")
        origin, self._host, self._base = origin_of(address.removesuffix("k"))
        self._signer = Signer(scope[2], scope[3])
        self._who = (client._request_signer, scope[3], scope[2])  # noqa: SLF001 - botocore offers no public way to either
        self._wire = BucketWire(client._endpoint.http_session, origin)  # noqa: SLF001

    def send(self, request: Request) -> Answer:
        """Send once and return the answer.

        Raises:
            ClientError: any other status than 2xx, or 2xx with an error inside (AWS CompleteMultipartUpload).
            BotoCoreError: no answer; what the server did is unknown.
        """
        reply = self._exchange(request)
        answer = Answer(reply.headers, reply.body)
        if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES or answer.root == "Error":
            raise _client_error(reply.status, answer, request.method)
        return answer

    def server_time(self) -> datetime | None:
        """Return what time it is at the bucket (``Date``, RFC 9110), whatever else it answers; ``None`` if unsaid."""
        reply = self._exchange(Request("HEAD", "", {}, UNSIGNED))
        try:
            return parsedate_to_datetime(reply.headers.get("date", ""))
        except (TypeError, ValueError):
            return None

    def _exchange(self, request: Request) -> Reply:
        for name, value in request.headers.items():
            if not _HEADER.match(value):
                raise IntegrityError(f"header {name} may hold printable ASCII only", key=request.key)
        path = self._base + _quoted(request.key)
        query = urlencode(request.query, quote_via=quote) if request.query else ""
        headers = {"Host": self._host, **request.headers}
        if isinstance(request.body, bytes) and request.method in ("PUT", "POST"):
            headers.setdefault("Content-Length", str(len(request.body)))
        signer, service, region = self._who
        # Asked each time: refreshable credentials renew themselves here.
        who = signer.get_auth_instance(service, region, "s3v4").credentials
        if who is None:
            raise NoCredentialsError
        signed = self._signer.signed(request.method, path, query, headers, request.payload, who)
        target = f"{path}?{query}" if query else path
        return self._wire.exchange(request.method, target, signed | _UNSIGNED_HEADERS, request.body)


def _quoted(key: str) -> str:
    """Encode a key as S3 signs it; the usual ones hold only one letter that changes."""
    return key.replace("=", "%3D") if _PLAIN_KEY.match(key) else quote(key, safe="/~")


def _client_error(status: int, answer: Answer, method: str) -> ClientError:
    """Return what boto3 would have raised, so that one table translates both."""
    error: dict[str, str] = {
        "Code": _first(_CODE, answer.body) or str(status),
        "Message": _first(_MESSAGE, answer.body),
    }
    region = answer.headers.get("x-amz-bucket-region") or _first(_REGION, answer.body)
    if region:
        error["Region"] = region
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": dict(answer.headers)}
    return ClientError(cast("Any", {"Error": error, "ResponseMetadata": metadata}), method)


def _first(pattern: re.Pattern[bytes], body: bytes) -> str:
    found = pattern.search(body, 0, _REPLY_BYTES_SEARCHED) if pattern is not _ROOT else pattern.match(body)
    return found[1].decode("utf-8", "replace") if found else ""
