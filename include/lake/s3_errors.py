"""Maps what boto3 raises onto the project's error tree: the lake's half of the closed error set."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from include.errors import ConfigurationError, IntegrityError, LakeUnavailable, NotAuthorised

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFUSED_STATUS = {401, 403}
# AWS S3 error responses: credentials that are refused with 400, not 403.
_REFUSED = {"ExpiredToken", "InvalidToken", "TokenRefreshRequired"}
# A region or an endpoint that is not the bucket's own: no repetition helps.
_MISPLACED = {
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "InvalidBucketName",
    "NoSuchBucket",
    "PermanentRedirect",
}
_ALTERED = {"BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"}


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
        raise NotAuthorised(f"There are no credentials for {where}. See connection recording_lake.") from None
    except ParamValidationError:
        # Raised before anything is sent; the only parameter a person chooses is the bucket's name.
        raise ConfigurationError(f"{where} is no address that S3 takes. See RECORDING_LAKE_URI.") from None
    except BotoCoreError as error:
        raise LakeUnavailable(f"No usable answer for {where}: {type(error).__name__}.") from None


def _of_answer(error: ClientError, where: str, expected: tuple[type[Exception], ...]) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if _ANSWERS.get(code) in expected:
        return _ANSWERS[code]()
    if code in _MISPLACED:
        return ConfigurationError(
            f"The bucket of {where} does not exist, not here at least: {code}. See RECORDING_LAKE_URI and connection "
            "recording_lake.",
            code=code,
        )
    if status in _REFUSED_STATUS or code in _REFUSED:
        return NotAuthorised(
            f"The lake refuses {where}: {code}. See connection recording_lake.", code=code, status=status
        )
    if code in _ALTERED:
        return IntegrityError(f"{where} did not arrive as it was sent ({code}).", code=code)
    return LakeUnavailable(f"The lake answered {code} for {where}.", code=code, status=status)
