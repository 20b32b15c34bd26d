"""Both ports, served from one thread: in a test with ``running``, from a shell with ``python -m include.sandbox``."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

import uvicorn

from include.sandbox.config import SandboxConfig
from include.sandbox.gateway import Gateway
from include.sandbox.media import media_app
from include.sandbox.routes import (
    analytics,
    analytics_jobs,
    batch,
    control,
    directory,
    guide,
    oauth,
    recording,
    recording_jobs,
    router_of,
)
from include.sandbox.sockets import ResettableProtocol
from include.sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from starlette.types import ASGIApp

    from include.sandbox.faults import Faults
    from include.sandbox.journal import Journal
    from include.sandbox.tenant import Tenant
    from include.sandbox.truth import DayTruth

_GROUPS = (oauth, analytics, analytics_jobs, batch, recording, recording_jobs, directory, guide, control)
_START_SECONDS = 20.0
_STOP_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox that is running. ``faults.switch_on("media-truncated:2")`` and ``switch_off()`` work at any time."""

    world: World
    client_id: str
    client_secret: str

    @property
    def api_base_url(self) -> str:
        """Scheme, host and port of the API, no trailing slash."""
        return self.world.api_base_url

    @property
    def login_base_url(self) -> str:
        """Scheme, host and port that answer /oauth/token: the API's own port under both contracts."""
        return self.world.api_base_url

    @property
    def media_base_url(self) -> str:
        """Scheme, host and port of the presigned media."""
        return self.world.media_base_url

    @property
    def org_id(self) -> str:
        """The organisation's id."""
        return self.world.config.org_id

    @property
    def journal(self) -> Journal:
        """Every call answered so far; iterable, with ``calls(line)``, ``summary()`` and ``clear()``."""
        return self.world.journal

    @property
    def faults(self) -> Faults:
        """The switches."""
        return self.world.faults

    @property
    def tenant(self) -> Tenant:
        """The organisation itself."""
        return self.world.tenant

    def truth(self, day: date, output_format: str | None = None) -> DayTruth:
        """Return what an honest archive of that local date must hold, as things stand now."""
        return self.world.truth(day, output_format)

    def __repr__(self) -> str:
        return f"Sandbox(api={self.api_base_url}, media={self.media_base_url}, org={self.org_id})"


def api_app(world: World) -> ASGIApp:
    """Return the ASGI application of the API port."""
    operations = [operation for group in _GROUPS for operation in group.operations(world)]
    return Gateway(world, router_of(operations))


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(512)
    return listener


def _server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        http=ResettableProtocol,
        ws="none",
        loop="asyncio",
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


async def _serve(servers: list[uvicorn.Server], listeners: list[socket.socket]) -> None:
    pairs = zip(servers, listeners, strict=True)
    await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in pairs))


@contextmanager
def running(config: SandboxConfig | None = None) -> Iterator[Sandbox]:
    """Serve both ports until the block ends.

    Raises:
        OSError: when a port cannot be bound.
        TimeoutError: when the servers do not come up in 20 seconds.
    """
    config = config or SandboxConfig()
    world = World(config)
    listeners = [_listen(config.host, config.port), _listen(config.host, config.media_port)]
    world.api_base_url, world.media_base_url = (
        f"http://{config.public_host or config.host}:{listener.getsockname()[1]}" for listener in listeners
    )
    servers = [_server(api_app(world)), _server(Gateway(world, media_app(world), "media"))]
    thread = Thread(target=lambda: asyncio.run(_serve(servers, listeners)), name="sandbox", daemon=True)
    thread.start()
    try:
        _await_start(servers, thread)
        yield Sandbox(world, config.client_id, config.client_secret)
    finally:
        for server in servers:
            server.should_exit = True
        thread.join(_STOP_SECONDS)
        for listener in listeners:
            listener.close()
        world.exports.close()


def _await_start(servers: list[uvicorn.Server], thread: Thread) -> None:
    pause = Event()
    for _ in range(int(_START_SECONDS / 0.01)):
        if all(server.started for server in servers):
            return
        if not thread.is_alive():
            break
        pause.wait(0.01)
    raise TimeoutError("the sandbox did not come up")
