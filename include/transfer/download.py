"""Fetch a presigned URL into a sink, whole or not at all, with its SHA-256 or, where its parts have theirs, without.

The loop between the pure rules (``ranges``) and the wire (``media_http``): ask for the next range, judge the answer,
write it, and after a fault go on from the last byte that is proven. It verifies that the bytes are the ones the
server promised; whether they are a recording is for ``integrity``.

What is fetched twice at most: after a fault inside this process nothing; after the process was killed, of a file that
rests on disk under a key, one range (``chunk_bytes``) for each connection that was open, with one connection one
range. Smaller files, and those without a strong ETag, begin again.
"""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, BinaryIO, Self

from include.errors import ArchiveError, RetriableError, SourceChanged, UrlExpired
from include.lake.quota import ByteBudget
from include.transfer.address import Address, Renew
from include.transfer.budgeted_spool import BudgetedSpool
from include.transfer.hashed_sink import HashedSink
from include.transfer.media_http import MediaHttp, no_token
from include.transfer.one_file import Downloaded, OneFile, with_bytes_safe
from include.transfer.parallel import ParallelRanges, RangesRefusedError
from include.transfer.part_file import sweep
from include.transfer.patience import Patience
from include.transfer.ranged_source import RangedSource, RangeReader
from include.transfer.ranges import connections_for
from include.transfer.recording_spool import BufferPool, Spool
from include.transfer.url_guard import Resolver, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from include.secret import PresignedUrl, Secret
    from include.settings import ArchiveSettings

__all__ = ["Downloaded", "MediaDownloader", "RangedSource", "Spool"]


class MediaDownloader:
    """Downloads media of one connection, also from several threads. Close it, or use it in a ``with``.

    ``sleep`` waits between two attempts; without it, ``stop`` ends such a wait too.
    ``private_media_hosts`` are hosts that may have private addresses, such as an S3 endpoint inside a VPC.
    ``authorise`` returns the token that a URL of the API itself wants, ``None`` for any other.
    """

    def __init__(
        self,
        settings: ArchiveSettings,
        media_hosts: tuple[str, ...],
        sleep: Callable[[float], None] | None = None,
        *,
        private_media_hosts: tuple[str, ...] = (),
        resolver: Resolver = resolve,
        authorise: Callable[[PresignedUrl], Secret | None] = no_token,
    ) -> None:
        self._settings = settings
        self._budget = ByteBudget.of(settings)
        self._http = MediaHttp(
            settings, media_hosts, private_hosts=private_media_hosts, resolver=resolver, authorise=authorise
        )
        self._wait_for = sleep or self._http.wait
        self._buffers = BufferPool(settings.concurrent_downloads, settings.memory_bytes)
        self._folder = settings.state_dir / "work"
        sweep(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def stop(self) -> None:
        """End every download that is under way with ``TransferInterrupted``, and begin no other; for any thread."""
        self._http.stop()

    def _sleep(self, seconds: float) -> None:
        """Wait for the next attempt, which there is none after ``stop``."""
        self._http.go_on()
        self._wait_for(seconds)
        self._http.go_on()

    def spool(self, key: str | None = None) -> Spool:
        """Return a place for one recording, to be used in a ``with``.

        Args:
            key: says which object it is (conversation, recording, ordinal), the same for every try and different for
                every object; never a URL. A large download that is killed is then resumed by whoever uses the key
                next on this machine.
        """
        return BudgetedSpool(self._budget.reservation(), self._buffers, self._folder, key)

    def fetch(
        self,
        url: PresignedUrl,
        sink: BinaryIO | Spool,
        *,
        renew: Renew | None = None,
        look_again: Renew | None = None,
    ) -> Downloaded:
        """Fill ``sink`` from its start with the file behind ``url``.

        The sink is emptied first and stays open; only the first fetch into a ``spool`` goes on with what an earlier
        worker left under its key. Where the URL expires on the way, ``renew`` gives another one and the download goes
        on with the bytes it has, as long as it is the same file. Where the file changed on the way, or a range of it is
        not satisfiable (416), ``look_again`` asks the source about it before the next attempt.

        Raises:
            TransferInterrupted: when the attempts are used up; the sink holds ``bytes_safe`` good bytes.
            SourceUnavailable, RateLimited: when the attempts are used up, or the wait asked for is above the cap.
            UrlExpired: when the URL is too old, and there is no other or that is refused at once.
            SourceChanged: when the file kept changing.
            IntegrityError: when the answers kept breaking RFC 9110, or the file is an HTML or XML page.
            QuotaExceeded: when the file is larger than ``recording_bytes_max``, does not fit the day's budget, or the
                disk is full.
            RecordingGone, NotAuthorised, RequestRejected, ConfigurationError: as the answer or the URL says.
        """
        with self._filled(sink, Address(url, renew, look_again), hashed=True) as file:
            return file.downloaded()

    def receive(self, url: PresignedUrl, sink: BinaryIO | Spool, *, renew: Renew | None = None) -> int:
        """Fill ``sink`` as ``fetch`` does, but take no digest, and return how many bytes it holds.

        For a file of which each part is hashed when it is read, such as an archive. Nothing of it is resumed.

        Raises:
            ArchiveError: as ``fetch``.
        """
        with self._filled(sink, Address(url, renew, None), hashed=False) as file:
            file.sink.flush()
            return file.sink.position

    @contextmanager
    def _filled(self, sink: BinaryIO | Spool, address: Address, *, hashed: bool) -> Iterator[OneFile]:
        with closing(HashedSink(sink, self._settings.recording_bytes_max, hashed=hashed)) as target:
            file = OneFile(target, self._settings.chunk_bytes)
            file.resume()
            try:
                self._complete(file, sink, address)
            except RetriableError:
                target.interrupted()
                raise
            yield file

    def _complete(self, file: OneFile, sink: BinaryIO | Spool, address: Address) -> None:
        patience = Patience(self._settings, self._sleep)
        ranges: ParallelRanges | None = None
        while not file.complete:
            url, before = address.url, file.sink.position
            try:
                ranges = ranges or self._divided(file, sink)
                if ranges is None:
                    file.advance(self._http, url)
                else:
                    ranges.run(url)
                patience.progress()
            except RangesRefusedError:
                ranges, file.in_ranges = None, False
            except UrlExpired as error:
                if file.sink.position > before:
                    address.worked()
                address.renew(url, error)
            except SourceChanged as error:
                file.restart()
                ranges = None
                self._wait(patience, file, error, before)
                address.changed()
            except ArchiveError as error:
                if ranges is not None:  # each of its parts has had all its attempts
                    raise with_bytes_safe(error, file.sink.position) from None
                self._wait(patience, file, error, before)
                address.refused(error)
            else:
                address.worked()

    def _wait(self, patience: Patience, file: OneFile, error: ArchiveError, position: int) -> None:
        before = patience.retries
        patience.survive(with_bytes_safe(error, file.sink.position), lost=file.sink.position < position)
        file.retries += patience.retries - before

    def _divided(self, file: OneFile, sink: BinaryIO | Spool) -> ParallelRanges | None:
        """Return the rest of the file as ranges for several connections, where that pays and the sink can take it."""
        settings = self._settings
        if not (isinstance(sink, Spool) and file.in_ranges and file.sink.in_file and file.total):
            return None
        connections = connections_for(
            file.total - file.sink.position,
            file.tempo,
            settings.chunk_bytes,
            from_bytes=settings.parallel_ranges_from_bytes,
            connections_max=settings.connections_per_object,
        )
        if connections == 1:
            return None
        return ParallelRanges(self._http, settings, self._sleep, file, sink, connections)

    @contextmanager
    def open_ranged(self, url: PresignedUrl, renew: Renew | None = None) -> Iterator[RangedSource]:
        """Open a file for reads at any place, without storing it where the server serves ranges.

        A file of at most ``chunk_bytes`` comes with the first answer and is held in memory; a server that ignores
        ranges makes this download the whole file into a spool. Closed when the ``with`` ends. ``renew`` as for
        ``fetch``.

        Raises:
            ArchiveError: as ``fetch``; reads of the source raise the same.
        """
        with ExitStack() as stack:
            source = RangeReader(self._http, url, self._settings, self._sleep, renew).open()
            if source is None:
                sink = stack.enter_context(self.spool())
                source = RangedSource.of_spool(sink, self.receive(url, sink, renew=renew))
            yield source
