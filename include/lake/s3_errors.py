"""Maps what boto3 raises onto the project's error tree: the lake's half of the closed error set."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from include.errors import ConfigurationError, IntegrityError, LakeUnavailable, NotAuthorised

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFUSED = {"403", "401", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}


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
def translated(where: str) -> Iterator[None]:
    """Run one call to the bucket; ``where`` is the full address, for the sentence.

    Raises:
        KeyAbsentError, KeyExistsError, ConflictingWriteError: the three answers a caller may expect.
        LakeUnavailable, NotAuthorised, ConfigurationError, IntegrityError: everything else.
    """
    try:
        yield
    except ClientError as error:
        raise _of_answer(error, where) from None
    except BotoCoreError as error:
        raise LakeUnavailable(f"No usable answer for {where}: {type(error).__name__}.") from None


def _of_answer(error: ClientError, where: str) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in _ANSWERS:
        return _ANSWERS[code]()
    if code == "NoSuchBucket":
        return ConfigurationError(f"The bucket of {where} does not exist.", code=code)
    if code in _REFUSED:
        return NotAuthorised(f"The lake refuses {where}: {code}. See connection recording_lake.", code=code)
    if code == "BadDigest":
        return IntegrityError(f"{where} did not arrive as it was sent (BadDigest).", code=code)
    return LakeUnavailable(f"The lake answered {code} for {where}.", code=code, status=status)
