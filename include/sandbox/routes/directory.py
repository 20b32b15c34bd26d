"""Users, queues, wrap-up codes and divisions, by id or page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from starlette.responses import JSONResponse, Response

from include.sandbox.problems import ApiError, bad_request
from include.sandbox.routes import ids_asked
from include.sandbox.routes.listing import listing

if TYPE_CHECKING:
    from starlette.requests import Request

    from include.sandbox.directory import Entry
    from include.sandbox.routes import Handler, Json, Operation
    from include.sandbox.world import World

IDS_MAX = 100
_STATES = ("active", "inactive", "deleted", "any")


def operations(world: World) -> list[Operation]:
    """Return the operations of this group."""
    directory = world.tenant.directory

    async def users(request: Request) -> Response:
        asked = ids_asked(request)
        if len(asked) > IDS_MAX:
            raise bad_request(f"Only {IDS_MAX} users can be requested at a time.", "max.user.ids")
        wanted = _state(request)
        found = [user for user in directory.users if wanted in {"any", user.state} and (not asked or user.id in asked)]
        unknown = set(asked) - {user.id for user in directory.users}
        if asked and (not found or (unknown and world.faults.strike("users-unknown-404"))):
            raise ApiError(404, "general.resource.not.found", "The requested user(s) could not be found.")
        return JSONResponse(listing(request, [_user(user) for user in found]))

    async def user(request: Request) -> Response:
        wanted = _state(request)
        for entry in directory.users:
            if entry.id == request.path_params["userId"] and wanted in {"any", entry.state}:
                return JSONResponse(_user(entry))
        raise ApiError(404, "general.resource.not.found", "Unable to find a user with that userId")

    return [
        ("GET", "/api/v2/users", users),
        ("GET", "/api/v2/users/{userId}", user),
        ("GET", "/api/v2/routing/queues", _lister(directory.queues, "/api/v2/routing/queues")),
        ("GET", "/api/v2/routing/wrapupcodes", _lister(directory.wrap_up_codes, "/api/v2/routing/wrapupcodes")),
        ("GET", "/api/v2/authorization/divisions", _lister(directory.divisions, "/api/v2/authorization/divisions")),
    ]


def _lister(entries: tuple[Entry, ...], path: str) -> Handler:
    async def handler(request: Request) -> Response:
        asked = ids_asked(request)
        if len(asked) > IDS_MAX or not all(map(_is_uuid, asked)):
            raise bad_request("A non-UUID value was specified for an ID field.", "invalid.id")
        found = [entry for entry in entries if not asked or entry.id in asked]
        return JSONResponse(listing(request, [_entity(entry, path) for entry in found]))

    return handler


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _state(request: Request) -> str:
    wanted = request.query_params.get("state", "active")
    if wanted not in _STATES:
        text = f"Value [{wanted}] is not valid for parameter [state]. Allowable values are: {', '.join(_STATES)}"
        raise bad_request(text, "invalid.query.param.value")
    return wanted


def _entity(entry: Entry, path: str) -> Json:
    return {
        "id": entry.id,
        "name": entry.name,
        "division": {"id": entry.division_id},
        "selfUri": f"{path}/{entry.id}",
    }


def _user(entry: Entry) -> Json:
    address = entry.name.lower().replace(" ", ".")
    return {**_entity(entry, "/api/v2/users"), "email": f"{address}@example.org", "state": entry.state, "version": 1}
