"""Make a service elsewhere answer on this machine's loopback: ``python -m demo.forward 8800:sandbox:8800``.

The archive speaks plain HTTP with its own machine and nobody else. In the compose profile ``demo`` the sandbox is
another container, so this runs in the network of each container that calls it. Bytes are carried as they are, both
ways, and a reset as a reset.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import struct
import sys
from dataclasses import dataclass
from functools import partial

from demo.ports import LOOPBACK

CHUNK_BYTES = 64 * 1024
CONNECT_SECONDS = 5.0
WATCH_SECONDS = 5.0
MISSES_MAX = 6


@dataclass(frozen=True)
class Route:
    """Connections to ``port`` of loopback go to ``target_port`` of ``target``."""

    port: int
    target: str
    target_port: int

    @classmethod
    def parse(cls, text: str) -> Route:
        """Read ``PORT:HOST:PORT``.

        Raises:
            ValueError: when it is not three parts, or a port is no number.
        """
        port, target, target_port = text.split(":")
        return cls(int(port), target, int(target_port))


def main(arguments: list[str] | None = None) -> int:
    """Forward until killed; return 1 when a target stays out of reach."""
    line = argparse.ArgumentParser(prog="python -m demo.forward", description="Bring a service to this loopback.")
    line.add_argument("routes", nargs="+", type=Route.parse, metavar="PORT:HOST:PORT")
    line.add_argument("--watch-seconds", type=float, default=WATCH_SECONDS, help="between two looks at the targets")
    options = line.parse_args(arguments)
    lost = asyncio.run(_forward(options.routes, options.watch_seconds))
    print(f"{lost.target}:{lost.target_port} did not answer {MISSES_MAX} times", file=sys.stderr)
    return 1


async def _forward(routes: list[Route], watch_seconds: float) -> Route:
    """Listen on every route until one target is out of reach; return that route."""
    servers = [await asyncio.start_server(partial(_carry, route), LOOPBACK, route.port) for route in routes]
    listing = ", ".join(f"{LOOPBACK}:{one.port} to {one.target}:{one.target_port}" for one in routes)
    print(f"forwarding {listing}", flush=True)
    watches = [asyncio.create_task(_lost(route, watch_seconds)) for route in routes]
    done, _ = await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
    for server in servers:
        server.close()
    return done.pop().result()


async def _lost(route: Route, watch_seconds: float) -> Route:
    """Return the route once its target has been out of reach for several looks in a row.

    A container that is started again gets a new network, and this process would listen in the old one for ever:
    ending lets Docker start it again, in the network of today.
    """
    misses = 0
    while misses < MISSES_MAX:
        await asyncio.sleep(watch_seconds)
        try:
            _, writer = await _connect(route)
            writer.close()
            misses = 0
        except OSError:
            misses += 1
    return route


async def _connect(route: Route) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.wait_for(asyncio.open_connection(route.target, route.target_port), CONNECT_SECONDS)


async def _carry(route: Route, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry one connection both ways until both sides have said all."""
    try:
        far_reader, far_writer = await _connect(route)
    except OSError as error:
        print(f"{route.target}:{route.target_port}: {error}", file=sys.stderr, flush=True)
        _reset(writer)
        return
    try:
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
    except OSError:
        _reset(writer)
        _reset(far_writer)
    finally:
        writer.close()
        far_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a failure: an ordinary end would look like the end of an answer."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


if __name__ == "__main__":
    sys.exit(main())
