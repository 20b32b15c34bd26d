"""Keeps the pages out of every process that shows none: their imports cost seconds, and each task loads plugins."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping


class ImportedWhenAsked:
    """An ASGI application that is imported with its first request.

    ``make`` is called without arguments, once.
    """

    def __init__(self, module: str, make: str) -> None:
        self._module = module
        self._make = make
        self._app: Callable[..., Awaitable[None]] | None = None

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Pass the request on."""
        if self._app is None:
            self._app = getattr(import_module(self._module), self._make)()
        await self._app(scope, receive, send)
