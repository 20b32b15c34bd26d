"""Calls on a socket that give up by the kernel's clock.

A Python socket with a time-out is polled before each call: two system calls, and at each of them another thread may
take the interpreter, which then has to be waited for. The kernel ends a call by itself (``SO_RCVTIMEO``,
``SO_SNDTIMEO``, socket(7)), and it collects a whole body in one (``MSG_WAITALL``, recv(2)). TLS keeps Python's
time-outs: there a call is several system calls already.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHORTEST_SECONDS = 0.001
"""Zero would mean for ever."""
_TLS_BYTES = 1024 * 1024
"""Sent at once over TLS: a time-out counts for one call there, and a slow line may need minutes for all of a body."""


def is_plain(sock: socket.socket) -> bool:
    """Whether what is sent on it is what goes over the line: no TLS."""
    return type(sock) is socket.socket


def give_up_after(sock: socket.socket, seconds: float | None) -> None:
    """Let each call below end with ``TimeoutError`` when for so long nothing came or went; ``None``: never."""
    if not is_plain(sock):
        sock.settimeout(seconds)
        return
    sock.settimeout(None)
    whole, part = divmod(0 if seconds is None else max(seconds, _SHORTEST_SECONDS), 1)
    span = struct.pack("@ll", int(whole), int(part * 1_000_000))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, span)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, span)


def receive(sock: socket.socket, view: memoryview, *, whole: bool = False) -> int:
    """Read into the start of ``view`` what is there; 0 at the end of the connection.

    Args:
        sock: one that ``give_up_after`` has seen.
        view: of at least one byte.
        whole: wait until it is full, where the kernel can. Fewer come at the end, and when the time is up.

    Raises:
        TimeoutError: nothing came.
    """
    try:
        return sock.recv_into(view, 0, socket.MSG_WAITALL if whole and is_plain(sock) else 0)
    except BlockingIOError:
        raise TimeoutError("nothing came") from None


def send(sock: socket.socket, *pieces: bytes | memoryview, more: bool = False) -> None:
    """Send all of it, on a plain socket in as few calls as the kernel needs.

    Args:
        sock: one that ``give_up_after`` has seen.
        pieces: what to send, in order.
        more: something follows at once: one packet less to wait for (``MSG_MORE``, send(2)).

    Raises:
        TimeoutError: nothing of it went for so long.
    """
    if not is_plain(sock):
        for piece in pieces:
            for start in range(0, len(piece), _TLS_BYTES):
                sock.sendall(memoryview(piece)[start : start + _TLS_BYTES])
        return
    flags = socket.MSG_MORE if more else 0
    left: Sequence[bytes | memoryview] = pieces
    try:
        while left:
            left = _behind(left, sock.sendmsg(left, (), flags))
    except BlockingIOError:
        raise TimeoutError("nothing more was taken") from None


def _behind(pieces: Sequence[bytes | memoryview], count: int) -> list[memoryview]:
    rest = []
    for piece in pieces:
        if count < len(piece):
            rest.append(memoryview(piece)[count:])
        count = max(0, count - len(piece))
    return rest


def send_file(sock: socket.socket, fd: int, position: int, end: int) -> None:
    """Let the kernel send a stretch of a file; ``sock`` is a plain one.

    Raises:
        TimeoutError: nothing of it went for so long.
        OSError: the file became shorter.
    """
    while position < end:
        try:
            count = os.sendfile(sock.fileno(), fd, position, end - position)
        except BlockingIOError:
            raise TimeoutError("nothing more was taken") from None
        if count == 0:
            raise OSError("a file became shorter while it was sent")
        position += count
