"""Uploads in parts that a killed worker left open: they cost money, and no listing of objects shows them."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from include.errors import ArchiveError
from include.lake.s3_errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from include.lake.bucket import Bucket

log = logging.getLogger(__name__)


def sweep(bucket: Bucket, prefix: str, where: str, *, now: datetime, age_seconds: float) -> int:
    """Abort the uploads below ``prefix`` that were opened more than ``age_seconds`` ago; return how many.

    An upload that is younger may be somebody's work.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: when they cannot be listed.
    """
    aborted = 0
    for upload in list(open_uploads(bucket, prefix, where)):
        if now - upload["Initiated"] <= timedelta(seconds=age_seconds):
            continue
        try:
            with translated(where):
                bucket.call("abort_multipart_upload", Key=upload["Key"], UploadId=upload["UploadId"])
        except ArchiveError as error:
            log.warning("An upload that was left open could not be aborted: %s", error)
        else:
            aborted += 1
            log.info("Aborted an upload of s3://%s/%s that was left open", bucket.name, upload["Key"])
    return aborted


def open_uploads(bucket: Bucket, prefix: str, where: str) -> Iterator[dict[str, Any]]:
    """Yield the uploads below ``prefix`` as ListMultipartUploads describes them; raises as ``sweep`` does."""
    arguments: dict[str, object] = {"Prefix": prefix}
    while True:
        with translated(where):
            page = bucket.call("list_multipart_uploads", **arguments)
        yield from page.get("Uploads") or []
        if not page.get("IsTruncated"):
            return
        arguments |= {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
