"""Maps what boto3 raises onto the project's error tree: the lake's half of the closed error set."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)
from urllib3.exceptions import HTTPError

from include.errors import ConfigurationError, IntegrityError, LakeUnavailable, NotAuthorised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_REFUSED_STATUS = {401, 403}
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
"""AWS S3 and STS error responses: credentials that were good once, refused with 400 and not 403."""
# A region or an endpoint that is not the bucket's own: no repetition helps.
_MISPLACED_STATUS = {301, 307, 308}
_MISPLACED = {
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "InvalidBucketName",
    "NoSuchBucket",
    "PermanentRedirect",
    "TemporaryRedirect",
}
# What a request asked for that this bucket or this server cannot do, such as a lock where no Object Lock is.
_UNSUPPORTED = {"InvalidArgument", "InvalidRequest", "InvalidRetentionPeriod", "InvalidStorageClass", "InvalidTag"}
_SKEWED = {"RequestTimeTooSkewed", "RequestExpired"}
ALTERED = frozenset({"BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"})
_SEE = "See connection recording_lake."
_WORDS_MAX = 400


class KeyAbsentError(Exception):
    """404 for a key: an answer, not a failure."""


class KeyExistsError(Exception):
    """412 for ``If-None-Match: *``: the key is taken."""


class ConflictingWriteError(Exception):
    """409 for a conditional put: another write of the key is under way, to be sent again (AWS PutObject)."""


_ANSWERS: dict[str, type[Exception]] = {
    "404": KeyAbsentError,
    "NoSuchKey": KeyAbsentError,
    "NotFound": KeyAbsentError,
    "412": KeyExistsError,
    "PreconditionFailed": KeyExistsError,
    "409": ConflictingWriteError,
    "ConditionalRequestConflict": ConflictingWriteError,
    "OperationAborted": ConflictingWriteError,
}


@contextmanager
def translated(where: str, *expected: type[Exception]) -> Iterator[None]:
    """Run one call to the bucket; ``where`` is the full address, for the sentence.

    Raises:
        KeyAbsentError, KeyExistsError, ConflictingWriteError: those of the three that the caller names in ``expected``.
        LakeUnavailable, NotAuthorised, ConfigurationError, IntegrityError: everything else.
    """
    try:
        yield
    except ClientError as error:
        raise _of_answer(error, where, expected) from None
    except (NoCredentialsError, PartialCredentialsError):
        raise NotAuthorised(f"There are no credentials for {where}. {_SEE}") from None
    except ParamValidationError:
        # Raised before anything is sent; the only parameter a person chooses is the bucket's name.
        raise ConfigurationError(f"{where} is no address that S3 takes. See RECORDING_LAKE_URI.") from None
    except (BotoCoreError, HTTPError) as error:
        # urllib3's own where a refusal is cut short: botocore reads its body outside of what it translates.
        raise LakeUnavailable(f"No usable answer for {where}: {type(error).__name__}.") from None


def _of_answer(error: ClientError, where: str, expected: tuple[type[Exception], ...]) -> Exception:
    said: Mapping[str, str] = error.response.get("Error", {})  # type: ignore[assignment]  # botocore's own keys differ
    metadata = error.response.get("ResponseMetadata", {})
    code, status = str(said.get("Code", "")), metadata.get("HTTPStatusCode")
    headers: Mapping[str, str] = metadata.get("HTTPHeaders") or {}
    if _ANSWERS.get(code) in expected:
        return _ANSWERS[code]()
    if code in _MISPLACED or status in _MISPLACED_STATUS:
        region = headers.get("x-amz-bucket-region") or said.get("Region")
        return ConfigurationError(_misplaced(where, code, region), code=code, region=region)
    refusal = _refusal(code, status, where, said.get("Message", ""), headers)
    if refusal:
        return NotAuthorised(refusal, code=code, status=status)
    if code in ALTERED:
        return IntegrityError(f"{where} did not arrive as it was sent ({code}).", code=code)
    if code in _UNSUPPORTED:
        return ConfigurationError(
            f"The bucket cannot store {where} as asked ({code}): look at RECORDING_ARCHIVE_OBJECT_LOCK_MODE, _SSE and "
            "_STORAGE_CLASS, and at the bucket's own settings.",
            code=code,
        )
    return LakeUnavailable(f"The lake answered {code} for {where}.", code=code, status=status)


def _refusal(code: str, status: int | None, where: str, message: str, headers: Mapping[str, str]) -> str:
    """Return the sentence for somebody who may not, empty where that is not what the answer says."""
    if code.startswith("KMS") or (code == "AccessDenied" and "kms:" in message):
        return (
            f"The key that encrypts {where} cannot be used ({code}): the worker needs kms:GenerateDataKey and "
            "kms:Decrypt on RECORDING_ARCHIVE_SSE_KMS_KEY_ID."
        )
    if code in _SKEWED:
        return f"The lake refuses {where}: {_skew(headers)} ({code}). {_SEE}"
    if code in EXPIRED:
        return f"The credentials for {where} have expired ({code}). {_SEE}"
    if status in _REFUSED_STATUS or code == "InvalidToken":
        return f"The lake refuses {where}: {code}{_why(code, message)}. {_SEE}"
    return ""


def _why(code: str, message: str) -> str:
    """Return which action no policy allows, or which one denies it (AWS IAM, access denied error messages).

    Of ``AccessDenied`` only: what is said about credentials may name them.
    """
    words = " ".join(unescape(message).split()).rstrip(".")
    return f", {words[:_WORDS_MAX]}" if code == "AccessDenied" and words not in {"", "Access Denied"} else ""


def _misplaced(where: str, code: str, region: str | None) -> str:
    if region:
        return f"The bucket of {where} is in region {region} ({code}): set region_name in connection recording_lake."
    return (
        f"The bucket of {where} does not exist, not here at least: {code}. See RECORDING_LAKE_URI and connection "
        "recording_lake."
    )


def _skew(headers: Mapping[str, str]) -> str:
    """Say how far this machine's clock is off; S3 takes requests up to 15 minutes old."""
    try:
        server = parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        return "this machine's clock is wrong"
    minutes = (datetime.now(UTC) - server).total_seconds() / 60
    return f"this machine's clock is {abs(minutes):.0f} minutes {'ahead' if minutes > 0 else 'behind'}"
