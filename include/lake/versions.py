"""Every version of every object, and the guards on them: for erasing and holding, which the nightly archive never does.

A plain delete on a versioned bucket only hides; what is deleted here is named by its version, so that no version is
left. Names and codes are those of the Amazon S3 API reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from include.errors import ConfigurationError
from include.lake.listing import listed_versions
from include.lake.s3_errors import KeyAbsentError, translated
from include.lake.stale_uploads import sweep
from include.lake.stored_object import StoredObject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.lake.bucket import Bucket

_NOTHING_SET = frozenset(
    {"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "NoSuchObjectLegalHold"}
)
"""What servers answer where a version has no lock or no hold, or the bucket no Object Lock at all."""
_NO_OBJECT_LOCK = _NOTHING_SET | {"InvalidRequest", "NotImplemented", "MethodNotAllowed"}
CHUNK_BYTES = 1024 * 1024
COMPLIANCE, GOVERNANCE = "COMPLIANCE", "GOVERNANCE"


@dataclass(frozen=True, slots=True, order=True)
class ObjectVersion:
    """One version of a key, without the lake's prefix. A marker hides the versions before it and has no bytes."""

    key: str
    version_id: str
    bytes: int = 0
    is_marker: bool = False
    is_latest: bool = True


@dataclass(frozen=True, slots=True)
class Guards:
    """What keeps a version from being deleted; ``mode`` is empty where no retention is set."""

    mode: str = ""
    until: datetime | None = None
    held: bool = False


class Versions:
    """The versions below one lake's prefix. ``where`` is the lake's address, for sentences."""

    def __init__(self, bucket: Bucket, prefix: str, where: str) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._where = where

    def uri(self, key: str) -> str:
        """Return the full address of a key, for people."""
        return f"s3://{self._bucket.name}/{self._prefix}{key}"

    def list(self, prefix: str) -> Iterator[ObjectVersion]:
        """Yield all versions and markers below a prefix.

        Raises:
            LakeUnavailable, NotAuthorised, ConfigurationError: when they cannot be listed.
        """
        for page in listed_versions(self._bucket, self._prefix + prefix, self.uri(prefix)):
            yield from (self._version(entry, is_marker=False) for entry in page.get("Versions") or [])
            yield from (self._version(entry, is_marker=True) for entry in page.get("DeleteMarkers") or [])

    def digest(self, version: ObjectVersion) -> str:
        """Return the SHA-256 that the bucket knows of a version, empty where it knows none."""
        if version.is_marker:
            return ""
        try:
            with translated(self.uri(version.key), KeyAbsentError):
                answer = self._bucket.call("head_object", **self._name(version), ChecksumMode="ENABLED")
        except KeyAbsentError:
            return ""
        return StoredObject.of_head(version.key, answer["ResponseMetadata"]["HTTPHeaders"]).sha256

    def read(self, version: ObjectVersion) -> bytes:
        """Return a version whole."""
        with translated(self.uri(version.key)):
            answer = self._bucket.call("get_object", **self._name(version))
            return cast("bytes", answer["Body"].read())

    def chunks(self, version: ObjectVersion) -> Iterator[bytes]:
        """Yield a version's bytes as they arrive, however many there are."""
        with translated(self.uri(version.key)):
            answer = self._bucket.call("get_object", **self._name(version))
            yield from cast("Any", answer["Body"]).iter_chunks(CHUNK_BYTES)

    def can_lock(self) -> bool:
        """Whether the bucket has Object Lock."""
        return bool(self._ask("get_object_lock_configuration", _NO_OBJECT_LOCK))

    def guards(self, version: ObjectVersion) -> Guards:
        """Return what keeps a version; asked explicitly, since HEAD leaves out what the caller may not see.

        Raises:
            NotAuthorised: when this role may not see locks: then nothing can be promised of them.
        """
        if version.is_marker:
            return Guards()
        name = self._name(version)
        retention = self._ask("get_object_retention", _NOTHING_SET, **name).get("Retention") or {}
        until = retention.get("RetainUntilDate")
        return Guards(
            mode=str(retention.get("Mode") or ""),
            until=until.astimezone(UTC) if isinstance(until, datetime) else None,
            held=self.is_held(version),
        )

    def is_held(self, version: ObjectVersion) -> bool:
        """Whether a version is under a legal hold; raises as ``guards`` does."""
        if version.is_marker:
            return False
        hold = self._ask("get_object_legal_hold", _NOTHING_SET, **self._name(version)).get("LegalHold") or {}
        return bool(hold.get("Status") == "ON")

    def delete(self, version: ObjectVersion, *, bypass_governance: bool = False) -> None:
        """Delete one version for good; deleting what is gone already is no error.

        Raises:
            NotAuthorised: a lock, a hold or the role forbids it.
            LakeUnavailable: no usable answer.
        """
        extra = {"BypassGovernanceRetention": True} if bypass_governance else {}
        with translated(self.uri(version.key)):
            self._bucket.call("delete_object", **self._name(version), **extra)

    def hold(self, version: ObjectVersion, *, on: bool) -> None:
        """Set or lift the legal hold of one version.

        Raises:
            ConfigurationError: the bucket has no Object Lock.
            NotAuthorised: this role may not.
        """
        with translated(self.uri(version.key)):
            status = {"Status": "ON" if on else "OFF"}
            self._bucket.call("put_object_legal_hold", **self._name(version), LegalHold=status)

    def abort_uploads(self, prefix: str, now: datetime) -> int:
        """Abort every upload in parts that is open below a prefix, however young; return how many."""
        # An hour ahead: also those that were opened this second are old enough.
        later = now + timedelta(hours=1)
        return sweep(self._bucket, self._prefix + prefix, self._where, now=later, age_seconds=0)

    def require_object_lock(self) -> None:
        """Refuse a bucket that cannot hold anything.

        Raises:
            ConfigurationError: when it has no Object Lock.
        """
        if not self.can_lock():
            raise ConfigurationError(
                f"The bucket of {self._where} has no Object Lock, so nothing in it can be put under a legal hold. "
                "Its owner can enable Object Lock when the bucket is made, or later where it keeps versions "
                "(aws s3api put-object-lock-configuration); docs/connect.md, The bucket, has the commands."
            )

    def _ask(self, operation: str, unset: frozenset[str], **arguments: object) -> dict[str, Any]:
        """Return the answer, empty where the server says that nothing is set."""
        with translated(self._where):
            try:
                return self._bucket.call(operation, **arguments)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in unset:
                    return {}
                raise

    def _name(self, version: ObjectVersion) -> dict[str, object]:
        return {"Key": self._prefix + version.key, "VersionId": version.version_id}

    def _version(self, entry: dict[str, Any], *, is_marker: bool) -> ObjectVersion:
        return ObjectVersion(
            key=str(entry["Key"]).removeprefix(self._prefix),
            version_id=str(entry.get("VersionId") or "null"),
            bytes=int(entry.get("Size") or 0),
            is_marker=is_marker,
            is_latest=bool(entry.get("IsLatest")),
        )
