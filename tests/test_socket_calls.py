"""Calls on a socket that end by the kernel's clock."""

from __future__ import annotations

import socket
import struct
import threading
from typing import TYPE_CHECKING

import pytest

from include.socket_calls import give_up_after, receive, send, send_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOON_SECONDS = 0.2
LATE_SECONDS = 20.0
MUCH = bytes(range(256)) * 4 * 16 * 1024  # more than the buffers of two sockets


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a TCP connection; the first one gives up soon, the second one waits for long."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    with near, far:
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
        give_up_after(far, LATE_SECONDS)
        give_up_after(near, SOON_SECONDS)
        yield near, far


def spans(sock: socket.socket) -> list[tuple[int, int]]:
    """Return seconds and microseconds after which the kernel gives up receiving and sending."""
    options = (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO)
    return [struct.unpack("@ll", sock.getsockopt(socket.SOL_SOCKET, option, 16)) for option in options]


def test_silence_is_a_time_out(ends: tuple[socket.socket, socket.socket]) -> None:
    """Whether a part or all of it is waited for."""
    for whole in (False, True):
        with pytest.raises(TimeoutError):
            receive(ends[0], memoryview(bytearray(10)), whole=whole)


def test_a_body_is_collected_from_its_pieces(ends: tuple[socket.socket, socket.socket]) -> None:
    """However late the second one comes, within the time."""
    near, far = ends
    give_up_after(near, LATE_SECONDS)
    far.sendall(b"12345")
    begun = threading.Event()
    late = threading.Thread(target=lambda: (begun.wait(LATE_SECONDS), far.sendall(b"67890")))
    late.start()
    view = memoryview(bytearray(10))
    assert 2 == receive(near, view[:2])
    begun.set()
    assert 8 == receive(near, view[2:], whole=True)
    late.join()
    assert b"1234567890" == view.tobytes()


@pytest.mark.parametrize("ended", [True, False])
def test_what_came_of_a_body_is_told(ends: tuple[socket.socket, socket.socket], *, ended: bool) -> None:
    """Where the connection ends in it, and where the rest does not come in time."""
    near, far = ends
    far.sendall(b"123")
    if ended:
        far.shutdown(socket.SHUT_WR)
    view = memoryview(bytearray(10))
    assert 3 == receive(near, view, whole=True)
    assert b"123" == view[:3].tobytes()
    if ended:
        assert 0 == receive(near, view, whole=True)


def test_all_pieces_are_sent_in_order(ends: tuple[socket.socket, socket.socket]) -> None:
    """Also where the kernel takes a part of them at a time; empty ones are nothing."""
    near, far = ends
    give_up_after(near, LATE_SECONDS)
    sending = threading.Thread(target=send, args=(near, b"head", b"", memoryview(MUCH), b"tail"))
    sending.start()
    expected = b"head" + MUCH + b"tail"
    received = far.recv(len(expected), socket.MSG_WAITALL)
    sending.join()
    assert expected == received


def test_a_reader_who_takes_nothing_is_a_time_out(ends: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    """From memory and from a file."""
    near, _ = ends
    with pytest.raises(TimeoutError):
        send(near, MUCH * 4)
    file = tmp_path / "file"
    file.write_bytes(MUCH)
    with file.open("rb") as body, pytest.raises(TimeoutError):
        send_file(near, body.fileno(), 0, len(MUCH))


def test_a_stretch_of_a_file_is_sent(ends: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    """And no other; a file that ends before is an error, since the reader waits for the rest."""
    near, far = ends
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    with file.open("rb") as body:
        send_file(near, body.fileno(), 2, 6)
        assert b"2345" == far.recv(4, socket.MSG_WAITALL)
        with pytest.raises(OSError, match="shorter"):
            send_file(near, body.fileno(), 8, 12)


@pytest.mark.parametrize(
    ("seconds", "span"), [(None, (0, 0)), (2.5, (2, 500_000)), (0.0, (0, 1000)), (-3.0, (0, 1000)), (1e-9, (0, 1000))]
)
def test_no_span_is_for_ever_by_accident(
    ends: tuple[socket.socket, socket.socket], seconds: float | None, span: tuple[int, int]
) -> None:
    """The kernel takes zero for that; only ``None`` means it. The kernel counts in ticks, so a little more is fine."""
    give_up_after(ends[0], seconds)
    for whole, part in spans(ends[0]):
        assert span[0] == whole
        assert span[1] <= part <= span[1] + 10_000 * bool(span[1])
