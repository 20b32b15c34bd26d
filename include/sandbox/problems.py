"""Refusals: the platform's ErrorBody (Genesys OpenAPI) and the XML of an S3-like media host."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Mapping


class ApiError(Exception):
    """An API call is refused; becomes an ErrorBody."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.parameters, self.headers = dict(parameters or {}), dict(headers or {})


def error_response(error: ApiError, correlation_id: str | None = None) -> Response:
    """Return the ErrorBody of a refusal; ``contextId`` is the correlation id."""
    body = {
        "message": error.message,
        "code": error.code,
        "status": error.status,
        "messageParams": error.parameters,
        "contextId": correlation_id or str(uuid4()),
        "details": [],
        "errors": [],
    }
    return JSONResponse(body, error.status, headers=error.headers)


def xml_response(status: int, code: str, message: str, extra: str = "") -> Response:
    """Return an S3 error document."""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{message}</Message>{extra}"
        f"<RequestId>{uuid4().hex[:16].upper()}</RequestId></Error>"
    )
    return Response(text, status, media_type="application/xml")


def not_found(what: str, code: str = "not.found") -> ApiError:
    """Return the 404 for something that does not exist."""
    return ApiError(404, code, f"{what} was not found.")


def bad_request(message: str, code: str = "bad.request") -> ApiError:
    """Return the 400 for a request the API does not understand."""
    return ApiError(400, code, message)
