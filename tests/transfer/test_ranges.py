"""The rules of ranges, without a wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import IntegrityError, SourceChanged
from include.transfer.ranges import (
    ByteRange,
    Complete,
    Partial,
    Pin,
    Refused,
    RestartFromZero,
    Whole,
    judge_response,
    next_range,
)

FIRST = ByteRange(0, 99)


@given(size=st.integers(1, 5000), chunk=st.integers(1, 700), known=st.booleans())
def test_ranges_tile_any_size_exactly(size: int, chunk: int, *, known: bool) -> None:
    """No gap, no overlap, and the end is where the file ends; the size is known from the first answer on."""
    position, total, covered = 0, size if known else None, []
    while (asked := next_range(position, chunk, total)) is not None:
        last = min(asked.last, size - 1)
        covered.extend(range(asked.first, last + 1))
        position, total = last + 1, size
    assert list(range(size)) == covered


@given(first=st.integers(0, 10**12), length=st.integers(1, 10**9))
def test_a_range_has_the_length_it_says(first: int, length: int) -> None:
    """Both ends count."""
    asked = ByteRange(first, first + length - 1)
    assert length == asked.length
    assert f"bytes={first}-{asked.last}" == asked.header


@given(
    asked_at=st.integers(0, 300),
    status=st.sampled_from([200, 206, 412, 416, 204]),
    content_range=st.one_of(
        st.none(),
        st.text(max_size=30),
        st.builds("bytes {}-{}/{}".format, st.integers(0, 400), st.integers(0, 400), st.integers(0, 400)),
        st.builds("bytes */{}".format, st.integers(0, 400)),
    ),
    length=st.one_of(st.none(), st.text(max_size=5), st.integers(0, 400).map(str)),
    pinned=st.one_of(
        st.none(), st.builds(Pin, st.one_of(st.none(), st.integers(0, 400)), st.sampled_from(["", '"a"']))
    ),
)
def test_a_partial_verdict_always_lies_inside_what_was_asked(
    asked_at: int, status: int, content_range: str | None, length: str | None, pinned: Pin | None
) -> None:
    """Whatever the headers are, nothing raises and no verdict reaches outside the range or the file."""
    asked = ByteRange(asked_at, asked_at + 99)
    headers = {"Content-Range": content_range, "Content-Length": length}
    verdict = judge_response(asked, status, {k: v for k, v in headers.items() if v is not None}, pinned)
    if isinstance(verdict, Partial):
        assert verdict.received.first == asked.first
        assert verdict.received.last <= asked.last
        assert verdict.received.last < verdict.pin.total
        assert pinned is None or pinned.total in (None, verdict.pin.total)
    elif isinstance(verdict, Whole):
        assert 0 == asked.first
    elif isinstance(verdict, RestartFromZero):
        assert 0 < asked.first
    elif isinstance(verdict, Complete):
        assert asked.first == verdict.pin.total
    else:
        assert isinstance(verdict.error, IntegrityError | SourceChanged)


def partial(asked: ByteRange = FIRST, total: int = 100, pinned: Pin | None = None, **headers: str) -> object:
    """Judge an honest partial answer with some headers added."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    last = min(asked.last, total - 1)
    return judge_response(asked, 206, {"content-range": f"bytes {asked.first}-{last}/{total}"} | names, pinned)


def test_a_large_subset_of_the_range_is_progress() -> None:
    """RFC 9110, 15.3.7 lets a server send less than asked; a sliver would never end."""
    asked = ByteRange(0, 10**6)
    big = judge_response(asked, 206, {"content-range": "bytes 0-65535/1000001"}, None)
    assert isinstance(big, Partial)
    assert isinstance(judge_response(asked, 206, {"content-range": "bytes 0-65534/1000001"}, None), Refused)


@pytest.mark.parametrize(
    ("pinned", "headers", "same"),
    [
        (Pin(100, '"a"'), {"etag": '"a"'}, True),
        (Pin(100, '"a"'), {"etag": '"b"'}, False),
        (Pin(100, '"a"'), {"etag": 'W/"a"'}, True),
        (Pin(100, 'W/"a"'), {"etag": 'W/"b"'}, False),
        (Pin(100, '"a"'), {}, True),
        (Pin(100), {"etag": '"b"'}, True),
        (Pin(99), {}, False),
        (Pin(None), {}, True),
        (Pin(100, None, "then"), {"last_modified": "now"}, False),
        (Pin(100, None, "then"), {"last_modified": "then"}, True),
        (Pin(100, '"a"', "then"), {"etag": '"a"', "last_modified": "now"}, True),
        (Pin(100, 'W/"a"', "then"), {"etag": 'W/"a"', "last_modified": "now"}, False),
    ],
)
def test_a_pinned_file_must_stay_the_same(pinned: Pin, headers: dict[str, str], *, same: bool) -> None:
    """Total, ETag and, where no strong ETag speaks, the modification time."""
    verdict = partial(pinned=pinned, **headers)
    assert isinstance(verdict, Partial) if same else isinstance(verdict.error, SourceChanged)


def test_only_a_strong_etag_goes_into_if_match() -> None:
    """If-Match compares strongly (RFC 9110, 13.1.1)."""
    assert ['"a"', None, None] == [Pin(1, tag).strong_etag for tag in ('"a"', 'W/"a"', None)]


def test_a_416_behind_the_end_means_the_file_shrank() -> None:
    """Without a pin too: more was read than there is."""
    verdict = judge_response(ByteRange(50, 99), 416, {"Content-Range": "bytes */20"}, None)
    assert isinstance(verdict.error, SourceChanged)


def test_a_whole_file_keeps_the_pinned_total() -> None:
    """A close-delimited 200 is bounded by what an earlier answer said."""
    verdict = judge_response(ByteRange(10, 99), 200, {}, Pin(100))
    assert RestartFromZero(Pin(100)) == verdict


def test_a_length_that_no_file_has_is_refused() -> None:
    """D25: Python itself refuses to read a number of so many digits, with an error of its own."""
    verdict = judge_response(FIRST, 200, {"Content-Length": "9" * 5000}, None)
    assert isinstance(verdict.error, IntegrityError)


def test_a_whole_file_in_the_middle_must_be_the_one_that_was_begun() -> None:
    """D16: a page of a proxy has no ETag, where the file had one; at the start nothing could be joined to it."""
    later = judge_response(ByteRange(10, 99), 200, {"Transfer-Encoding": "chunked"}, Pin(100, '"a"'))
    assert isinstance(later.error, IntegrityError)
    first = judge_response(FIRST, 200, {"Transfer-Encoding": "chunked"}, Pin(100, '"a"'))
    assert isinstance(first, Whole)
