"""What the bucket is told to do with an object for the years to come: lock, encryption, storage class, tags; pure.

Everything here becomes a header of the request that writes the object, so that there is no moment in which the object
exists without it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from include.environment import read_settings, variable_of
from include.errors import ConfigurationError
from include.lake.key_reading import is_shard_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NOT_LOCKED = "none"
LOCK_MODES = (NOT_LOCKED, "GOVERNANCE", "COMPLIANCE")
ENCRYPTIONS = ("", "AES256", "aws:kms")
DAYS_MAX = 100 * 365
"""Amazon S3 Object Lock: the longest retention."""
_STORAGE_CLASS = re.compile(r"[A-Z0-9_]{0,32}\Z")
_KMS_KEY = re.compile(r"[A-Za-z0-9:/_-]{0,2048}\Z")
_MEDIA = "media"


@dataclass(frozen=True, slots=True)
class Protection:
    """Read from ``RECORDING_ARCHIVE_<FIELD>``; the defaults leave everything to the bucket's own settings.

    Write-once objects are locked until ``retention_days`` after the bucket's own clock. Reports, which are replaced,
    never are, nor are shard plans: they hold facts of a hundred conversations, and one lock would keep them all.
    ``storage_class`` is for media and their metadata only. Tags are off unless asked for: writing them takes a
    permission of its own (``s3:PutObjectTagging``).

    Raises:
        ConfigurationError: when a value is none of its kind, or two contradict each other; the message names it.
    """

    object_lock_mode: str = NOT_LOCKED
    retention_days: int = 0
    legal_hold: bool = False
    sse: str = ""
    sse_kms_key_id: str = ""
    storage_class: str = ""
    object_tags: bool = False

    def __post_init__(self) -> None:
        _check("object_lock_mode", self.object_lock_mode in LOCK_MODES, "none, GOVERNANCE or COMPLIANCE")
        days_min = 1 if self.is_locking else 0
        _check("retention_days", days_min <= self.retention_days <= DAYS_MAX, f"{days_min} to {DAYS_MAX} days")
        _check("object_lock_mode", self.is_locking or not self.retention_days, "set where RETENTION_DAYS is")
        _check("sse", self.sse in ENCRYPTIONS, "AES256 or aws:kms")
        _check("sse", self.sse == "aws:kms" or not self.sse_kms_key_id, "aws:kms where SSE_KMS_KEY_ID is set")
        _check("sse_kms_key_id", bool(_KMS_KEY.match(self.sse_kms_key_id)), "the id or the ARN of a KMS key")
        _check("storage_class", bool(_STORAGE_CLASS.match(self.storage_class)), "a storage class of S3")

    @property
    def is_locking(self) -> bool:
        """Whether objects are locked."""
        return self.object_lock_mode != NOT_LOCKED

    @property
    def needs_object_lock(self) -> bool:
        """Whether the bucket must have Object Lock: it refuses writes that ask for a lock or a hold otherwise."""
        return self.is_locking or self.legal_hold

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Protection:
        """Build from environment variables; what is unset or empty has its default.

        Raises:
            ConfigurationError: when a value cannot be read; the message names the variable.
        """
        return read_settings(cls, environment)

    def headers(self, key: str, server_now: Callable[[], datetime]) -> dict[str, str]:
        """Return the headers of a write-once object; ``server_now`` is asked only where a lock needs it."""
        headers = self.replaceable_headers(key)
        if self.is_locking and not is_shard_plan(key):
            until = server_now() + timedelta(days=self.retention_days)
            headers["x-amz-object-lock-mode"] = self.object_lock_mode
            headers["x-amz-object-lock-retain-until-date"] = until.strftime("%Y-%m-%dT%H:%M:%SZ")
        if self.legal_hold and not is_shard_plan(key):
            headers["x-amz-object-lock-legal-hold"] = "ON"
        return headers

    def replaceable_headers(self, key: str) -> dict[str, str]:
        """Return the headers of a view that may be replaced."""
        headers = {"x-amz-tagging": urlencode(tags_of(key))} if self.object_tags else {}
        if self.sse:
            headers["x-amz-server-side-encryption"] = self.sse
        if self.sse_kms_key_id:
            headers["x-amz-server-side-encryption-aws-kms-key-id"] = self.sse_kms_key_id
        if self.storage_class and key.startswith(f"{_MEDIA}/"):
            headers["x-amz-storage-class"] = self.storage_class
        return headers


def tags_of(key: str) -> dict[str, str]:
    """Return the tags of a key: what it is, of which day, of which organisation; lifecycle rules can select by them.

    >>> tags_of("media/org=o1/date=2026-03-02/conversation=c/recording=r/0-ab.wav")
    {'kind': 'media', 'org': 'o1', 'date': '2026-03-02'}
    >>> tags_of("commits/date=2026-03-02/v=00000001.json")
    {'kind': 'commits', 'date': '2026-03-02'}
    """
    segments = key.split("/")
    tags = {"kind": "metadata" if key.endswith(".metadata.json") else segments[0]}
    named = dict(segment.split("=", 1) for segment in segments if "=" in segment)
    return tags | {name: named[name] for name in ("org", "date") if name in named}


def _check(name: str, good: bool, wanted: str) -> None:  # noqa: FBT001 - a question and its answer
    if not good:
        raise ConfigurationError(f"{variable_of(name)} must be {wanted}")
