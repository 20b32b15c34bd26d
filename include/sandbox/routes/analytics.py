"""Conversation details at once: by query, one page at a time, or by id."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from include.sandbox.problems import bad_request, not_found
from include.sandbox.routes import ids_asked, json_body
from include.sandbox.wire import conversation_json

if TYPE_CHECKING:
    from starlette.requests import Request

    from include.sandbox.conversations import Conversation
    from include.sandbox.routes import Json, Operation
    from include.sandbox.world import World

PAGE_SIZE_MAX = 100
RESULTS_MAX = 100_000
_DRIFT = 3
_PATH = "/api/v2/analytics/conversations"


def operations(world: World) -> list[Operation]:
    """Return the operations of this group."""

    async def query(request: Request) -> Response:
        body = await json_body(request)
        size, number = page_of(body)
        found = await asyncio.to_thread(world.queries.started, body)
        page, total = _page(world, found, size, number)
        if not page:
            return JSONResponse({})
        return JSONResponse({"conversations": [conversation_json(each) for each in page], "totalHits": total})

    async def one(request: Request) -> Response:
        conversation = await asyncio.to_thread(world.tenant.conversation, request.path_params["conversationId"])
        if conversation is None:
            raise not_found("The conversation", "conversation.not.found")
        return JSONResponse(conversation_json(conversation))

    async def several(request: Request) -> Response:
        asked = ids_asked(request)
        if not 1 <= len(asked) <= PAGE_SIZE_MAX:
            raise bad_request(f"id must name 1 to {PAGE_SIZE_MAX} conversations", "constraint.validation")
        found = filter(None, [await asyncio.to_thread(world.tenant.conversation, each) for each in asked])
        return JSONResponse({"conversations": [conversation_json(each) for each in found]})

    return [
        ("POST", f"{_PATH}/details/query", query),
        ("GET", f"{_PATH}/details", several),
        ("GET", f"{_PATH}/{{conversationId}}/details", one),
    ]


def page_of(body: Json) -> tuple[int, int]:
    """Return page size and number.

    Raises:
        ApiError: 400 when they are out of the documented bounds.
    """
    paging = body.get("paging")
    if paging is None:
        return 25, 1
    if not isinstance(paging, dict) or not all(isinstance(paging.get(key), int) for key in ("pageSize", "pageNumber")):
        raise bad_request("paging needs pageSize and pageNumber", "constraint.validation")
    size, number = paging["pageSize"], paging["pageNumber"]
    if not 1 <= size <= PAGE_SIZE_MAX or number < 1:
        raise bad_request(f"pageSize must be 1 to {PAGE_SIZE_MAX} and pageNumber 1 or more", "constraint.validation")
    if size * number > RESULTS_MAX:
        raise bad_request(f"Pagination may not exceed {RESULTS_MAX} results")
    return size, number


def _page(world: World, found: list[Conversation], size: int, number: int) -> tuple[list[Conversation], int]:
    start, total = (number - 1) * size, len(found)
    if world.faults.strike("analytics-drift"):
        start = max(0, start - _DRIFT) if start < total else start
        total += number % 2
    page = found[start : (number - 1) * size + size]
    if page and start and world.faults.strike("analytics-duplicates"):
        page = [found[start - 1], *page]
    return page, total
