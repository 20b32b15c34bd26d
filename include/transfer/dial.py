"""A connection to one of several addresses of a host, within one time-out for all of them.

One after the other, each would be given the whole time-out: a host of eight addresses that are down (Amazon S3 names
eight) costs eight. A share of it for each would be too short for one that is slow. So they are begun one a little after
the other and awaited together (RFC 8305, section 5, "Happy Eyeballs"); the first that answers is kept.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections import deque
from ipaddress import ip_address
from selectors import EVENT_WRITE, DefaultSelector
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

    SocketOptions = Sequence[tuple[int, int, int | bytes]]

NEXT_SECONDS = 0.25
"""How long one is waited for alone before the next is begun; RFC 8305 recommends it."""
_UNDER_WAY = (0, errno.EINPROGRESS)


def dial(addresses: Iterable[str], port: int, seconds: float, options: SocketOptions = ()) -> socket.socket:
    """Return a connected socket, whose time-out is ``seconds``; addresses are tried in their order.

    Raises:
        OSError: when none accepts a connection, ``TimeoutError`` where so much time has passed; nothing is left open.
    """
    with _Attempts(deque(addresses), port, tuple(options)) as attempts:
        connected = attempts.first(time.monotonic() + seconds)
    connected.settimeout(seconds)
    return connected


class _Attempts:
    """What is under way, and the addresses that are not begun yet."""

    def __init__(self, waiting: deque[str], port: int, options: SocketOptions) -> None:
        self._waiting = waiting
        self._port = port
        self._options = options
        self._selector = DefaultSelector()
        self._failure = OSError("the host has no address")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for key in list(self._selector.get_map().values()):
            cast("socket.socket", key.fileobj).close()
        self._selector.close()

    def first(self, deadline: float) -> socket.socket:
        """Return the first that is connected.

        Raises:
            OSError: as ``dial``.
        """
        next_at = 0.0
        while True:
            now = time.monotonic()
            if now >= deadline:
                raise TimeoutError("no address accepted a connection in time") from self._failure
            if self._waiting and (now >= next_at or not self._selector.get_map()):
                self._begin(self._waiting.popleft())
                next_at = now + NEXT_SECONDS
                continue
            if not self._selector.get_map():
                raise self._failure
            connected, refused = self._await((min(next_at, deadline) if self._waiting else deadline) - now)
            if connected is not None:
                return connected
            next_at = 0.0 if refused else next_at

    def _begin(self, address: str) -> None:
        family = socket.AF_INET6 if ip_address(address.partition("%")[0]).version == 6 else socket.AF_INET  # noqa: PLR2004 - IPv6
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # no IPv6 here
            self._failure = error
            return
        try:
            for option in self._options:
                sock.setsockopt(*option)
            sock.settimeout(0.0)
            code = sock.connect_ex((address, self._port))
            if code in _UNDER_WAY:
                self._selector.register(sock, EVENT_WRITE)
                return
        except OSError as error:
            code, self._failure = 0, error
        except BaseException:
            sock.close()
            raise
        sock.close()
        if code:
            self._failure = OSError(code, os.strerror(code))

    def _await(self, seconds: float) -> tuple[socket.socket | None, bool]:
        """Return what is connected now, and whether an attempt has failed, so that the next need not wait."""
        refused = False
        for key, _ in self._selector.select(seconds):
            sock = cast("socket.socket", key.fileobj)
            self._selector.unregister(sock)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not code:
                return sock, refused
            sock.close()
            self._failure, refused = OSError(code, os.strerror(code)), True
        return None, refused
