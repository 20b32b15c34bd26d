"""A StatsD receiver: remembers every line that Airflow's components and tasks send."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager


class StatsdLines:
    """What came so far; lines are ``name:value|type``."""

    def __init__(self):
        self.lines = []
        self.port = 0

    def of_the_archive(self):
        """Return the archive's own lines as (name, value, type), the prefixes taken off."""
        own = [line for line in self.lines if line.startswith("airflow.recording_archive.")]
        parts = [line.removeprefix("airflow.recording_archive.").replace("|", ":").split(":") for line in own]
        return [(name, float(value), kind) for name, value, kind, *_ in parts]


@contextmanager
def receiving():
    """Listen on loopback; yields the receiver, which knows its port."""
    received = StatsdLines()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        received.port = listener.getsockname()[1]

        def listen():
            while packet := listener.recv(65536):
                received.lines += packet.decode().splitlines()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield received
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as farewell:
            farewell.sendto(b"", ("127.0.0.1", received.port))
        thread.join(5)
