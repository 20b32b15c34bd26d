"""The bucket that the native integration writes to: listed and read, never written.

Deleting from it is the work of a gate (``include/transfer/export_delete.py``), which is shut unless somebody opens it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.lake.bucket import Bucket
from include.lake.listing import listed
from include.lake.s3_errors import KeyAbsentError, translated
from include.lake.server_copy import CopySource
from include.lake.store import LakeStore
from include.secret import PresignedUrl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from include.lake.bucket import S3Client
    from include.lake.versions import Versions
    from include.settings import LakeLocation

URL_SECONDS = 3600


@dataclass(frozen=True, slots=True, order=True)
class ExportObject:
    """One object as the bucket lists it; ``stored_at`` is the bucket's own time."""

    stored_at: datetime
    key: str
    etag: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ExportVersion:
    """One version of an object; ``version_id`` is ``null`` where the bucket keeps none."""

    key: str
    version_id: str
    etag: str
    bytes: int


class ExportBucket:
    """Bucket and prefix of the export. Keys are without the prefix. Thread-safe, as boto3 is."""

    def __init__(self, client: S3Client, location: LakeLocation, renew: Callable[[], S3Client] | None = None) -> None:
        self.location = location
        self._client = client
        self._bucket = Bucket(client, location.bucket, renew)
        self._prefix = f"{location.prefix}/" if location.prefix else ""
        # The verbs that only read are the lake's own.
        self._store = LakeStore(client, location, renew=renew)

    def uri(self, key: str) -> str:
        """Return the full address of a key, for people and for custody."""
        return self._store.uri(key)

    @property
    def versions(self) -> Versions:
        """Every version of every object, for the gate that may delete and for nobody else."""
        return self._store.versions

    @property
    def host(self) -> str:
        """The host of the addresses that ``url`` gives out."""
        return self.url("-").host

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield what stands between the prefix and the next slash; raises as ``objects`` does."""
        return self._store.list_folders(prefix)

    def objects(self, prefix: str) -> Iterator[ExportObject]:
        """Yield every object below the prefix, in the order of keys.

        Raises:
            LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket does not list them.
        """
        for page in listed(self._bucket, self._prefix + prefix, self.uri(prefix)):
            for entry in page.get("Contents") or []:
                key = str(entry["Key"]).removeprefix(self._prefix)
                yield ExportObject(entry["LastModified"], key, str(entry["ETag"]), int(entry["Size"]))

    def read(self, key: str) -> bytes | None:
        """Return a small object, ``None`` where it is gone; raises as ``objects`` does."""
        return self._store.read_small(key)

    def current(self, key: str) -> ExportVersion | None:
        """Return what stands under a key now, ``None`` where nothing does; raises as ``objects`` does."""
        try:
            with translated(self.uri(key), KeyAbsentError):
                answer = self._bucket.call("head_object", Key=self._prefix + key)
        except KeyAbsentError:
            return None
        return ExportVersion(
            key, str(answer.get("VersionId") or "null"), str(answer["ETag"]), int(answer["ContentLength"])
        )

    def sha256(self, key: str) -> str:
        """Return the digest that the bucket keeps of the whole object, empty where it keeps none."""
        found = self._store.head(key)
        # Of an object in parts only a writer's own word would be there, and that writer is not us.
        return found.sha256 if found is not None and not found.crc64nvme else ""

    def url(self, key: str) -> PresignedUrl:
        """Return an address from which the object can be fetched for an hour: a credential, never to be stored."""
        parameters = {"Bucket": self.location.bucket, "Key": self._prefix + key}
        sign = self._client.generate_presigned_url
        return PresignedUrl(sign("get_object", Params=parameters, ExpiresIn=URL_SECONDS))  # type: ignore[call-arg]  # boto3 has it

    def copy_source(self, item: ExportObject, sha256: str) -> CopySource | None:
        """Return the object as one that a server may copy, where its bucket keeps this very digest of it."""
        if self.sha256(item.key) != sha256:
            return None
        endpoint = str(self._client.meta.endpoint_url)
        return CopySource(f"{self.location.bucket}/{self._prefix}{item.key}", item.etag, endpoint)
