"""What the tests of the client share: a scripted server, virtual time, planted secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from include.genesys.client import GenesysClient
from include.genesys.connection import GenesysConnection
from include.settings import ArchiveSettings, LakeLocation
from tests.genesys.one_job import OPEN
from tests.genesys.scripted_server import ScriptedGenesys
from tests.genesys.virtual_time import VirtualTime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A busy machine is no failure: examples are bounded by their number, not by the clock.
hypothesis_settings.register_profile("bounded", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("bounded")

CANARY_SECRET = "canary-secret-7f3a"
ORG_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture
def genesys() -> Iterator[ScriptedGenesys]:
    """A scripted Genesys Cloud."""
    with ScriptedGenesys() as server:
        yield server


@pytest.fixture
def one_open_job(genesys: ScriptedGenesys) -> None:
    """There is a job to ask for."""
    genesys.jobs["job-1"] = OPEN


@pytest.fixture
def time() -> VirtualTime:
    """Time that passes only when somebody sleeps."""
    return VirtualTime()


@pytest.fixture
def settings(tmp_path) -> ArchiveSettings:
    """Settings with short socket time-outs and a state folder of their own."""
    return ArchiveSettings(
        lake=LakeLocation("bucket"),
        state_dir=tmp_path / "state",
        connect_timeout_seconds=2.0,
        read_timeout_seconds=2.0,
    )


@pytest.fixture
def connection(genesys) -> GenesysConnection:
    """A connection to the scripted server, platform contract."""
    return connection_to(genesys.url)


@pytest.fixture
def make_client(connection, settings, time) -> Iterator[Callable[..., GenesysClient]]:
    """Build clients that are closed at the end; keyword arguments change the connection."""
    made: list[GenesysClient] = []

    def make(settings: ArchiveSettings = settings, timekeeping=time.timekeeping, **changes: object) -> GenesysClient:
        client = GenesysClient(replace(connection, **changes), settings, timekeeping=timekeeping)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client) -> GenesysClient:
    """A client of the scripted server on virtual time."""
    return make_client()


def connection_to(url: str, **extra: object) -> GenesysConnection:
    """Return a connection to a server on this machine."""
    return GenesysConnection.from_fields(
        name="genesys_cloud",
        host="mypurecloud.com",
        login="client-1",
        password=CANARY_SECRET,
        extra={"api_base_url": url, "org_id": ORG_ID, **extra},
    )
