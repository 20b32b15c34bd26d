"""One shard on a desk: the real lake and downloader, a shelf of files, and a source that the test scripts."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import UUID

from include.genesys.models import RecordingResult
from include.lake.key_reading import MediaKey
from include.lake.manifest import Manifest
from include.lake.plan import ShardPlan
from include.settings import ArchiveSettings
from include.transfer.archive import archive_shard
from include.transfer.download import MediaDownloader
from include.transfer.submit import SubmittedJob, SubmittedShard
from tests.story.night import DAY, ZONE, media_keys
from tests.story.shelf import ScriptedSource, Shelf, finished
from tests.transfer.sound import sound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from include.lake.store import LakeStore
    from include.outcome import ItemRecord
    from include.transfer.archive import ShardReport

ORG = str(UUID(int=9))
ZIP_TYPE = "application/zip"


def conversation(number: int) -> str:
    """Return the id of a conversation."""
    return str(UUID(int=0xC << 120 | number))


def recording_of(number: int) -> str:
    """Return the id of a recording."""
    return str(UUID(int=0xA << 120 | number))


def audio(number: int) -> bytes:
    """Return a small whole WAV; every number has bytes of its own."""
    return sound("wav-pcm", samples=400 + number)


def sha256(content: bytes) -> str:
    """Return the digest."""
    return hashlib.sha256(content).hexdigest()


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of these members."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in members.items():
            # A fixed time: the same members are the same bytes, whenever they are packed.
            info = zipfile.ZipInfo(name, (2026, 3, 2, 0, 0, 0))
            info.compress_type = method
            archive.writestr(info, content)
    return target.getvalue()


def index(*rows: Mapping[str, object], errors: list | None = None) -> bytes:
    """Return the metadata JSON of a bundle."""
    return json.dumps({"recordings": list(rows), "errors": errors or []}).encode()


def row(number: int, name: str, rec: int | None = None, media_type: str = "audio/wav") -> dict[str, object]:
    """Return an index entry: conversation ``number``, recording of the same number."""
    recording_id = recording_of(number if rec is None else rec)
    return {
        "conversationId": conversation(number),
        "recordingId": recording_id,
        "fileName": name,
        "contentType": media_type,
    }


def path(number: int, rec: int | None = None, end: str = ".wav") -> str:
    """Return a member's path as the sandbox spells it."""
    return f"{conversation(number)}/{recording_of(number if rec is None else rec)}{end}"


@dataclass
class Desk:
    """Everything one call of ``archive_shard`` needs."""

    lake: LakeStore
    settings: ArchiveSettings
    downloader: MediaDownloader
    shelf: Shelf
    source: ScriptedSource = field(default_factory=ScriptedSource)
    report: ShardReport | None = None

    def result(
        self, number: int, url: object, rec: int | None = None, media_type: str | None = "audio/wav"
    ) -> RecordingResult:
        """Return a result for a recording, by default the one with the conversation's number."""
        recording_id = recording_of(number if rec is None else rec)
        return RecordingResult(conversation(number), recording_id, url, media_type)

    def bundle(self, content: bytes, name: str = "/bundle.zip") -> RecordingResult:
        """Put a bundle on the shelf and return the result that names it."""
        return RecordingResult(None, None, self.shelf.put(name, content), ZIP_TYPE)

    def plan(self, *numbers: int) -> ShardPlan:
        """Return the plan of these conversations, one batch."""
        ids = tuple(sorted(conversation(number) for number in numbers))
        return ShardPlan(ORG, str(DAY), ZONE.key, (ids,), {item: {"ani": "+49301"} for item in ids})

    def archive(
        self,
        *numbers: int,
        unfinished: bool = False,
        refused: tuple[str, ...] = (),
        deep: bool = False,
        **options: object,
    ) -> list[ItemRecord]:
        """Archive the job ``job`` for these conversations and return the manifest's items."""
        plan = replace(self.plan(*numbers), deep=deep, base_version=int(deep))
        ids = tuple(item for item in plan.conversation_ids if item not in refused)
        submitted = SubmittedShard(plan.key, (SubmittedJob("job", ids),), refused)
        self.report = archive_shard(
            self.source,
            self.lake,
            self.downloader,
            self.settings,
            plan,
            submitted,
            unfinished=frozenset({"job"} if unfinished else ()),
            **options,
        )
        return list(Manifest.read(self.lake, self.report.manifest_key, ORG, str(DAY)).items)

    def deliver(self, *results: RecordingResult, numbers: tuple[int, ...]) -> list[ItemRecord]:
        """Archive a finished job with these results."""
        self.source.statuses["job"] = [finished(*results)]
        return self.archive(*numbers)

    def stored(self) -> dict[str, int]:
        """Return SHA-256 and part number of every audio object."""
        parsed = [MediaKey.parse(key) for key in media_keys(self.lake)]
        return {item.sha256: item.identity.part for item in parsed}

    def quarantined(self) -> dict[str, str]:
        """Return the quarantined objects: SHA-256 to key."""
        return {self.lake.head(key).sha256: key for key in self.lake.list_keys("quarantine/")}


@contextmanager
def desk(lake: LakeStore, folder: Path, **settings: object) -> Iterator[Desk]:
    """Open a desk; no wait between attempts ever sleeps."""
    chosen = ArchiveSettings(lake=lake.location, timezone=ZONE, state_dir=folder, **settings)
    with Shelf() as shelf, MediaDownloader(chosen, ("127.0.0.1",), lambda _: None) as downloader:
        yield Desk(lake, chosen, downloader, shelf)


def brief(items: list[ItemRecord]) -> set[tuple[str, str, str, str]]:
    """Return conversation, recording, outcome and reason of each record."""
    return {(item.conversation_id, item.recording_id, str(item.outcome), item.reason) for item in items}
