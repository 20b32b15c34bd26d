"""The wire: one module per group of operations, put together here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from starlette.routing import Route, Router

from include.sandbox.gateway import TEMPLATE
from include.sandbox.problems import bad_request, error_response, not_found

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    Handler = Callable[[Request], Awaitable[ASGIApp]]
    Operation = tuple[str, str, Handler]

Json = dict[str, object]


def router_of(operations: Iterable[Operation]) -> Router:
    """Return the router of these (method, path template, handler) triples; anything else is 404."""
    routes = [Route(path, _endpoint(path, handler), methods=[method]) for method, path, handler in operations]
    return Router(routes, default=_unknown)


def _endpoint(template: str, handler: Handler) -> Callable[[Request], Awaitable[ASGIApp]]:
    async def endpoint(request: Request) -> ASGIApp:
        request.scope[TEMPLATE] = template
        return await handler(request)

    return endpoint


async def _unknown(scope: Scope, receive: Receive, send: Send) -> None:
    await error_response(not_found("The requested resource"))(scope, receive, send)


async def json_body(request: Request) -> Json:
    """Return the request's JSON object.

    Raises:
        ApiError: 400 when the body is no JSON object.
    """
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise bad_request("The request could not be understood by the server due to malformed syntax.")
    return cast("Json", body)


def ids_asked(request: Request) -> list[str]:
    """Return the ``id`` parameters, whether repeated or joined with commas (the vendor's SDK joins them)."""
    return [part for value in request.query_params.getlist("id") for part in value.split(",") if part]


def whole_number(request: Request, name: str, default: int, most: int) -> int:
    """Return a paging parameter.

    Raises:
        ApiError: 400 when it is no number from 1 to ``most``.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise bad_request(f"Value [{text}] is not valid for parameter [{name}]", "invalid.query.param.value")
    return int(text)
