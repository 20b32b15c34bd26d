"""The paging envelope every entity listing of the platform has."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from include.sandbox.routes import whole_number

if TYPE_CHECKING:
    from starlette.requests import Request

    from include.sandbox.routes import Json

PAGE_SIZE_MAX = 500


def listing(request: Request, entities: list[Json]) -> Json:
    """Return one page of the entities, by ``pageSize`` (default 25) and ``pageNumber`` (from 1).

    Raises:
        ApiError: 400 when they are no such numbers.
    """
    size = whole_number(request, "pageSize", 25, PAGE_SIZE_MAX)
    number = whole_number(request, "pageNumber", 1, 10**6)
    pages = ceil(len(entities) / size)

    def uri(page: int) -> str:
        return f"{request.url.path}?pageSize={size}&pageNumber={page}"

    answer: Json = {
        "entities": entities[(number - 1) * size : number * size],
        "pageSize": size,
        "pageNumber": number,
        "total": len(entities),
        "pageCount": pages,
        "firstUri": uri(1),
        "selfUri": uri(number),
        "lastUri": uri(max(pages, 1)),
    }
    if number < pages:
        answer["nextUri"] = uri(number + 1)
    if number > 1:
        answer["previousUri"] = uri(number - 1)
    return answer
