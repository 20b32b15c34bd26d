"""An object that goes in parts, and what an upload of it leaves behind."""

from __future__ import annotations

import hashlib
import io
import os

from include.lake.multipart import PART_BYTES_MIN

KEY = "media/a/0-x.wav"
BODY = os.urandom(2 * PART_BYTES_MIN + 12_345)
SHA256 = hashlib.sha256(BODY).hexdigest()
PARTS = {"multipart_bytes": PART_BYTES_MIN, "part_bytes": PART_BYTES_MIN}


def put(lake, body=BODY, key=KEY, sha256=None):
    """Put bytes as a long recording would be put."""
    digest = sha256 or hashlib.sha256(body).hexdigest()
    return lake.put_if_absent(key, io.BytesIO(body), bytes_=len(body), sha256=digest, media_type="audio/wav")


def open_uploads(client, lake):
    """Return the uploads under the lake's prefix that nobody completed or aborted."""
    answer = client.list_multipart_uploads(Bucket=lake.location.bucket, Prefix=lake.location.prefix)
    return answer.get("Uploads", [])
