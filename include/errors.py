"""One error tree, named by what the caller does next.

Facts are attributes, the message is one sentence. Nothing here parses a message, and no error carries a token,
a client secret or a presigned URL. The Airflow retry policy (``plugins/genesys_archive/retry_policy.py``) is a table
over these classes::

    ArchiveError
    ├── RetriableError            nothing wrong with the request; try later
    │   ├── RateLimited           .retry_after_seconds
    │   ├── SourceUnavailable     5xx, connect failure, time-out
    │   ├── TransferInterrupted   .bytes_safe
    │   ├── UrlExpired            the presigned URL is too old; ask the job for a new one
    │   └── LakeUnavailable       the bucket did not answer, or not in time
    ├── SourceChanged             size or ETag moved under us; plan again
    ├── PermanentError            a person must act
    │   ├── NotAuthorised         credentials or permission
    │   ├── RequestRejected       our request is malformed: a bug
    │   ├── IntegrityError        bytes are not what was promised
    │   │   └── ArchiveRejected   a zip that must not be opened; .reason
    │   ├── LakeConflict          other bytes stand under a write-once key
    │   ├── ObjectLocked          a hold or a retention keeps the object; nothing was deleted
    │   ├── QuotaExceeded
    │   └── ConfigurationError
    └── SkippableError            expected absence; recorded, the run goes on
        ├── RecordingGone
        └── FormatUnsupported
"""

from __future__ import annotations


class ArchiveError(Exception):
    """Root of every error this project raises on purpose.

    Keyword arguments become attributes: facts for the caller, never parsed from the message.
    """

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.facts = dict(facts)

    @property
    def status(self) -> int | None:
        """HTTP status that led here, where one did."""
        status = self.facts.get("status")
        return status if isinstance(status, int) else None

    @property
    def code(self) -> str | None:
        """Genesys error code (``ErrorBody.code``), where the answer had one."""
        code = self.facts.get("code")
        return code if isinstance(code, str) else None


class RetriableError(ArchiveError):
    """Nothing is wrong with the request; the same request may succeed later."""


class RateLimited(RetriableError):  # noqa: N818 - named by what happened, as the whole tree is
    """The source asked for patience (429)."""

    def __init__(self, message: str, *, retry_after_seconds: float, **facts: object) -> None:
        super().__init__(message, **facts)
        self.retry_after_seconds = retry_after_seconds


class SourceUnavailable(RetriableError):  # noqa: N818
    """No usable answer: 5xx, connection refused or reset, or a deadline passed."""


class TransferInterrupted(RetriableError):  # noqa: N818
    """A download stopped early; ``bytes_safe`` bytes are proven good and can be kept."""

    def __init__(self, message: str, *, bytes_safe: int, **facts: object) -> None:
        super().__init__(message, **facts)
        self.bytes_safe = bytes_safe


class UrlExpired(RetriableError):  # noqa: N818
    """The presigned URL is no longer accepted; a fresh one must be asked of the job."""


class LakeUnavailable(RetriableError):  # noqa: N818
    """The bucket did not answer, or answered 5xx; what it did is unknown until read back."""


class SourceChanged(ArchiveError):  # noqa: N818
    """Size or ETag changed while we were reading; start that item again from zero."""


class PermanentError(ArchiveError):
    """Trying again changes nothing; a person must act."""


class NotAuthorised(PermanentError):  # noqa: N818
    """Credentials are refused or a permission is missing."""


class RequestRejected(PermanentError):  # noqa: N818
    """The source calls our request malformed: a bug here, or an unknown contract."""


class IntegrityError(PermanentError):
    """The bytes are not what was promised."""


class ArchiveRejected(IntegrityError):  # noqa: N818
    """A zip that is unsafe or damaged; ``reason`` is one stable word for reports."""

    def __init__(self, message: str, *, reason: str, **facts: object) -> None:
        super().__init__(message, **facts)
        self.reason = reason


class LakeConflict(PermanentError):  # noqa: N818
    """A write-once key already holds other bytes; nothing was overwritten."""


class ObjectLocked(PermanentError):  # noqa: N818
    """A legal hold or a retention keeps an object that was to be erased; nothing was deleted."""


class QuotaExceeded(PermanentError):  # noqa: N818
    """A byte budget is used up; what is left stays pending."""


class ConfigurationError(PermanentError):
    """A setting or connection is missing or contradicts itself; the message names it."""


class SkippableError(ArchiveError):
    """An expected absence, recorded as an exclusion."""


class RecordingGone(SkippableError):  # noqa: N818
    """404 or 410: deleted, or past its retention."""


class FormatUnsupported(SkippableError):  # noqa: N818
    """The source cannot deliver this recording in the format asked for."""
