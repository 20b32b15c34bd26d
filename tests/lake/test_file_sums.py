"""What a file was when it came is what the bucket is held to, although nobody reads it again to send it."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest
from awscrt.checksums import crc64nvme
from hypothesis import given
from hypothesis import strategies as st

from include.errors import IntegrityError
from include.lake.file_sums import BLOCK_BYTES, FileSums, SummedBody
from include.lake.multipart import PART_BYTES_MIN
from include.transfer.recording_spool import BufferPool, Spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "media/a/0-x.wav"
BODY = os.urandom(2 * PART_BYTES_MIN + 12_345)
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """A recording at rest in a file, summed as it came."""
    with Spool(BufferPool(1, 1000), tmp_path) as spool:
        spool.write_at(0, memoryview(BODY))
        spool.sums = FileSums(in_blocks=True)
        spool.sums.update(memoryview(BODY))
        yield spool


@pytest.fixture
def large_lake(lake, lake_at, object_store):
    """The same lake as ``lake``, with a low limit for uploads in parts."""
    keys = {"access_key": object_store.access_key, "secret_key": object_store.secret_key}
    place = {"bucket": lake.location.bucket, "prefix": lake.location.prefix}
    sizes = {"multipart_bytes": PART_BYTES_MIN, "part_bytes": PART_BYTES_MIN + 1}
    return lake_at(object_store.endpoint_url, **place, **keys, **sizes)


def put(lake, spool: Spool):
    """Put the spool as a long recording is put."""
    return lake.put_if_absent(KEY, spool, bytes_=len(BODY), sha256=SHA256, media_type="audio/wav")


@given(
    content=st.binary(min_size=1, max_size=40).map(lambda text: text * (3 * BLOCK_BYTES // 40)),
    cuts=st.lists(st.integers(1, 2 * BLOCK_BYTES), max_size=4),
    first=st.integers(0, 3),
)
def test_sums_are_those_of_the_bytes_however_they_come(content: bytes, cuts: list[int], first: int) -> None:
    """In pieces of any size, with a copy in between: SHA-256 of all, CRC64NVME of every stretch of blocks."""
    sums, rest = FileSums(in_blocks=True), memoryview(content)
    for size in [*cuts, len(content)]:
        sums.update(rest[:size])
        sums, rest = sums.copy(), rest[size:]
    assert (len(content), hashlib.sha256(content).hexdigest()) == (sums.bytes, sums.hexdigest())
    offset = min(first, len(content) // BLOCK_BYTES) * BLOCK_BYTES
    assert crc64nvme(content[offset:]) == sums.crc64nvme_of(offset, len(content) - offset)


@pytest.mark.parametrize(("offset", "length"), [(1, BLOCK_BYTES), (0, 5), (0, 2 * BLOCK_BYTES)])
def test_stretch_that_is_not_of_whole_blocks_has_no_sum(offset: int, length: int) -> None:
    """Nothing is told that was not summed."""
    sums = FileSums(in_blocks=True)
    sums.update(memoryview(bytes(BLOCK_BYTES + 9)))
    for wrong in (sums, FileSums()):
        with pytest.raises(ValueError, match="whole blocks"):
            wrong.crc64nvme_of(offset, length)


def test_summed_file_is_sent_as_it_lies(lake, large_lake, spool):
    """Whole blocks become parts, and the bucket holds the bytes and vouches for them."""
    assert isinstance(spool, SummedBody)
    done = put(large_lake, spool)
    assert (True, SHA256, len(BODY)) == (done.created, done.stored.sha256, done.stored.bytes)
    assert lake.read(KEY) == BODY


def test_small_file_is_sent_as_it_lies(lake, spool):
    """One request, whose SHA-256 the bucket checks."""
    assert put(lake, spool).created
    assert lake.read(KEY) == BODY


@pytest.mark.parametrize("place", [0, PART_BYTES_MIN, len(BODY) - 1])
def test_file_that_changed_on_the_disk_is_refused_by_the_bucket(lake, large_lake, spool, place):
    """S9: one bit, turned over between download and upload: the part is not what was hashed, and no object is made."""
    spool.write_at(place, memoryview(bytes([BODY[place] ^ 1])))
    for target in (large_lake, lake):
        with pytest.raises(IntegrityError, match="did not arrive as it was sent"):
            put(target, spool)
        assert lake.head(KEY) is None


@pytest.mark.parametrize("change", ["shorter", "sums"])
def test_file_that_is_another_is_not_sent(lake, large_lake, spool, change):
    """S9: a file that lost its end, or whose sums are not those of the recording, is not even begun."""
    if change == "shorter":
        os.truncate(spool.fileno(), len(BODY) - 1)
    else:
        spool.sums.update(memoryview(b"x"))
    with pytest.raises(IntegrityError, match="changed between"):
        put(large_lake, spool)
    assert lake.head(KEY) is None


def test_file_without_sums_is_read(lake, large_lake, spool):
    """One that nobody summed while it came is hashed on its way out."""
    spool.sums = None
    assert put(large_lake, spool).stored.sha256 == SHA256
    assert lake.read(KEY) == BODY
