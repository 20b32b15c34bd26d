"""Free TCP ports on the loopback interface.

The ports come from below the kernel's ephemeral range (32768 upwards on Linux): a port out of that range that was just
found free may become the local end of somebody's outgoing connection before the service has bound it.
"""

from __future__ import annotations

import random
import socket

LOOPBACK = "127.0.0.1"
FIRST_PORT = 11_000
LAST_PORT = 21_999

# Not reproducible on purpose: two stacks started at the same moment must not walk the same list.
_random = random.SystemRandom()


class PortTakenError(Exception):
    """A port that was asked for by number is in use."""


def is_free(port: int) -> bool:
    """Tell whether a service could listen on this loopback port now."""
    # Also on all interfaces: a service that cannot be told to bind loopback only needs both.
    return all(_can_listen(host, port) for host in (LOOPBACK, "0.0.0.0"))  # noqa: S104 - bound for an instant, never listened on


def free_ports(count: int, *, companion_offset: int = 0) -> list[int]:
    """Return ``count`` different free ports; with an offset, ``port + companion_offset`` is free as well."""
    chosen: list[int] = []
    candidates = _random.sample(range(FIRST_PORT, LAST_PORT + 1), k=LAST_PORT - FIRST_PORT + 1)
    for port in candidates:
        if is_free(port) and (not companion_offset or is_free(port + companion_offset)):
            chosen.append(port)
        if len(chosen) == count:
            return chosen
    raise PortTakenError(f"fewer than {count} ports are free between {FIRST_PORT} and {LAST_PORT}")


def chosen_or_free(port: int | None, purpose: str) -> int:
    """Return the port that was asked for, or a free one where none was.

    Raises:
        PortTakenError: when the port that was asked for is in use.
    """
    if not port:
        return free_ports(1)[0]
    if not is_free(port):
        raise PortTakenError(f"port {port}, asked for as {purpose}, is in use: choose another or leave it out")
    return port


def _can_listen(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # A closed connection's TIME_WAIT does not hinder a server, so it must not hinder the probe.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
