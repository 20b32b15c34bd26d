"""The door to the receiver, against servers that answer whatever bytes they like."""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from include.audit.delivery import Reply
from include.secret import Secret
from include.transfer.webhook import WebhookSender
from include.transfer.webhook_settings import WebhookSettings

KEY = Secret("canary-key-canary-key-canary-key-")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SECONDS = 0.4


class Wire:
    """A server that sends one thing to whoever connects; ``taken`` counts what it could send."""

    def __init__(self, behave):
        self.behave, self.requests, self.taken = behave, [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.stopping = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        """Answer one connection after the other."""
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with suppress(OSError), connection:
                    self.requests.append(self.request(connection))
                    self.behave(self, connection)

    @staticmethod
    def request(connection):
        """Read head and body of one request."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536)
        head, _, body = received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += connection.recv(65536)
        return head, body


@contextmanager
def serving(behave):
    """Run such a server."""
    wire = Wire(behave)
    try:
        yield wire
    finally:
        wire.stopping.set()
        wire.listener.close()


def says(data):
    """Return a behaviour that sends these bytes."""
    return lambda _wire, connection: connection.sendall(data)


def drips(data):
    """Return a behaviour that sends them one by one, each well within the time of a silence."""

    def behave(wire, connection):
        for byte in data:
            if wire.stopping.wait(SECONDS / 8):
                return
            connection.sendall(bytes([byte]))

    return behave


def never_ends(wire, connection):
    """Say yes, and go on for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    for _ in range(10_000):
        connection.sendall(b"x" * 65536)
        wire.taken += 65536


def sender(port, url="http://127.0.0.1:{}/hook?token=canary-token", **changes):
    """Return a sender to a port of this machine."""
    changes = {"webhook_timeout_seconds": SECONDS} | changes
    return WebhookSender(WebhookSettings(url=Secret(url.format(port)), webhook_key=KEY, **changes))


@pytest.mark.parametrize(
    ("behave", "word"),
    [
        pytest.param(says(OK), "", id="200"),
        pytest.param(says(b"HTTP/1.1 204 No Content\r\n\r\n"), "", id="204"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n<html>"), "", id="body cut short"),
        pytest.param(drips(OK.replace(b": 2", b": 3000") + b"x" * 3000), "timeout", id="head drips"),
        pytest.param(
            says(b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"), "http_302", id="302"
        ),
        pytest.param(says(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"), "http_410", id="410"),
        pytest.param(says(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"), "http_500", id="500"),
        pytest.param(says(b"HTTP/1.1 304 Not Modified\r\n\r\n"), "http_304", id="304"),
        pytest.param(says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "malformed_answer", id="not http"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000), "malformed_answer", id="head without end"),
        pytest.param(says(b""), "unreachable", id="closes"),
        pytest.param(lambda wire, _: wire.stopping.wait(5), "timeout", id="silent"),
    ],
)
def test_only_2xx_is_success(behave, word):
    """Each answer has its word, and none takes longer than the time-out allows, or is asked a second time."""
    with serving(behave) as wire, sender(wire.port) as door:
        begun = time.monotonic()
        assert word == door.send("id-1", b"{}").reason
    assert time.monotonic() - begun < 3
    assert 1 == len(wire.requests)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        pytest.param(429, "Retry-After: 30", 30.0, id="429"),
        pytest.param(503, "retry-after:  7 ", 7.0, id="503"),
        pytest.param(
            503,
            "Date: Tue, 03 Mar 2026 04:00:00 GMT\r\nRetry-After: Tue, 03 Mar 2026 04:02:00 GMT",
            120.0,
            id="date, by the receiver's own clock",
        ),
        pytest.param(429, "Retry-After: soon", 0.0, id="nonsense"),
        pytest.param(429, "Retry-After: -3", 0.0, id="negative"),
        pytest.param(429, "X: 1", 0.0, id="none"),
        pytest.param(500, "Retry-After: 30", 0.0, id="of another status"),
    ],
)
def test_patience_that_the_receiver_asks_for_is_heard(status, headers, seconds):
    """Retry-After of 429 and 503, in seconds or as a date; whatever it says, it raises nothing."""
    answer = f"HTTP/1.1 {status} No\r\n{headers}\r\nContent-Length: 0\r\n\r\n".encode()
    with serving(says(answer)) as wire, sender(wire.port) as door:
        assert Reply(f"http_{status}", seconds) == door.send("id-1", b"{}")


def test_endless_body_is_not_read():
    """The status has been said; of what follows, no more than the buffers of two sockets arrives."""
    with serving(never_ends) as wire, sender(wire.port) as door:
        assert "" == door.send("id-1", b"{}").reason
        taken = wire.taken
    assert taken < 32 * 1024 * 1024


def test_nobody_there_and_nobody_permitted():
    """A closed port; a name that leads to a private address and is not on the list, which is not even dialled."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with sender(port) as door:
        assert "unreachable" == door.send("id-1", b"{}").reason
    unlisted = WebhookSettings(url=Secret("https://hooks.example.com/x"), webhook_key=KEY)
    with WebhookSender(unlisted, resolver=lambda _host, _port: ["10.255.255.1"]) as door:
        assert "address_refused" == door.send("id-1", b"{}").reason


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "fd00:ec2::254", "::1"])
def test_named_host_may_not_become_this_machine_or_a_metadata_service(address):
    """The list permits private addresses, and these are none."""
    named = WebhookSettings(
        url=Secret("https://hooks.example.com/x"), webhook_key=KEY, webhook_hosts="hooks.example.com"
    )
    with WebhookSender(named, resolver=lambda _host, _port: [address]) as door:
        assert "address_refused" == door.send("id-1", b"{}").reason


def test_request_is_whole_and_tells_no_secret(caplog):
    """Path and body as they must be, three headers for the receiver; neither key nor token in any log or repr."""
    caplog.set_level(logging.DEBUG)
    with serving(says(OK)) as wire, sender(wire.port) as door:
        assert "" == door.send("id-1", b'{"a":1}\n').reason
    ((head, body),) = wire.requests
    assert (b"POST /hook?token=canary-token HTTP/1.1", b'{"a":1}\n') == (head.split(b"\r\n")[0], body)
    assert {b"X-Event-Id: id-1", b"Content-Type: application/json"} <= set(head.split(b"\r\n"))
    assert b"canary-key" not in head
    assert "canary" not in caplog.text + repr(WebhookSettings(url=Secret("https://a.example/canary"), webhook_key=KEY))


def test_kept_connection_that_was_closed_meanwhile_is_opened_again():
    """The receiver may close between two events; the second arrives all the same."""
    with serving(says(OK)) as wire, sender(wire.port) as door:
        assert ["", ""] == [door.send("id-1", b"{}").reason, door.send("id-2", b"{}").reason]
    assert 2 == len(wire.requests)


def test_key_is_read_from_its_file(tmp_path):
    """A newline at its end does not count."""
    path = tmp_path / "key"
    path.write_text("f" * 32 + "\n", "utf-8")
    environment = {
        "RECORDING_WEBHOOK_URL": "https://a.example/x",
        "RECORDING_ARCHIVE_WEBHOOK_KEY_FILE": str(path),
        "RECORDING_ARCHIVE_WEBHOOK_BATCH_EVENTS": "25",
    }
    found = WebhookSettings.from_environment(environment)
    assert (["f" * 32], 25) == ([key.reveal() for key in found.keys], found.webhook_batch_events)
    assert not WebhookSettings.from_environment({}).is_on
