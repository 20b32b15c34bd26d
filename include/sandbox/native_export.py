"""What the native S3 integration would have written, irregularities included, and the truth about it by class.

One file for each available recording, under the UTC hour of its conversation's start, with ``_metadata.json`` beside
it. The irregular ones are chosen by the seed; everything else about them is a function of the recording.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from include.sandbox.dice import deck
from include.sandbox.recordings import body_for, content_type_of, extension_of, outcome_of
from include.sandbox.scenario import Outcome
from include.sandbox.wire import iso

if TYPE_CHECKING:
    from datetime import date, datetime

    from include.sandbox.conversations import Conversation
    from include.sandbox.recordings import Recording
    from include.sandbox.tenant import Tenant

ORDINARY, LATE, DUPLICATE, CONFLICTING = "ordinary", "late", "duplicate", "conflicting"
MISSING_METADATA = "missing_metadata"
WAVES = ("first", "late", "all")
WRITERS = 8
ONE_HOUR = timedelta(hours=1)


class ExportTarget(Protocol):
    """What writing needs of an S3 client."""

    def put_object(self, **kwargs: object) -> dict[str, object]:
        """PutObject."""


@dataclass(frozen=True, slots=True)
class Irregularities:
    """How many of a hundred recordings are not written as they should be."""

    late: int = 3
    duplicate: int = 1
    missing_metadata: int = 1
    conflicting: int = 1

    @property
    def weights(self) -> dict[str, int]:
        """The deck's cards."""
        odd = {
            LATE: self.late,
            DUPLICATE: self.duplicate,
            MISSING_METADATA: self.missing_metadata,
            CONFLICTING: self.conflicting,
        }
        return {ORDINARY: 100 - sum(odd.values())} | {name: share for name, share in odd.items() if share}


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One object to be written; ``late`` ones come with the second wave."""

    key: str
    body: bytes
    late: bool
    checksummed: bool


@dataclass(frozen=True, slots=True)
class ExportTruth:
    """Recordings by class, and what an honest ingest must come to once everything is there.

    ``outcomes`` counts objects: a duplicate and a contradiction are one more each.
    """

    classes: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class NativeExport:
    """The export of one organisation's local days."""

    tenant: Tenant
    days: tuple[date, ...]
    irregularities: Irregularities = field(default_factory=Irregularities)

    def truth(self) -> ExportTruth:
        """Return the counts by class."""
        truth = ExportTruth()
        for _, recording, kind in self._dealt():
            truth.classes[kind] += 1
            outcome = outcome_of(recording, recording.parts[0])
            truth.outcomes[outcome.value] += 1
            if kind in (DUPLICATE, CONFLICTING) and outcome is Outcome.ARCHIVED:
                truth.outcomes[kind] += 1
        return truth

    def write(self, client: ExportTarget, bucket: str, prefix: str = "", wave: str = "all") -> int:
        """Put a wave's objects into the bucket; return how many."""
        root = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        files = [item for dealt in self._dealt() for item in self._files(*dealt)]

        def put(item: ExportedFile) -> None:
            digest = base64.b64encode(hashlib.sha256(item.body).digest()).decode()
            checks = {"ChecksumSHA256": digest} if item.checksummed else {}
            client.put_object(Bucket=bucket, Key=root + item.key, Body=item.body, **checks)

        written = 0
        for late in {"first": (False,), "late": (True,), "all": (False, True)}[wave]:
            with ThreadPoolExecutor(WRITERS) as pool:
                written += len(list(pool.map(put, (item for item in files if item.late == late))))
        return written

    def _dealt(self) -> list[tuple[Conversation, Recording, str]]:
        """Return the recordings that would be exported, each with what happens to it; same seed, same hand."""
        chosen = [
            (conversation, recording)
            for day in self.days
            for conversation in self.tenant.day(day)
            if conversation.selected
            for recording in conversation.recordings
            if len(recording.parts) == 1
            and recording.file_state == "AVAILABLE"
            and not recording.restricted
            and self.tenant.landed(recording)
        ]
        cards = deck(self.irregularities.weights, len(chosen), self.tenant.config.seed, "native export")
        # What is damaged or no audio is odd enough; a second copy of it would be a class of its own.
        return [
            (conversation, recording, card if _is_archivable(recording) else ORDINARY)
            for (conversation, recording), card in zip(chosen, cards, strict=True)
        ]

    def _files(self, conversation: Conversation, recording: Recording, kind: str) -> list[ExportedFile]:
        body, late = body_for(recording, recording.parts[0]).bytes(), kind == LATE
        checksummed = int(recording.id[0], 16) % 2 == 0
        files = self._pair(conversation, recording, conversation.start, body, late=late, checksummed=checksummed)
        if kind == LATE and int(recording.id[1], 16) % 2:
            # Out of order too: the metadata came in time.
            files[1] = ExportedFile(files[1].key, files[1].body, late=False, checksummed=False)
        if kind == MISSING_METADATA:
            del files[1]
        if kind in (DUPLICATE, CONFLICTING):
            # The later object contradicts the first, so it has to come later.
            again = body if kind == DUPLICATE else body_for(recording, replace(recording.parts[0], index=7)).bytes()
            hour = conversation.start + ONE_HOUR
            files += self._pair(conversation, recording, hour, again, late=True, checksummed=checksummed)
        return files

    def _pair(
        self,
        conversation: Conversation,
        recording: Recording,
        hour: datetime,
        body: bytes,
        *,
        late: bool,
        checksummed: bool,
    ) -> list[ExportedFile]:
        folder = (
            f"{self.tenant.config.org_id}/year={hour.year}/month={hour.month}/day={hour.day}/hour={hour.hour}"
            f"/conversation_id={conversation.id}/"
        )
        name = f"{recording.id}.{extension_of(content_type_of(recording, recording.parts[0]))}"
        document = json.dumps(export_metadata(conversation, recording), sort_keys=True).encode()
        return [
            ExportedFile(f"{folder}{name}", body, late, checksummed),
            ExportedFile(f"{folder}{recording.id}_metadata.json", document, late, checksummed=False),
        ]


def export_metadata(conversation: Conversation, recording: Recording) -> dict[str, object]:
    """Return the document beside a recording: the published fields, and names of the platform's other answers."""
    return {
        "mediaType": "Call" if recording.media == "audio" else recording.media.capitalize(),
        "mediaSubtype": recording.subtype,
        "provider": "Edge",
        "userIds": [leg.user_id for leg in conversation.legs],
        "conversationId": conversation.id,
        "recordingId": recording.id,
        "conversationStart": iso(conversation.start),
        "conversationEnd": iso(conversation.end) if conversation.end else None,
        "startTime": iso(recording.start),
        "originatingDirection": conversation.direction,
        "ani": conversation.ani,
        "dnis": conversation.dnis,
        "queueIds": [leg.queue_id for leg in conversation.legs],
        "wrapUpCodes": [leg.wrap_up_code for leg in conversation.legs],
        "divisionIds": list(conversation.division_ids),
    }


def _is_archivable(recording: Recording) -> bool:
    return outcome_of(recording, recording.parts[0]) is Outcome.ARCHIVED
