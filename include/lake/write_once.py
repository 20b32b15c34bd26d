"""Send something until the bucket has it: the rule for every write whose end may be unknown.

No answer does not mean no effect. So the bucket is asked what it holds before anything is sent a second time, and what
is found there is for the caller to compare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from include.errors import IntegrityError, LakeUnavailable
from include.lake.s3_errors import ALTERED, ConflictingWriteError, KeyExistsError, translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.lake.backoff import Backoff

Result = TypeVar("Result")
CONFLICT_ATTEMPTS = 3
DAMAGED_ATTEMPTS = 2
"""Bytes that change on their way are a broken cable; bytes that change twice are a wrong digest."""


def write_once(
    send: Callable[[], object],
    is_there: Callable[[], bool],
    backoff: Backoff,
    where: str,
    *,
    conflict_attempts: int = CONFLICT_ATTEMPTS,
) -> bool:
    """Send until the key is there; true where this call saw the bucket take it.

    Raises:
        LakeUnavailable: no usable answer within the attempts, and the key is not there.
        IntegrityError: the bucket keeps refusing the bytes as damaged.
        NotAuthorised, ConfigurationError: as the answer says.
    """
    tries = _Tries(backoff, where, conflict_attempts)
    while True:
        try:
            with translated(where, KeyExistsError, ConflictingWriteError):
                send()
        except KeyExistsError:
            return False
        except IntegrityError as error:
            tries.survive(error)
        except (ConflictingWriteError, LakeUnavailable) as error:
            may_be_there = isinstance(error, LakeUnavailable) or tries.is_last_conflict
            if may_be_there and is_there():
                return False
            tries.survive(error)
        else:
            return True


def send_repeatedly(send: Callable[[], Result], backoff: Backoff, where: str, *expected: type[Exception]) -> Result:
    """Send what may be sent twice without harm: a question, a part of an upload, a view that is replaced as a whole.

    Raises:
        LakeUnavailable, IntegrityError, NotAuthorised, ConfigurationError: as ``write_once``.
        KeyAbsentError: where ``expected`` names it, as ``translated``.
    """
    tries = _Tries(backoff, where, CONFLICT_ATTEMPTS)
    while True:
        try:
            with translated(where, *expected):
                return send()
        except (IntegrityError, LakeUnavailable) as error:
            tries.survive(error)


class _Tries:
    """What may still be tried; each kind of failure has a count of its own."""

    def __init__(self, backoff: Backoff, where: str, conflict_attempts: int) -> None:
        self._backoff = backoff
        self._where = where
        self._unknown_left = backoff.attempts
        self._damaged_left = DAMAGED_ATTEMPTS
        self._conflicts_left = conflict_attempts
        self._failures = 0

    @property
    def is_last_conflict(self) -> bool:
        """Whether the next conflict ends it."""
        return self._conflicts_left == 1

    def survive(self, error: Exception) -> None:
        """Wait as is fitting, or raise where the attempts are used up."""
        self._failures += 1
        if isinstance(error, ConflictingWriteError):
            # 409: another write of this key is under way; AWS says to send it again.
            self._conflicts_left -= 1
            if not self._conflicts_left:
                raise LakeUnavailable(f"{self._where} is being written by others.") from None
        elif isinstance(error, LakeUnavailable):
            self._unknown_left -= 1
            if not self._unknown_left:
                raise error
        else:
            self._damaged_left -= 1
            if not (isinstance(error, IntegrityError) and error.code in ALTERED and self._damaged_left):
                raise error
        self._backoff.wait(self._failures)
