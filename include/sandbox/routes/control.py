"""The sandbox's own switches under /sandbox: no token, no rate limit, no secret in any answer."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from include.sandbox.faults import CATALOGUE
from include.sandbox.problems import ApiError, bad_request, error_response
from include.sandbox.recordings import OUTPUT_FORMATS
from include.sandbox.routes import json_body

if TYPE_CHECKING:
    from starlette.requests import Request

    from include.sandbox.routes import Handler, Json, Operation
    from include.sandbox.world import World


def operations(world: World) -> list[Operation]:
    """Return the operations of this group."""
    handlers = [
        ("GET", "/sandbox", _overview),
        ("GET", "/sandbox/truth", _truth),
        ("GET", "/sandbox/journal", _journal),
        ("DELETE", "/sandbox/journal", _clear_journal),
        ("GET", "/sandbox/faults", _faults),
        ("POST", "/sandbox/faults", _switch_on),
        ("DELETE", "/sandbox/faults", _switch_off),
        ("POST", "/sandbox/late", _late),
        ("DELETE", "/sandbox/tokens", _revoke),
    ]
    return [(method, path, _bound(world, handler)) for method, path, handler in handlers]


def _bound(world: World, handler: object) -> Handler:
    async def bound(request: Request) -> Response:
        try:
            return await handler(world, request)  # type: ignore[operator,no-any-return]
        except ApiError as error:
            return error_response(error)

    return bound


async def _overview(world: World, request: Request) -> Response:  # noqa: ARG001 - a handler
    config = world.config
    return JSONResponse(
        {
            "org_id": config.org_id,
            "contract": config.contract,
            "scenario": config.scenario,
            "seed": config.seed,
            "timezone": config.timezone,
            "dates": [day.isoformat() for day in config.dates],
            "conversations_per_day": config.conversations,
            "jobs": len(world.jobs),
            "calls": len(world.journal),
            "faults": world.faults.list(),
            "media_base_url": world.media_base_url,
        }
    )


async def _truth(world: World, request: Request) -> Response:
    output_format = request.query_params.get("outputFormat") or None
    if output_format not in {None, *OUTPUT_FORMATS}:
        raise bad_request(f"outputFormat must be one of {', '.join(OUTPUT_FORMATS)}")
    try:
        day = date.fromisoformat(request.query_params.get("date", ""))
    except ValueError:
        raise bad_request("date must be YYYY-MM-DD") from None
    truth = await asyncio.to_thread(world.truth, day, output_format)
    return JSONResponse(truth.to_json())


async def _journal(world: World, request: Request) -> Response:
    if request.query_params.get("summary"):
        return JSONResponse(world.journal.summary())
    return JSONResponse(world.journal.to_json())


async def _clear_journal(world: World, request: Request) -> Response:  # noqa: ARG001 - a handler
    world.journal.clear()
    return Response(status_code=204)


async def _faults(world: World, request: Request) -> Response:  # noqa: ARG001 - a handler
    catalogue: Json = {fault.name: fault.about for fault in CATALOGUE.values()}
    return JSONResponse({"on": world.faults.list(), "catalogue": catalogue})


async def _switch_on(world: World, request: Request) -> Response:
    body = await json_body(request)
    try:
        world.faults.switch_on(str(body.get("fault", "")))
    except ValueError as error:
        raise bad_request(str(error)) from None
    return JSONResponse({"on": world.faults.list()})


async def _switch_off(world: World, request: Request) -> Response:
    world.faults.switch_off(request.query_params.get("name"))
    return JSONResponse({"on": world.faults.list()})


async def _late(world: World, request: Request) -> Response:
    body = await json_body(request)
    world.tenant.land_everything(landed=bool(body.get("landed", True)))
    return Response(status_code=204)


async def _revoke(world: World, request: Request) -> Response:  # noqa: ARG001 - a handler
    world.tokens.revoke_all()
    return Response(status_code=204)
