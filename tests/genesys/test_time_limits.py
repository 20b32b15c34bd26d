"""Servers that keep one waiting: each exchange ends in time. These tests use real time, a second at most each."""

from __future__ import annotations

import socket
import time as real_time
from dataclasses import replace

import pytest

from include.errors import SourceUnavailable
from include.genesys.pace import Pace
from include.genesys.retry import Timekeeping
from tests.genesys.scripted_server import BATCHES, Reply
from tests.genesys.virtual_time import VirtualTime

JOB = f"{BATCHES}/job-1"
DEADLINE = 0.8


def trickle(handler, head: bytes) -> None:
    """Send the head, then one byte every 50 ms for as long as anybody listens."""
    handler.wfile.write(head)
    for _ in range(200):
        handler.wfile.write(b" ")
        real_time.sleep(0.05)


def body_drip(handler) -> None:
    """Drip the body."""
    trickle(handler, b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")


def header_drip(handler) -> None:
    """Drip a header line."""
    trickle(handler, b"HTTP/1.1 200 OK\r\nX-Slow:")


def chunk_drip(handler) -> None:
    """Drip a chunk."""
    trickle(handler, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n")


def silence(_handler) -> None:
    """Take the request and say nothing."""
    real_time.sleep(2.5)


def seconds_until_given_up(client) -> float:
    """Return how long a call that cannot succeed takes."""
    begun = real_time.monotonic()
    with pytest.raises(SourceUnavailable):
        client.batch_status("job-1")
    return real_time.monotonic() - begun


@pytest.mark.parametrize("misbehave", [body_drip, header_drip, chunk_drip, silence])
def test_the_deadline_ends_every_kind_of_waiting(make_client, settings, genesys, misbehave):
    """No single read times out, the exchange as a whole does."""
    client = make_client(
        settings=replace(settings, api_deadline_seconds=DEADLINE, read_timeout_seconds=5.0),
        timekeeping=Timekeeping(sleep=lambda _seconds: None),
    )
    genesys.script(JOB, *[Reply(misbehave=misbehave)] * 20)
    assert seconds_until_given_up(client) < DEADLINE + 1.0


def test_an_answer_that_trickles_is_cut_long_before_the_deadline(make_client, settings, genesys):
    """The minimum speed ends a drip that the deadline would allow for minutes."""
    quick = replace(settings, throughput_grace_seconds=0.2, minimum_bytes_per_second=1000, api_deadline_seconds=60.0)
    client = make_client(settings=quick, timekeeping=Timekeeping(sleep=lambda _seconds: None))
    genesys.jobs["job-1"] = {"status": "Completed"}
    genesys.script(JOB, Reply(misbehave=body_drip))
    begun = real_time.monotonic()
    assert client.batch_status("job-1").completed
    assert real_time.monotonic() - begun < 2.0


def test_a_silent_host_costs_the_read_timeout(make_client, settings, genesys):
    """One read never waits longer than its own time-out."""
    client = make_client(
        settings=replace(settings, read_timeout_seconds=0.2), timekeeping=Timekeeping(sleep=lambda _seconds: None)
    )
    genesys.jobs["job-1"] = {"status": "Completed"}
    genesys.script(JOB, Reply(misbehave=silence))
    begun = real_time.monotonic()
    assert client.batch_status("job-1").completed
    assert real_time.monotonic() - begun < 1.5


def test_a_host_that_does_not_accept_ends_too(make_client, settings):
    """A full backlog looks like a black hole: the connect time-out applies."""
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        held = [socket.socket() for _ in range(3)]
        try:
            for sock in held:
                sock.setblocking(False)  # noqa: FBT003 - the socket API
                sock.connect_ex(hole.getsockname())
            client = make_client(
                login_base_url=f"http://127.0.0.1:{hole.getsockname()[1]}",
                settings=replace(settings, connect_timeout_seconds=0.1, api_deadline_seconds=DEADLINE),
                timekeeping=Timekeeping(sleep=lambda _seconds: None),
            )
            assert seconds_until_given_up(client) < 10 * 0.1 + 1.0
        finally:
            for sock in held:
                sock.close()


def test_a_query_may_think_before_it_answers():
    """The minimum speed counts from the first byte, not from the question."""
    time = VirtualTime()
    pace = Pace(deadline_at=time.now + 100, read_seconds=30, bytes_per_second_min=10, grace_seconds=5, clock=time.clock)
    time.now += 60
    assert 30 == pace.allowance()
    pace.received(1)
    time.now += 5
    assert 30 == pace.allowance()
    time.now += 1
    with pytest.raises(TimeoutError, match="slower"):
        pace.allowance()
    pace.received(1000)
    time.now += 20
    assert 14 == pace.allowance()
    time.now += 14
    with pytest.raises(TimeoutError, match="deadline"):
        pace.allowance()
