"""Open connections between two uses."""

from __future__ import annotations

import gc
import socket
from typing import TYPE_CHECKING

import pytest
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.util.wait import wait_for_read

from include.idle_connections import TRUSTED_SECONDS, IdleConnections

if TYPE_CHECKING:
    from collections.abc import Iterator

END_SECONDS = 5.0


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port that accepts when the test says so."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(END_SECONDS)
        yield server


@pytest.fixture
def connections(listener: socket.socket) -> Iterator[IdleConnections]:
    """Connections to it, of which two are kept."""
    pool = HTTPConnectionPool("127.0.0.1", listener.getsockname()[1])
    made = IdleConnections(pool, 2)
    yield made
    made.close()


def opened(connections: IdleConnections, listener: socket.socket):
    """Return a connection that is open, and the server's end of it."""
    connection = connections.take()
    assert connection.sock is None
    connection.connect()
    return connection, listener.accept()[0]


def test_last_one_is_taken_first(connections: IdleConnections, listener: socket.socket) -> None:
    """It is the least likely to be closed; and no more are kept than was said."""
    ours, theirs = zip(*(opened(connections, listener) for _ in range(3)), strict=True)
    for connection in ours:
        connections.give(connection)
    assert ours[2].sock is None
    assert [ours[1], ours[0]] == [connections.take(), connections.take()]
    assert None is connections.take().sock
    for end in (*theirs, *ours):
        end.close()


@pytest.mark.parametrize(("rested", "is_open"), [(0.0, True), (TRUSTED_SECONDS * 2, False)])
def test_one_that_rested_is_asked_for_its_server(listener: socket.socket, rested: float, *, is_open: bool) -> None:
    """One that was closed meanwhile comes closed, to be opened again; one of just now is taken at its word."""
    moments = iter([100.0, 100.0 + rested])
    pool = HTTPConnectionPool("127.0.0.1", listener.getsockname()[1])
    connections = IdleConnections(pool, 2, lambda: next(moments))
    connection, end = opened(connections, listener)
    connections.give(connection)
    end.close()
    assert wait_for_read(connection.sock, END_SECONDS)
    again = connections.take()
    assert (connection, is_open) == (again, again.sock is not None)
    again.close()


@pytest.mark.parametrize("way", ["closed", "dropped"])
def test_nothing_stays_open_behind_their_end(listener: socket.socket, way: str) -> None:
    """Whether they were closed or only let go, the server sees the end of each, and of one that comes back later."""
    connections = IdleConnections(HTTPConnectionPool("127.0.0.1", listener.getsockname()[1]), 2)
    connection, end = opened(connections, listener)
    late, late_end = opened(connections, listener)
    connections.give(connection)
    if way == "closed":
        connections.close()
        connections.give(late)
    else:
        late.close()
        del connections
        gc.collect()
    for one in (end, late_end):
        one.settimeout(END_SECONDS)
        assert b"" == one.recv(1)
        one.close()
