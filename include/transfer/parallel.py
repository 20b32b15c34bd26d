"""The rest of a large file over several connections, where the source gives each of them only so much.

Every connection writes its part where it belongs; the calling thread follows over the parts that make a whole prefix,
hashes them in order, and notes how far a later worker may trust the file.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from include.errors import IntegrityError, RetriableError, TransferInterrupted, UrlExpired
from include.transfer.body import receive
from include.transfer.digest import BLOCK_BYTES
from include.transfer.one_file import range_headers
from include.transfer.patience import Patience
from include.transfer.range_board import Piece, RangeBoard
from include.transfer.ranges import Partial, Refused, judge_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.secret import PresignedUrl
    from include.settings import ArchiveSettings
    from include.transfer.media_http import MediaHttp
    from include.transfer.one_file import OneFile
    from include.transfer.recording_spool import Spool


class RangesRefusedError(Exception):
    """The server stopped serving ranges: the file must be taken as it comes."""


class ParallelRanges:
    """Fetches what ``file`` still lacks. ``run`` may be called again, with another URL, and keeps what is there."""

    def __init__(
        self,
        http: MediaHttp,
        settings: ArchiveSettings,
        sleep: Callable[[float], None],
        file: OneFile,
        spool: Spool,
        connections: int,
    ) -> None:
        self._http = http
        self._settings = settings
        self._sleep = sleep
        self._file = file
        self._spool = spool
        self._connections = connections
        self._board = RangeBoard(file.sink.position, file.total or 0, settings.chunk_bytes, connections)
        self._counting = threading.Lock()

    def run(self, url: PresignedUrl) -> None:
        """Fetch until the file is whole.

        Raises:
            RangesRefusedError: when an answer is not a range.
            ArchiveError: see ``MediaDownloader.fetch``; every part has used up its own attempts.
        """
        self._board.reopen()
        threads = [
            threading.Thread(target=self._fetch_pieces, args=(url,), name=f"range-{number}", daemon=True)
            for number in range(self._connections)
        ]
        for thread in threads:
            thread.start()
        try:
            self._follow()
        finally:
            self._board.stop()
            for thread in threads:
                thread.join()

    def _follow(self) -> None:
        file = self._file
        while (piece := self._board.next_whole()) is not None:
            file.sink.absorb(piece.length)
            if file.pin is not None:
                file.sink.commit(file.pin)
            self._board.absorbed()
        file.complete = True

    def _fetch_pieces(self, url: PresignedUrl) -> None:
        block = memoryview(bytearray(BLOCK_BYTES))
        patience = Patience(self._settings, self._sleep)
        try:
            while (piece := self._board.claim()) is not None:
                self._fill(url, piece, block, patience)
                self._board.finish(piece)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the thread that follows must not wait for ever
            self._board.fail(error)
        with self._counting:
            self._file.retries += patience.retries

    def _fill(self, url: PresignedUrl, piece: Piece, block: memoryview, patience: Patience) -> None:
        while piece.received < piece.length:
            try:
                self._ask(url, piece, block)
                patience.progress()
            except UrlExpired:
                raise
            except (RetriableError, IntegrityError) as error:
                if self._board.stopped:
                    raise
                patience.survive(error)

    def _ask(self, url: PresignedUrl, piece: Piece, block: memoryview) -> None:
        asked, before = piece.missing, piece.received
        with self._counting:
            self._file.requests += 1
        try:
            with self._http.get(url, range_headers(asked, self._file.pin)) as response:
                verdict = judge_response(asked, response.status, response.headers, self._file.pin)
                if isinstance(verdict, Refused):
                    raise verdict.error
                if not isinstance(verdict, Partial):
                    raise RangesRefusedError
                receive(response, verdict.received.length, _PieceRoom(self._spool, self._board, piece, block))
        except IntegrityError:
            piece.received = before  # the body was too long: nothing of this answer is proven
            raise


class _PieceRoom:
    """Takes a body into the piece's place of the file."""

    def __init__(self, spool: Spool, board: RangeBoard, piece: Piece, block: memoryview) -> None:
        self._spool = spool
        self._board = board
        self._piece = piece
        self._block = block

    def room(self, limit: int) -> memoryview:
        return self._block[:limit]

    def keep(self, view: memoryview) -> None:
        self._spool.write_at(self._piece.first + self._piece.received, view)
        self._piece.received += len(view)
        if self._board.stopped:
            raise TransferInterrupted("another part of the file failed", bytes_safe=0)
