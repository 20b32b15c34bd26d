"""The reports as pages: what ``reports/`` in the lake holds, for whoever may see the daily DAG's runs.

Airflow mounts the applications of plugins without any guard, so every route here has one. Nothing is written, and no
text of the lake reaches the browser as markup of its own.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from genesys_archive.defaults import DAILY_DAG_ID, archive_settings
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.ui.page import absent_page, index_page, report_page
from include.errors import ArchiveError
from include.lake.layout import report_key
from include.transfer.day_report import CHART, MEDIA_TYPES, PAGE, earlier_figures

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from include.lake.store import LakeStore

NOT_FOUND = 404
NO_SUCH_PAGE = "There is no such page."
HEADERS = {
    # The page of a report may show its own picture and its own style, run nothing and be framed by Airflow alone.
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
}


def pages() -> FastAPI:
    """Return the application. Its own documentation is off: it would be open to everybody."""
    guard = Depends(requires_access_dag("GET", DagAccessEntity.RUN, DAILY_DAG_ID))
    app = FastAPI(dependencies=[guard], docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.middleware("http")(_with_headers)
    app.exception_handler(ArchiveError)(_lake_is_away)
    app.exception_handler(StarletteHTTPException)(_refused)
    app.exception_handler(RequestValidationError)(_no_day)
    app.get("/reports/")(_index)
    app.get("/reports/{day}/")(_report)
    app.get("/reports/{day}/{name}")(_file)
    return app


def _index() -> HTMLResponse:
    """Return the last thirty days."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    return HTMLResponse(index_page(earlier_figures(_lake(), str(tomorrow))))


def _report(day: date) -> HTMLResponse:
    """Return a day's report with its picture, and ways to the days beside it that have one too."""
    lake = _lake()
    markdown = _read(lake, day, PAGE).decode()
    before, after = (_with_report(lake, day, step) for step in (-1, 1))
    return HTMLResponse(report_page(day, markdown, before, after))


def _file(day: date, name: str) -> Response:
    """Return a file of a day's report as it stands in the lake."""
    if name not in MEDIA_TYPES:
        raise HTTPException(NOT_FOUND, "A report has no such file.")
    disposition = "inline" if name == CHART else f'attachment; filename="{day}-{name}"'
    body = _read(_lake(), day, name)
    return Response(body, media_type=MEDIA_TYPES[name], headers={"Content-Disposition": disposition})


def _read(lake: LakeStore, day: date, name: str) -> bytes:
    body = lake.read(report_key(str(day), name))
    if body is None:
        raise HTTPException(NOT_FOUND, f"There is no report of {day}.")
    return body


def _with_report(lake: LakeStore, day: date, step: int) -> date | None:
    """Return the day beside this one, ``None`` where it has no report, or where the calendar ends."""
    try:
        beside = day + timedelta(days=step)
    except OverflowError:
        return None
    return beside if lake.head(report_key(str(beside), PAGE)) else None


def _lake() -> LakeStore:
    """Return the lake, anew for every request: credentials change, and pages are rare."""
    return recording_lake(archive_settings())


async def _with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response


async def _refused(request: Request, error: StarletteHTTPException) -> Response:
    """Say on a page what is not there; whatever else is refused stays as Airflow says it."""
    if error.status_code != NOT_FOUND:
        return await http_exception_handler(request, error)
    return _absent(request, NO_SUCH_PAGE if error.detail == "Not Found" else str(error.detail))


async def _no_day(request: Request, _: RequestValidationError) -> Response:
    return _absent(request, "No such day: a day is written like 2026-03-02.")


def _absent(request: Request, sentence: str) -> HTMLResponse:
    return HTMLResponse(absent_page(sentence, f"{request.scope.get('root_path', '')}/reports/"), NOT_FOUND)


async def _lake_is_away(_: Request, error: Exception) -> JSONResponse:
    """Say in one sentence what the errors of the archive say, which hold no secrets."""
    return JSONResponse({"detail": str(error)}, status_code=502)
