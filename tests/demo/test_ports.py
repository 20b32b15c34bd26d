"""Ports are free when they are handed out, and a chosen port that is taken is said plainly."""

from __future__ import annotations

import socket

import pytest

from demo.ports import LOOPBACK, PortTakenError, chosen_or_free, free_ports, is_free


@pytest.fixture
def taken_port():
    """A port somebody listens on."""
    with socket.create_server((LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


def test_ports_differ_and_are_free():
    """Several at once never repeat."""
    ports = free_ports(20)
    assert (20, True) == (len(set(ports)), all(map(is_free, ports)))


def test_companion_port_is_free_too():
    """A service that takes port + 10000 as well gets a pair of free ones."""
    (port,) = free_ports(1, companion_offset=10_000)
    assert is_free(port + 10_000)


def test_taken_port_is_refused_by_name(taken_port):
    """The message has the number and what it was for."""
    with pytest.raises(PortTakenError, match=f"port {taken_port}, asked for as the Airflow UI, is in use"):
        chosen_or_free(taken_port, "the Airflow UI")


def test_port_taken_on_another_interface_counts_as_taken():
    """A listener on every interface holds the loopback port as well."""
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - the case under test
        assert not is_free(server.getsockname()[1])


def test_no_choice_gives_a_free_port():
    """Without a choice any free port will do."""
    assert is_free(chosen_or_free(None, "anything"))
