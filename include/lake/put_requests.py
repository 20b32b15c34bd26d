"""The requests that write, header by header; pure. Names and meanings are those of the Amazon S3 API reference."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from botocore.exceptions import ClientError

from include.errors import IntegrityError
from include.lake.bucket_wire import PIECE_BYTES, FileSlice
from include.lake.file_sums import SummedBody
from include.lake.signed_http import UNSIGNED, Request
from include.lake.stored_object import SHA256_METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from include.lake.bucket_wire import Body
    from include.lake.signed_http import Answer

_UPLOAD_ID = re.compile(rb"<UploadId>\s*([^<\s]{1,1024})\s*</UploadId>")
IF_ABSENT = {"If-None-Match": "*"}
_EMPTY = hashlib.sha256(b"").hexdigest()


def put_request(
    key: str,
    body: IO[bytes],
    *,
    bytes_: int,
    sha256: str,
    media_type: str,
    headers: Mapping[str, str],
) -> Request:
    """Return PutObject; the SHA-256 goes into the signature and beside the object, so that the bucket checks it.

    Raises:
        IntegrityError: when the file is shorter than it was; half a body would leave the server waiting.
    """
    if body.seek(0, os.SEEK_END) < bytes_:
        raise IntegrityError("The file became shorter between its download and its upload.", key=key)
    body.seek(0)
    return Request(
        method="PUT",
        key=key,
        payload=sha256,
        body=_body_of(body, bytes_),
        headers={
            "Content-Length": str(bytes_),
            "Content-Type": media_type,
            "x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(sha256)).decode(),
            # Object Lock wants to see an algorithm named, not only its result.
            "x-amz-sdk-checksum-algorithm": "SHA256",
            **headers,
        },
    )


def head_request(key: str) -> Request:
    """Return HeadObject that tells the checksums too."""
    return Request("HEAD", key, {"x-amz-checksum-mode": "ENABLED"}, _EMPTY)


def get_request(key: str) -> Request:
    """Return GetObject."""
    return Request("GET", key, {}, _EMPTY)


def _body_of(body: IO[bytes], bytes_: int) -> Body:
    """Return the body's own memory or file where it shows them, small ones whole, else what is read piece by piece."""
    if bytes_ and isinstance(body, SummedBody):
        return FileSlice(body.fileno(), 0, bytes_) if body.view is None else body.view[:bytes_]
    return body.read(bytes_) if bytes_ <= PIECE_BYTES else file_pieces(body, bytes_)


def file_pieces(body: IO[bytes], bytes_: int) -> Iterator[bytes]:
    """Yield ``bytes_`` bytes of a file from where it stands."""
    left = bytes_
    while left and (piece := body.read(min(PIECE_BYTES, left))):
        left -= len(piece)
        yield piece


@dataclass(frozen=True, slots=True)
class PartRequests:
    """The requests of one upload in parts. ``headers`` describe the object: its type, its protection, its tags."""

    key: str
    sha256: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def open(self) -> Request:
        """Return CreateMultipartUpload."""
        headers = {
            "x-amz-checksum-algorithm": "CRC64NVME",
            "x-amz-checksum-type": "FULL_OBJECT",
            f"x-amz-meta-{SHA256_METADATA}": self.sha256,
            **self.headers,
        }
        return Request("POST", self.key, headers, _EMPTY, query={"uploads": ""})

    def opened(self, answer: Answer) -> str:
        """Return the upload's id.

        Raises:
            ClientError: when the answer has none.
        """
        found = _UPLOAD_ID.search(answer.body)
        if found is None:
            raise _unusable("CreateMultipartUpload")
        return found[1].decode()

    def part(self, upload_id: str, number: int, part: bytes | FileSlice, crc: int) -> Request:
        """Return UploadPart; its checksum is signed, and the bucket refuses a part that does not have it."""
        length = part.length if isinstance(part, FileSlice) else len(part)
        headers = {"Content-Length": str(length), "x-amz-checksum-crc64nvme": crc_text(crc)}
        query = {"partNumber": str(number), "uploadId": upload_id}
        return Request("PUT", self.key, headers, UNSIGNED, part, query)

    def complete(self, upload_id: str, parts: Sequence[tuple[int, str, int]], crc: int, bytes_: int) -> Request:
        """Return CompleteMultipartUpload from number, ETag and CRC of each part; the bucket checks each and the sum."""
        entries = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{_escaped(etag)}</ETag>"
            f"<ChecksumCRC64NVME>{crc_text(part_crc)}</ChecksumCRC64NVME></Part>"
            for number, etag, part_crc in parts
        )
        namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
        body = f'<CompleteMultipartUpload xmlns="{namespace}">{entries}</CompleteMultipartUpload>'.encode()
        headers = {
            "Content-Length": str(len(body)),
            "Content-Type": "application/xml",
            "x-amz-checksum-crc64nvme": crc_text(crc),
            "x-amz-checksum-type": "FULL_OBJECT",
            "x-amz-mp-object-size": str(bytes_),
            **IF_ABSENT,
        }
        return Request("POST", self.key, headers, hashlib.sha256(body).hexdigest(), body, {"uploadId": upload_id})

    def completed(self, answer: Answer) -> None:
        """Agree to the end of an upload.

        Raises:
            ClientError: when the answer is not the one that says so; S3 sends 200 before it knows how it will end.
        """
        if answer.root != "CompleteMultipartUploadResult":
            raise _unusable("CompleteMultipartUpload")

    def abort(self, upload_id: str) -> Request:
        """Return AbortMultipartUpload."""
        return Request("DELETE", self.key, {}, _EMPTY, query={"uploadId": upload_id})


def crc_text(crc: int) -> str:
    """Return a CRC64 as S3 spells it.

    >>> crc_text(0)
    'AAAAAAAAAAA='
    """
    return base64.b64encode(crc.to_bytes(8, "big")).decode()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unusable(operation: str) -> ClientError:
    answer = {"Error": {"Code": "UnusableAnswer", "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 200}}
    return ClientError(answer, operation)  # type: ignore[arg-type]  # as botocore fills it
