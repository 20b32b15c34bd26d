"""The URL of one file, and how it gets a fresh one: presigned URLs live for minutes, a large file may take longer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from include.transfer.ranges import RANGE_NOT_SATISFIABLE

if TYPE_CHECKING:
    from include.errors import ArchiveError, UrlExpired
    from include.secret import PresignedUrl

Renew = Callable[["PresignedUrl"], "PresignedUrl"]
"""Returns another URL of the same file for one that has expired; raises ``UrlExpired`` when there is none."""


class Address:
    """Where one file is now. Thread-safe."""

    def __init__(self, url: PresignedUrl, renew: Renew | None, look_again: Renew | None = None) -> None:
        self.url = url
        self._renew = renew
        self._look_again = look_again
        self._is_fresh = False
        self._lock = threading.Lock()

    def worked(self) -> None:
        """The URL was good for some bytes: when it expires, another one is worth asking for."""
        self._is_fresh = False

    def changed(self) -> None:
        """Ask what the source says of the file now, where somebody can: before it is fetched once more from its start.

        Raises:
            ArchiveError: as the source raises them.
        """
        with self._lock:
            if self._look_again is not None:
                self.url = self._look_again(self.url)

    def refused(self, error: ArchiveError) -> None:
        """Ask the same after a range that is not satisfiable (416): the file is not what it was said to be.

        Raises:
            ArchiveError: as ``changed``.
        """
        if error.status == RANGE_NOT_SATISFIABLE:
            self.changed()

    def renew(self, refused: PresignedUrl, error: UrlExpired) -> None:
        """Change ``refused`` for a fresh URL, once however many threads ask.

        Raises:
            UrlExpired: ``error``, when nothing can renew it, or a fresh one was refused too.
            ArchiveError: as the source raises them.
        """
        with self._lock:
            if refused != self.url:
                return
            if self._renew is None or self._is_fresh:
                raise error
            self.url = self._renew(refused)
            self._is_fresh = True
