"""POST /oauth/token: client credentials, as RFC 6749 section 4.4 and each contract want it."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request

    from include.sandbox.routes import Operation
    from include.sandbox.world import World


def operations(world: World) -> list[Operation]:
    """Return the operations of this group."""

    async def issue(request: Request) -> Response:
        form = {name: values[-1] for name, values in parse_qs((await request.body()).decode("latin-1")).items()}
        client_id, secret = _credentials(request, form)
        if not world.tokens.knows(client_id, secret):
            status = 400 if world.faults.strike("wrong-secret-400") else 401
            return _refusal(status, "invalid_client", "client not found or the credentials are wrong")
        if form.get("grant_type") != "client_credentials":
            return _refusal(400, "unsupported_grant_type", "only client_credentials is granted")
        if world.config.contract == "guide" and not form.get("scope"):
            return _refusal(400, "invalid_scope", "scope is required")
        return _token(world, client_id, form)

    return [("POST", "/oauth/token", issue)]


def _token(world: World, client_id: str, form: dict[str, str]) -> Response:
    soon = world.faults.strike("token-expires-soon")
    seconds = soon.seconds if soon else world.config.token_lifetime_seconds
    answer: dict[str, object] = {
        "access_token": world.tokens.issue(client_id, seconds),
        "token_type": "bearer",
        "expires_in": max(1, int(seconds)),
    }
    if world.config.contract == "guide":
        answer["scope"] = form["scope"]
    return JSONResponse(answer)


def _credentials(request: Request, form: dict[str, str]) -> tuple[str, str]:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client_id, _, secret = b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client_id, secret


def _refusal(status: int, error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status)
