"""The lake behind a few verbs: put once, look, read, list.

Write-once is the server's work (``If-None-Match: *``), integrity too (``x-amz-checksum-sha256``, or CRC64NVME of every
part and of the whole), and every write is read back. Clients come from Airflow's S3Hook, so every way of signing in
that the amazon provider knows works here.
"""

from __future__ import annotations

import copy
import io
import logging
import time
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, Any, cast

from include.canonical import sha256_hex
from include.errors import ArchiveError, IntegrityError, LakeConflict, LakeUnavailable
from include.lake.backoff import Backoff
from include.lake.bucket import Bucket, S3Client, client_config
from include.lake.bucket_guards import BucketGuard, bucket_guards
from include.lake.history import KeyHistory, OpenUpload, histories
from include.lake.listing import listed
from include.lake.multipart import MultipartUpload
from include.lake.protection import Protection
from include.lake.put_requests import IF_ABSENT, PartRequests, crc_text, get_request, head_request, put_request
from include.lake.retention import RetentionRules
from include.lake.s3_errors import KeyAbsentError, translated
from include.lake.server_clock import ServerClock
from include.lake.server_copy import COPY_BYTES_MAX
from include.lake.stale_uploads import open_uploads, sweep
from include.lake.stored_object import Put, StoredObject
from include.lake.versions import Versions
from include.lake.write_once import CONFLICT_ATTEMPTS, send_repeatedly, write_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from include.lake.server_copy import CopySource
    from include.lake.signed_http import Request
    from include.settings import LakeLocation

__all__ = ["CONFLICT_ATTEMPTS", "JSON_TYPE", "LakeStore", "Put", "S3Client", "StoredObject", "Writing", "client_config"]
log = logging.getLogger(__name__)
JSON_TYPE = "application/json"
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Writing:
    """How the lake writes. Objects above ``multipart_bytes`` go in parts of ``part_bytes``, more where S3 asks for it.

    Each such upload holds ``concurrent_parts`` parts in memory, and one more. ``retention`` has rules for recordings of
    some queues or divisions; ``LakeStore.under`` applies what they say.
    """

    protection: Protection = field(default_factory=Protection)
    retention: RetentionRules = field(default_factory=RetentionRules)
    multipart_bytes: int = 64 * 1024 * 1024
    part_bytes: int = 10 * 1024 * 1024
    concurrent_parts: int = 4
    stale_upload_seconds: float = 24 * 3600.0
    sleep: Callable[[float], None] = time.sleep


class LakeStore:
    """One lake: a bucket and a prefix. Keys are those of ``layout``, without the prefix. Thread-safe, as boto3 is.

    ``renew`` makes a client with fresh credentials when the bucket says that those in use have expired.
    """

    def __init__(
        self,
        client: S3Client,
        location: LakeLocation,
        writing: Writing | None = None,
        renew: Callable[[], S3Client] | None = None,
    ) -> None:
        self.location = location
        self.writing = writing or Writing()
        self._client = client
        self._bucket = Bucket(client, location.bucket, renew)
        self._prefix = f"{location.prefix}/" if location.prefix else ""
        self._backoff = Backoff(attempts=self._bucket.attempts, sleep=self.writing.sleep)
        self._clock = ServerClock(self._bucket.server_time, location.uri)

    def uri(self, key: str) -> str:
        """Return the full ``s3://`` address of a key, for people."""
        return f"s3://{self.location.bucket}/{self._prefix}{key}"

    def under(self, protection: Protection) -> LakeStore:
        """Return the same lake, through the same connections, whose writes are protected in another way."""
        if protection == self.writing.protection:
            return self
        other = copy.copy(self)
        other.writing = replace(self.writing, protection=protection)
        return other

    def kept_for(self, queues: Iterable[str], divisions: Iterable[str]) -> LakeStore:
        """Return the same lake as its retention rules protect recordings of these queues and divisions."""
        return self.under(self.writing.retention.protection(self.writing.protection, queues, divisions))

    @property
    def versions(self) -> Versions:
        """Every version of every object, for those who may erase and hold."""
        return Versions(self._bucket, self._prefix, self.location.uri)

    def guards(self) -> tuple[BucketGuard, ...]:
        """Return what the bucket itself guards; raises as ``bucket_guards``."""
        locks = self.writing.protection.needs_object_lock or self.writing.retention.needs_object_lock
        return bucket_guards(self._bucket, self.location.uri, locks=locks)

    def put_if_absent(self, key: str, body: IO[bytes], *, bytes_: int, sha256: str, media_type: str) -> Put:
        """Write the object unless the key exists, and read it back.

        ``body`` is read from its start and stays open. Same bytes under the key already: nothing happens. Where an
        answer is lost, the bucket is asked before anything is sent again.

        Raises:
            LakeConflict: other bytes stand under the key.
            IntegrityError: the bucket holds something else than it was sent, or refuses the bytes as damaged.
            LakeUnavailable: no answer; what happened is unknown and the put may be repeated.
            NotAuthorised, ConfigurationError: the credentials, the key for encryption or the bucket are wrong.
        """
        crc = ""
        if bytes_ > self.writing.multipart_bytes:
            created, crc = self._put_in_parts(key, body, bytes_, sha256, media_type)
        else:
            headers = {**self._kept(key), **IF_ABSENT}
            created = self._put_whole(key, self._sender(key, body, bytes_, sha256, media_type, headers))
        stored = self.head(key)
        if stored is None:
            raise LakeUnavailable(f"{self.uri(key)} is not there after it was written.", key=key)
        if (stored.bytes, stored.sha256) == (bytes_, sha256) and (not crc or stored.crc64nvme == crc):
            return Put(stored, created)
        if created:
            raise IntegrityError(f"{self.uri(key)} holds {stored.bytes} bytes, not what was sent.", key=key)
        raise LakeConflict(f"{self.uri(key)} already holds other bytes; nothing was overwritten.", key=key)

    def copy_if_absent(self, key: str, source: CopySource, *, bytes_: int, sha256: str, media_type: str) -> Put | None:
        """Let the server copy the object, where it can and proves it; ``None`` where it has to be put instead."""
        if source.endpoint != self._client.meta.endpoint_url or bytes_ > COPY_BYTES_MAX:
            return None
        request = source.request(self._prefix + key, media_type, self._kept(key))
        try:
            created = write_once(
                lambda: self._bucket.send(lambda: request), lambda: False, self._backoff, self.uri(key)
            )
            stored = self.head(key)
        except ArchiveError as error:
            log.info("%s is not copied by the server but sent: %s", self.uri(key), error)
            return None
        return Put(stored, created) if stored and (stored.bytes, stored.sha256) == (bytes_, sha256) else None

    def put_document(self, key: str, body: bytes) -> Put:
        """Write a JSON document unless the key exists; raises as ``put_if_absent`` does."""
        return self.put_if_absent(
            key, io.BytesIO(body), bytes_=len(body), sha256=sha256_hex(body), media_type=JSON_TYPE
        )

    def put_first(self, key: str, body: bytes) -> bytes:
        """Write a JSON document unless the key exists, and return what stands there: ``body``, or what came first.

        Raises:
            IntegrityError, LakeUnavailable, NotAuthorised, ConfigurationError: as ``put_if_absent``.
        """
        try:
            self.put_document(key, body)
        except LakeConflict:
            standing = self.read(key)
            if standing is None:
                raise LakeUnavailable(f"{self.uri(key)} vanished while it was read.", key=key) from None
            return standing
        return body

    def put_latest(self, key: str, body: bytes, media_type: str) -> bool:
        """Write a view that may be replaced (a report), only where its bytes differ; tell whether it was written.

        Raises:
            LakeUnavailable, NotAuthorised, ConfigurationError: as ``put_if_absent``.
        """
        digest = sha256_hex(body)
        headers = self.writing.protection.replaceable_headers(key)
        facts = (key, io.BytesIO(body), len(body), digest, media_type)
        current = self.head(key)
        if current is None:  # Of several runs that say it first at the same time, one writes.
            if self._put_whole(key, self._sender(*facts, {**headers, **IF_ABSENT})):
                return True
            current = self.head(key)
        if current is not None and current.sha256 == digest:
            return False
        send_repeatedly(self._sender(*facts, headers), self._backoff, self.uri(key))
        return True

    def head(self, key: str) -> StoredObject | None:
        """Return what the bucket says of the key, ``None`` where it holds nothing there."""
        try:
            answer = send_repeatedly(
                lambda: self._bucket.send(lambda: head_request(self._prefix + key)),
                self._backoff,
                self.uri(key),
                KeyAbsentError,
            )
        except KeyAbsentError:
            return None
        if not answer.headers.get("content-length", "").isdecimal():
            raise LakeUnavailable(f"The lake does not say how long {self.uri(key)} is.", key=key)
        return StoredObject.of_head(key, answer.headers)

    def read(self, key: str) -> bytes | None:
        """Return a small object whole, ``None`` where there is none."""
        try:
            with translated(self.uri(key), KeyAbsentError):
                answer = self._bucket.call("get_object", Key=self._prefix + key)
                return cast("IO[bytes]", answer["Body"]).read()
        except KeyAbsentError:
            return None

    def read_small(self, key: str) -> bytes | None:
        """Return an object of at most 8 MiB, ``None`` where there is none; a third of the work of ``read``.

        For the many small documents of a day, of which the caller knows the digest.

        Raises:
            LakeUnavailable, NotAuthorised, ConfigurationError: as ``put_if_absent``; also where the object is larger.
        """
        try:
            return send_repeatedly(
                lambda: self._bucket.send(lambda: get_request(self._prefix + key)),
                self._backoff,
                self.uri(key),
                KeyAbsentError,
            ).body
        except KeyAbsentError:
            return None

    def chunks(self, key: str) -> Iterator[bytes]:
        """Yield an object's bytes as they arrive, however many there are.

        Raises:
            LakeUnavailable, NotAuthorised, ConfigurationError: when there is no object, or it does not come whole.
        """
        with translated(self.uri(key)):
            answer = self._bucket.call("get_object", Key=self._prefix + key)
            yield from cast("Any", answer["Body"]).iter_chunks(CHUNK_BYTES)

    def histories(self, prefix: str) -> Iterator[KeyHistory]:
        """Yield the keys below the prefix in order, each with every version the bucket keeps of it.

        Raises:
            LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket does not list them.
        """
        return histories(self._bucket, self._prefix, prefix, self.uri(prefix))

    def open_uploads(self) -> list[OpenUpload]:
        """Return the uploads that nobody has completed or aborted; raises as ``histories`` does."""
        found = open_uploads(self._bucket, self._prefix, self.location.uri)
        return [OpenUpload(str(item["Key"]).removeprefix(self._prefix), item["Initiated"]) for item in found]

    def now(self) -> datetime:
        """Return what time it is by the bucket's own clock, which dates everything in it.

        Raises:
            LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket gives no answer.
        """
        with translated(self.location.uri):
            return self._clock.now()

    def list_keys(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """Yield the keys below the prefix in order, beginning behind ``after``."""
        return (str(entry["Key"]).removeprefix(self._prefix) for entry in self._listing(prefix, after))

    def stored_times(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """Yield the keys below the prefix in order, each with the moment at which the bucket took it (to the second).

        Raises:
            LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket does not list them.
        """
        for entry in self._listing(prefix):
            yield str(entry["Key"]).removeprefix(self._prefix), entry["LastModified"].replace(microsecond=0)

    def _listing(self, prefix: str, after: str = "") -> Iterator[dict[str, Any]]:
        begin = {"StartAfter": self._prefix + after} if after else {}
        for page in listed(self._bucket, self._prefix + prefix, self.uri(prefix), **begin):
            yield from page.get("Contents") or []

    def list_folders(self, prefix: str) -> Iterator[str]:
        """Yield what stands between the prefix and the next slash, such as ``date=2026-03-02/``, in order."""
        for page in listed(self._bucket, self._prefix + prefix, self.uri(prefix), Delimiter="/"):
            for entry in page.get("CommonPrefixes") or []:
                yield entry["Prefix"].removeprefix(self._prefix + prefix)

    def sweep_uploads(self) -> int:
        """Abort the uploads that killed workers left open below the prefix; return how many.

        Raises:
            LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket does not list them.
        """
        age = self.writing.stale_upload_seconds
        return sweep(self._bucket, self._prefix, self.location.uri, now=self.now(), age_seconds=age)

    def tidy(self) -> None:
        """Do what may be left undone: sweep, and only say so where the bucket does not let us."""
        try:
            swept = self.sweep_uploads()
        except ArchiveError as error:
            log.warning("Uploads that were left open could not be looked for: %s", error)
        else:
            log.info("%d uploads that were left open were aborted", swept)

    def _put_whole(self, key: str, send: Callable[[], object]) -> bool:
        return write_once(send, lambda: self.head(key) is not None, self._backoff, self.uri(key))

    def _put_in_parts(self, key: str, body: IO[bytes], bytes_: int, sha256: str, media_type: str) -> tuple[bool, str]:
        """Upload in parts; tell whether this call created the object, and its CRC64NVME if it may have."""
        # A gigabyte is not sent to learn that it is there already.
        if self.head(key) is not None:
            return False, ""
        headers = {"Content-Type": media_type, **self._kept(key)}
        upload = MultipartUpload(
            self._bucket,
            PartRequests(self._prefix + key, sha256, headers),
            self.uri(key),
            self._backoff,
            self.writing.concurrent_parts,
        )
        created, crc = upload.run(
            body,
            bytes_=bytes_,
            sha256=sha256,
            part_bytes=self.writing.part_bytes,
            is_there=lambda: self.head(key) is not None,
        )
        return created, crc_text(crc) if created else ""

    def _sender(
        self, key: str, body: IO[bytes], bytes_: int, sha256: str, media_type: str, headers: Mapping[str, str]
    ) -> Callable[[], object]:
        def request() -> Request:
            return put_request(
                self._prefix + key, body, bytes_=bytes_, sha256=sha256, media_type=media_type, headers=headers
            )

        return lambda: self._bucket.send(request)

    def _kept(self, key: str) -> dict[str, str]:
        """Return the headers of an object that is kept for years."""
        return self.writing.protection.headers(key, self.now)
