"""The forwarder: what one side says arrives at the other, and how it ends as well."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Semaphore, Thread

import pytest

from demo.forward import MISSES_MAX
from demo.ports import LOOPBACK, free_ports

PROJECT = Path(__file__).parents[2]
FAR = "127.0.0.2"
QUESTION = b"question" * 200_000
"""Larger than the buffers on the way, so that it can only arrive if both directions move."""


def answer_after_the_end(connection):
    """Read to the end of the question, then give it back turned round."""
    question = b"".join(iter(lambda: connection.recv(65536), b""))
    connection.sendall(question[::-1])


def reset_in_the_middle(connection):
    """Say a little, wait until it is read, then cut the line."""
    connection.sendall(b"half answer")
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def serving(answer):
    """Answer every connection to a port of the far address until the block ends; yield the port."""
    with socket.create_server((FAR, 0)) as listener:

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    answer(connection)

        thread = Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


@contextmanager
def forwarding(*targets, watch_seconds=60.0):
    """Run the forwarder for the length of the block; yield its process and its ports, which listen."""
    ports = free_ports(len(targets))
    routes = [f"{port}:{FAR}:{target}" for port, target in zip(ports, targets, strict=True)]
    command = [sys.executable, "-m", "demo.forward", "--watch-seconds", str(watch_seconds), *routes]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        try:
            assert process.stdout.readline().startswith("forwarding ")
            yield process, ports
        finally:
            process.kill()


def test_both_directions_arrive_whole():
    """A half-closed connection stays open the other way, as HTTP/1.0 clients and nc need it."""
    with (
        serving(answer_after_the_end) as target,
        forwarding(target) as (_, (port,)),
        socket.create_connection((LOOPBACK, port), timeout=10) as near,
    ):
        near.sendall(QUESTION)
        near.shutdown(socket.SHUT_WR)
        assert QUESTION[::-1] == b"".join(iter(lambda: near.recv(65536), b""))


def test_every_route_leads_to_its_own_target():
    """API and media port are two routes of one process."""

    def naming(name):
        return lambda connection: connection.sendall(name)

    with (
        serving(naming(b"api")) as api,
        serving(naming(b"media")) as media,
        forwarding(api, media) as (_, ports),
    ):
        heard = []
        for port in ports:
            with socket.create_connection((LOOPBACK, port), timeout=10) as near:
                heard.append(near.recv(16))
    assert [b"api", b"media"] == heard


def test_reset_arrives_as_a_reset():
    """An answer that was cut off must not look like one that ended."""
    with (
        serving(reset_in_the_middle) as target,
        forwarding(target) as (_, (port,)),
        socket.create_connection((LOOPBACK, port), timeout=10) as near,
    ):
        assert near.recv(11)
        near.sendall(b".")
        with pytest.raises(ConnectionResetError):
            near.recv(16)


def test_caller_of_an_absent_target_is_reset():
    """Nobody waits for a target that is not there."""
    (absent,) = free_ports(1)
    with (
        forwarding(absent) as (_, (port,)),
        pytest.raises(ConnectionResetError),  # around the connecting too: the reset may be there before it returns
        socket.create_connection((LOOPBACK, port), timeout=10) as near,
    ):
        near.recv(16)


def test_target_that_stays_away_ends_the_forwarder():
    """It ends with a sentence, so that Docker starts it again in the network that its container has by then."""
    (absent,) = free_ports(1)
    with forwarding(absent, watch_seconds=0.01) as (process, _):
        _, said = process.communicate(timeout=20)
    assert (1, f"{FAR}:{absent} did not answer {MISSES_MAX} times\n") == (process.returncode, said)


def test_target_that_answers_keeps_it_running():
    """A look at a target that answers is no reason to end."""
    seen = Semaphore(0)
    with serving(lambda _: seen.release()) as target, forwarding(target, watch_seconds=0.01) as (process, _):
        looks = [seen.acquire(timeout=10) for _ in range(3 * MISSES_MAX)]
        assert (True, None) == (all(looks), process.poll())


@pytest.mark.parametrize("route", ["8800", "8800:sandbox", "x:sandbox:8800"])
def test_malformed_route_is_refused(route):
    """A route that is none ends with status 2 and names it."""
    refused = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "demo.forward", route], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert (2, True) == (refused.returncode, repr(route) in refused.stderr)
