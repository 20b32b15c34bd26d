"""The zip of the guide contract: every file of a job plus one metadata.json, spooled to disk, the same every time."""

from __future__ import annotations

import json
import zipfile
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Lock
from typing import TYPE_CHECKING

from include.sandbox.body import CHUNK_BYTES
from include.sandbox.recordings import body_for, content_type_of, extension_of
from include.sandbox.wire import iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.sandbox.jobs import Job, Result
    from include.sandbox.tenant import Tenant

Json = dict[str, object]

_PATIENCE_SECONDS = 2.0
_EPOCH = (1980, 1, 1, 0, 0, 0)
_ALREADY_SMALL = {"ogg", "mp3", "webm"}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file on disk, read by range."""

    path: Path
    content_type: str = "application/zip"

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self.path.stat().st_size

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield bytes ``start`` to ``stop`` (excluded) in chunks of at most 64 KiB."""
        left = (self.size if stop is None else stop) - start
        with self.path.open("rb") as source:
            source.seek(start)
            while left > 0 and (chunk := source.read(min(CHUNK_BYTES, left))):
                yield chunk
                left -= len(chunk)


@dataclass(slots=True)
class Exports:
    """Zips by job id, in a temporary directory that goes with the sandbox."""

    tenant: Tenant
    _folder: TemporaryDirectory[str] = field(default_factory=lambda: TemporaryDirectory(prefix="sandbox-exports-"))
    _lock: Lock = field(default_factory=Lock)
    _builder: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "sandbox-zip"))
    _closed: Event = field(default_factory=Event)
    _building: dict[str, Future[StoredFile]] = field(default_factory=dict)

    def ready(self, job: Job) -> bool:
        """Whether the job's zip is built; asking starts it, and waits a little, as most are built in no time."""
        future = self._building.get(job.id) or self._building.setdefault(job.id, self._builder.submit(self.zip_of, job))
        wait([future], timeout=_PATIENCE_SECONDS)
        return future.done() and bool(future.result())

    def zip_of(self, job: Job) -> StoredFile:
        """Return the job's zip, building it on first use."""
        target = Path(self._folder.name) / f"{job.id}.zip"
        with self._lock:
            if not target.exists():
                partial = target.with_suffix(".part")
                self._build(job, partial)
                partial.rename(target)
        return StoredFile(target)

    def close(self) -> None:
        """Remove every zip, and build no more: a build under way ends at its next chunk."""
        self._closed.set()
        self._builder.shutdown(wait=True, cancel_futures=True)
        self._folder.cleanup()

    def _build(self, job: Job, target: Path) -> None:
        index: Json = {"jobId": job.id, "recordings": [], "errors": []}
        rows, errors = [], []
        with zipfile.ZipFile(target, "w", allowZip64=True) as archive:
            for result in job.results:
                if result.recording and result.part and not result.error_message:
                    rows.append(self._add(archive, result, job.output_format))
                else:
                    errors.append(_error_row(result))
            index |= {"recordings": rows, "errors": errors}
            _write(archive, "metadata.json", iter([json.dumps(index, ensure_ascii=False, indent=1).encode()]))

    def _add(self, archive: zipfile.ZipFile, result: Result, output_format: str | None) -> Json:
        recording, part = result.recording, result.part
        assert recording  # noqa: S101 - the caller has looked
        assert part  # noqa: S101 - the caller has looked
        body = body_for(recording, part, output_format)
        content_type = content_type_of(recording, part, output_format)
        number = f"_{part.index}" if len(recording.parts) > 1 else ""
        name = f"{recording.conversation_id}/{recording.id}{number}.{extension_of(content_type)}"
        _write(archive, name, self._until_closed(body.read()))
        row: Json = {
            "conversationId": recording.conversation_id,
            "recordingId": recording.id,
            "fileName": name,
            "contentType": content_type,
            "sizeInBytes": body.size,
            "durationMs": round(part.seconds * 1000),
            "media": recording.media,
            "mediaSubtype": recording.subtype,
            "sessionId": recording.session_id,
            "startTime": iso(recording.start),
        }
        return row | self._call_facts(recording.conversation_id)

    def _until_closed(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if self._closed.is_set():
                raise InterruptedError("the sandbox is stopping")
            yield chunk

    def _call_facts(self, conversation_id: str) -> Json:
        conversation = self.tenant.conversation(conversation_id)
        assert conversation  # noqa: S101 - the result came from it
        names = {user.id: user.name for user in self.tenant.directory.users}
        agents = [names.get(leg.user_id) for leg in conversation.legs]
        tags = sorted({tag for leg in conversation.legs for tag in leg.wrap_up_tags})
        return {
            "ani": conversation.ani.partition(":")[2],
            "dnis": conversation.dnis.partition(":")[2],
            "agentName": agents[0],
            "direction": conversation.direction,
            "tags": tags,
        }


def _error_row(result: Result) -> Json:
    return {
        "conversationId": result.conversation_id,
        "recordingId": result.recording.id if result.recording else None,
        "errorMsg": result.error_message,
    }


def _write(archive: zipfile.ZipFile, name: str, chunks: Iterator[bytes]) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    small = name.rpartition(".")[2] in _ALREADY_SMALL
    info.compress_type = zipfile.ZIP_STORED if small else zipfile.ZIP_DEFLATED
    info._compresslevel = 1  # type: ignore[attr-defined]  # noqa: SLF001 - public only from Python 3.13
    with archive.open(info, "w") as member:
        for chunk in chunks:
            member.write(chunk)
