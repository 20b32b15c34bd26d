"""A large object in parts, side by side, as one object in the end or none at all.

The bucket computes CRC64NVME over each part and over the whole; both are compared with ours. S3 has no SHA-256 over an
object in parts, so the pinned one is kept as metadata of the object, and bound to its bytes here: a body that was
summed while it was downloaded (``file_sums``) is sent as it lies, and each part refused by the bucket that is not what
was hashed then; of any other, the SHA-256 of the very buffers that were sent decides before the upload is completed.
"""

from __future__ import annotations

import hashlib
import logging
import os
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from awscrt.checksums import combine_crc64nvme, crc64nvme

from include.errors import ArchiveError, IntegrityError
from include.lake.bucket_wire import FileSlice
from include.lake.file_sums import BLOCK_BYTES, FileSums, SummedBody
from include.lake.s3_errors import translated
from include.lake.write_once import send_repeatedly, write_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from include.lake.backoff import Backoff
    from include.lake.bucket import Bucket
    from include.lake.put_requests import PartRequests

log = logging.getLogger(__name__)
PART_BYTES_MIN = 5 * 1024 * 1024
CHANGED = "The file changed between its download and its upload."
PARTS_MAX = 10_000
"""Both: Amazon S3 multipart upload limits."""


@dataclass(frozen=True, slots=True)
class SentPart:
    """A part that the bucket has taken."""

    number: int
    length: int
    crc: int
    etag: str


def part_bytes_for(size: int, part_bytes: int) -> int:
    """Return how long each part but the last has to be.

    >>> part_bytes_for(1, 1), part_bytes_for(1 << 30, 10 << 20), part_bytes_for(1 << 40, 10 << 20)
    (5242880, 10485760, 109951163)
    """
    return max(part_bytes, PART_BYTES_MIN, -(-size // PARTS_MAX))


class MultipartUpload:
    """One upload of one file: ``run`` is the whole of it. Nothing is left behind, unless an answer is lost."""

    def __init__(self, bucket: Bucket, requests: PartRequests, where: str, backoff: Backoff, threads: int) -> None:
        self._bucket = bucket
        self._requests = requests
        self._where = where
        self._backoff = backoff
        self._threads = threads

    def run(
        self, body: IO[bytes], *, bytes_: int, sha256: str, part_bytes: int, is_there: Callable[[], bool]
    ) -> tuple[bool, int]:
        """Upload the file; return whether this call saw the object come into being, and its CRC64NVME.

        Raises:
            IntegrityError: the file is no longer what its SHA-256 says, or the bucket refuses a part as damaged.
            LakeUnavailable, NotAuthorised, ConfigurationError: as ``write_once``.
        """
        # Where only the answer was lost, another upload stays open: it has no parts, and the sweep ends it.
        upload_id = send_repeatedly(
            lambda: self._requests.opened(self._bucket.send(self._requests.open)), self._backoff, self._where
        )
        try:
            sent = self._send_parts(upload_id, _parts(body, bytes_, part_bytes_for(bytes_, part_bytes), sha256))
            crc = _whole_crc(sent)
            created = self._complete(upload_id, sent, crc, bytes_, is_there)
        except BaseException:
            self._abort(upload_id)
            raise
        if not created:
            self._abort(upload_id)
        return created, crc

    def _send_parts(self, upload_id: str, parts: Iterator[_Part]) -> list[SentPart]:
        """Read in order, send side by side, and hold no more parts than there are threads, and one."""
        sent: list[SentPart] = []
        pending: set[Future[SentPart]] = set()
        with ThreadPoolExecutor(self._threads, thread_name_prefix="upload") as pool:
            try:
                for number, part in enumerate(parts, start=1):
                    pending.add(pool.submit(self._send_part, upload_id, number, part))
                    if len(pending) >= self._threads:
                        done, pending = wait(pending, return_when=FIRST_COMPLETED)
                        sent += [future.result() for future in done]
                sent += [future.result() for future in pending]
            except BaseException:
                # An abort while parts are under way leaves them in the bucket, and on the bill (AWS S3).
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return sorted(sent, key=lambda part: part.number)

    def _send_part(self, upload_id: str, number: int, part: _Part) -> SentPart:
        crc = crc64nvme(part.body) if isinstance(part.body, bytes) else part.crc
        etag = ""

        def send() -> None:
            nonlocal etag
            answer = self._bucket.send(lambda: self._requests.part(upload_id, number, part.body, crc))
            etag = answer.headers.get("etag", "")

        send_repeatedly(send, self._backoff, f"{self._where} (part {number})")
        return SentPart(number, part.length, crc, etag)

    def _complete(
        self, upload_id: str, sent: list[SentPart], crc: int, bytes_: int, is_there: Callable[[], bool]
    ) -> bool:
        entries = [(part.number, part.etag, part.crc) for part in sent]

        def send() -> None:
            self._requests.completed(
                self._bucket.send(lambda: self._requests.complete(upload_id, entries, crc, bytes_))
            )

        # After 409 the parts would have to be sent again (AWS CompleteMultipartUpload): minutes, so Airflow's turn.
        return write_once(send, is_there, self._backoff, self._where, conflict_attempts=1)

    def _abort(self, upload_id: str) -> None:
        try:
            with translated(self._where):
                self._bucket.send(lambda: self._requests.abort(upload_id))
        except ArchiveError as error:
            # Gone already, or for the sweep: the reason that led here matters more.
            log.info("An unfinished upload of %s was left for the sweep: %s", self._where, error.code or error)


@dataclass(frozen=True, slots=True)
class _Part:
    """Bytes to be sent; ``crc`` is known of a stretch of a summed file, and still to be taken of those in memory."""

    body: bytes | FileSlice
    length: int
    crc: int = 0


def _parts(body: IO[bytes], bytes_: int, part_bytes: int, sha256: str) -> Iterator[_Part]:
    """Yield the parts of a file in order.

    Raises:
        IntegrityError: when its SHA-256 is another: at once where the body knows, else behind the last part.
    """
    if isinstance(body, SummedBody) and body.view is None and body.sums is not None and body.sums.in_blocks:
        return _known_parts(body.fileno(), body.sums, bytes_, part_bytes, sha256)
    return _read_parts(body, bytes_, part_bytes, sha256)


def _known_parts(fd: int, sums: FileSums, bytes_: int, part_bytes: int, sha256: str) -> Iterator[_Part]:
    if (sums.bytes, sums.hexdigest()) != (bytes_, sha256) or os.fstat(fd).st_size < bytes_:
        raise IntegrityError(CHANGED)
    step = -(-part_bytes // BLOCK_BYTES) * BLOCK_BYTES
    for start in range(0, bytes_, step):
        length = min(step, bytes_ - start)
        yield _Part(FileSlice(fd, start, length), length, sums.crc64nvme_of(start, length))


def _read_parts(body: IO[bytes], bytes_: int, part_bytes: int, sha256: str) -> Iterator[_Part]:
    body.seek(0)
    digest, left = hashlib.sha256(), bytes_
    while left:
        part = _filled(body, min(part_bytes, left))
        if not part:
            break
        digest.update(part)
        left -= len(part)
        yield _Part(part, len(part))
    if left or digest.hexdigest() != sha256:
        raise IntegrityError(CHANGED)


def _filled(body: IO[bytes], length: int) -> bytes:
    """Read so many bytes, fewer only at the end: a raw stream may return less, and S3 takes no short part."""
    pieces = []
    while length and (piece := body.read(length)):
        pieces.append(piece)
        length -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _whole_crc(sent: list[SentPart]) -> int:
    whole = 0
    for part in sent:
        whole = combine_crc64nvme(whole, part.crc, part.length)
    return whole
