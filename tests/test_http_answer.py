"""One HTTP/1.1 answer off a socket: what is taken, what is refused, and when another request may follow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.http_answer import HEAD_BYTES_MAX, CutAnswerError, HttpAnswer, MalformedAnswerError, NoAnswerError

OK = b"HTTP/1.1 200 OK\r\n"


def answer_of(wire: bytes, method: str = "GET", step: int = 1 << 20) -> HttpAnswer:
    """Read an answer that arrives in steps of so many bytes, and then the end of the connection."""
    left = [wire[start : start + step] for start in range(0, len(wire), step)]

    def receive(view: memoryview) -> int:
        if not left:
            return 0
        piece = left[0][: len(view)]
        left[0] = left[0][len(view) :]
        if not left[0]:
            del left[0]
        view[: len(piece)] = piece
        return len(piece)

    return HttpAnswer(receive, method)


def body_of(answer: HttpAnswer) -> bytes:
    """Read the body through a small window."""
    body, view = b"", memoryview(bytearray(7))
    while count := answer.readinto(view):
        body += bytes(view[:count])
    return body


@given(body=st.binary(max_size=300), step=st.integers(1, 50), cuts=st.lists(st.integers(1, 60), max_size=20))
def test_body_is_the_same_however_it_arrives(body: bytes, step: int, cuts: list[int]) -> None:
    """Framed by length or in chunks, in packets of any size, the bytes are those that were sent."""
    chunks, rest = b"", body
    for size in [*cuts, 60, 60, 60, 60, 60, 60]:
        if rest:
            chunks += b"%x;a=b\r\n" % len(rest[:size]) + rest[:size] + b"\r\n"
            rest = rest[size:]
    sized = OK + b"Content-Length: %d\r\n\r\n" % len(body) + body
    chunked = OK + b"transfer-encoding: Chunked\r\n\r\n" + chunks + b"0\r\nTrailer: x\r\n\r\n"
    for wire, whole in ((sized, body), (chunked, body[: len(body) - len(rest)])):
        answer = answer_of(wire, step=step)
        assert whole == body_of(answer)
        assert (True, True) == (answer.ended, answer.keeps_connection)


def test_body_without_a_length_ends_with_the_connection() -> None:
    """Such a connection is never used again."""
    answer = answer_of(OK + b"\r\nall of it")
    assert (b"all of it", False) == (body_of(answer), answer.keeps_connection)


def test_headers_are_found_in_any_case_and_joined() -> None:
    """A repeated header is one list."""
    answer = answer_of(OK + b'ETag:  "a" \r\netag:b\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n')
    assert {"etag": '"a", b', "x-empty": "", "content-length": "0"} == answer.headers


def test_interim_answers_are_passed_over() -> None:
    """100 and 103 are no answers."""
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    answer = answer_of(early + OK + b"Content-Length: 2\r\n\r\nab", step=5)
    assert (200, b"ab") == (answer.status, body_of(answer))


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_answer_without_a_body_leaves_the_connection(method: str, status: int) -> None:
    """Its length speaks of another answer."""
    answer = answer_of(b"HTTP/1.1 %d X\r\nContent-Length: 9\r\n\r\n" % status, method)
    assert (b"", True) == (body_of(answer), answer.keeps_connection)


@pytest.mark.parametrize(
    "wire",
    [
        OK + b"Connection: close\r\nContent-Length: 1\r\n\r\na",
        b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
        OK + b"Content-Length: 1\r\n\r\nab",
        OK + b"Content-Length: 2\r\n\r\na",
        OK + b"Content-Length: 1, 1\r\n\r\na",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\na",
    ],
    ids=["close", "http-1.0", "surplus", "cut", "two-lengths", "unknown-coding"],
)
def test_connection_that_is_in_doubt_is_not_kept(wire: bytes) -> None:
    """What is left in it must not be taken for the next answer."""
    answer = answer_of(wire)
    assert body_of(answer).startswith(b"a")
    assert not answer.keeps_connection


@pytest.mark.parametrize(
    "wire",
    [
        b"\x16\x03\x01\x02\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 099 X\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        OK + b"No colon\r\n\r\n",
        OK + b" folded: x\r\n\r\n",
        OK + b"Na me: x\r\n\r\n",
        OK + b"ETag: a\nInjected: b\r\n\r\n",
        OK + b"ETag: a\x00\r\n\r\n",
        OK + b"X: " + b"x" * HEAD_BYTES_MAX + b"\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * (HEAD_BYTES_MAX // 20),
    ],
    ids=["tls", "http-2", "status", "101", "colon", "folded", "name", "newline", "nul", "endless", "interim"],
)
def test_head_that_is_none_is_refused(wire: bytes) -> None:
    """Nothing of it is believed, and none takes more than its share of memory."""
    with pytest.raises(MalformedAnswerError):
        answer_of(wire)


@pytest.mark.parametrize(
    ("wire", "error"), [(b"", NoAnswerError), (OK, CutAnswerError), (b"HTTP/1.1 100 C\r\n\r\n", CutAnswerError)]
)
def test_head_that_ends_early_is_a_broken_connection(wire: bytes, error: type[Exception]) -> None:
    """Only a silence from the first byte on may be a connection that was kept too long."""
    with pytest.raises(error):
        answer_of(wire)


def test_chunks_of_a_byte_are_a_body_and_their_extensions_are_none() -> None:
    """D20: what arrives is mostly framing, so that a minimum rate is kept by an answer of which nothing comes."""
    head = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    assert b"a" * 30_000 == body_of(answer_of(head + b"1\r\na\r\n" * 30_000 + b"0\r\n\r\n", step=4096))
    with pytest.raises(MalformedAnswerError, match="framing"):
        body_of(answer_of(head + (b"1;" + b"x" * 3000 + b"\r\na\r\n") * 100, step=4096))


@pytest.mark.parametrize(
    ("tail", "error"),
    [
        (b"", CutAnswerError),
        (b"\r\n5\r\nab", CutAnswerError),
        (b"zz\r\n", MalformedAnswerError),
        (b"\r\n-1\r\n", MalformedAnswerError),
        (b"\r\n" + b"1" * 5000, MalformedAnswerError),
        (b"\r\n0\r\n" + b"T: x\r\n" * 5000, MalformedAnswerError),
    ],
    ids=["end", "chunk", "line-end", "size", "endless-size", "endless-trailer"],
)
def test_chunks_that_break_off_give_what_came_first(tail: bytes, error: type[Exception]) -> None:
    """The bytes before the damage are good, and then the damage is told."""
    answer = answer_of(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc" + tail)
    view = memoryview(bytearray(10))
    assert b"abc" == bytes(view[: answer.readinto(view)])
    with pytest.raises(error):
        body_of(answer)
    assert not answer.keeps_connection
