"""What the bucket itself does for an archive: versions, locks, encryption, and who else may come in. Changes nothing.

Asked by a person before the first night, and by an auditor; the archive needs none of it to work. Names and codes are
those of the Amazon S3 API reference.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from include.lake.s3_errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.lake.bucket import Bucket

Answer = dict[str, Any]

_NOT_SET = frozenset(
    {
        "NoSuchBucketPolicy",
        "NoSuchPublicAccessBlockConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)
_NOT_ALLOWED = frozenset({"AccessDenied", "AllAccessDisabled"})
_NOT_KNOWN = frozenset({"NotImplemented", "MethodNotAllowed"})
_EVERYBODY = ("/global/AllUsers", "/global/AuthenticatedUsers")
_FOUR_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


class GuardState(StrEnum):
    """What is known of a guard."""

    GOOD = "good"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class BucketGuard:
    """One guard; the archive's promises rest on it where it is ``required``. ``note`` is a sentence for a person."""

    name: str
    state: GuardState
    note: str
    required: bool = False

    @property
    def is_enough(self) -> bool:
        """Whether nothing has to be done about it; what could not be asked is not enough where it is required."""
        return self.state is GuardState.GOOD or not self.required


class _UnknownError(Exception):
    """The question got no answer; the sentence says why."""


def bucket_guards(bucket: Bucket, where: str, *, locks: bool) -> tuple[BucketGuard, ...]:
    """Ask a bucket for its guards; ``where`` is the lake's address, ``locks`` whether a write may ask for Object Lock.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket does not answer at all.
    """
    asked = _Asked(bucket, where)
    return (
        _guard("versioning", asked.versioning, required=True),
        _guard("object_lock", asked.object_lock, required=locks),
        _guard("not_public", asked.not_public, required=True),
        _guard("encryption", asked.encryption),
        _guard("tls_only", asked.tls_only),
    )


def _guard(name: str, ask: Callable[[], tuple[bool, str]], *, required: bool = False) -> BucketGuard:
    try:
        good, note = ask()
    except _UnknownError as why:
        return BucketGuard(name, GuardState.UNKNOWN, str(why), required)
    return BucketGuard(name, GuardState.GOOD if good else GuardState.MISSING, note, required)


class _Asked:
    """The questions, each answered with whether the guard is there and a sentence."""

    def __init__(self, bucket: Bucket, where: str) -> None:
        self._bucket = bucket
        self._where = where

    def versioning(self) -> tuple[bool, str]:
        status = self._ask("get_bucket_versioning").get("Status", "never enabled")
        return status == "Enabled", f"{status}; without it nobody sees or undoes what is written over or deleted"

    def object_lock(self) -> tuple[bool, str]:
        found = self._ask("get_object_lock_configuration").get("ObjectLockConfiguration") or {}
        rule = (found.get("Rule") or {}).get("DefaultRetention") or {}
        if not found:
            return False, "no Object Lock: an administrator can delete what is archived, and no legal hold is possible"
        length = f"{rule.get('Days') or rule.get('Years')} {'days' if rule.get('Days') else 'years'}"
        return True, f"by default {rule['Mode']} for {length}" if rule else "no default retention: the settings decide"

    def not_public(self) -> tuple[bool, str]:
        try:
            blocks = self._ask("get_public_access_block").get("PublicAccessBlockConfiguration") or {}
        except _UnknownError:
            blocks = {}
        if all(blocks.get(name) is True for name in _FOUR_BLOCKS):
            return True, "public access is blocked"
        if (self._ask("get_bucket_policy_status").get("PolicyStatus") or {}).get("IsPublic"):
            return False, "its policy lets everybody in"
        grants = self._ask("get_bucket_acl").get("Grants") or []
        if any(str((grant.get("Grantee") or {}).get("URI", "")).endswith(_EVERYBODY) for grant in grants):
            return False, "its access list lets everybody in"
        return True, "nobody from outside, though no public access block keeps it so"

    def encryption(self) -> tuple[bool, str]:
        found = self._ask("get_bucket_encryption").get("ServerSideEncryptionConfiguration") or {}
        rules = [rule.get("ApplyServerSideEncryptionByDefault") or {} for rule in found.get("Rules") or []]
        names = ", ".join(str(rule.get("SSEAlgorithm")) for rule in rules)
        return bool(names), names or "no default encryption; RECORDING_ARCHIVE_SSE asks for it at each write"

    def tls_only(self) -> tuple[bool, str]:
        text = self._ask("get_bucket_policy").get("Policy") or "{}"
        found = json.loads(text).get("Statement") or []
        statements = found if isinstance(found, list) else [found]
        good = any(one.get("Effect") == "Deny" and _is_plain_http(one.get("Condition") or {}) for one in statements)
        return good, "plain HTTP is denied" if good else "its policy denies nobody plain HTTP (aws:SecureTransport)"

    def _ask(self, operation: str) -> Answer:
        """Return the answer, empty where nothing is set; raises ``_UnknownError`` where it is not to be had."""
        with translated(self._where):
            try:
                return self._bucket.call(operation)
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code")
                if code in _NOT_SET:
                    return {}
                if code in _NOT_ALLOWED:
                    raise _UnknownError(f"this role may not ask ({operation}); deploy/iam/auditor.json may") from None
                if code in _NOT_KNOWN:
                    raise _UnknownError(f"this server does not know the question ({operation})") from None
                raise


def _is_plain_http(condition: Answer) -> bool:
    return any(
        str(value).lower() == "false"
        for operator, keys in condition.items()
        if operator.lower().startswith("bool") and isinstance(keys, dict)
        for name, value in keys.items()
        if name.lower() == "aws:securetransport"
    )
