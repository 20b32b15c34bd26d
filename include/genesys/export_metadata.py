"""The ``_metadata.json`` beside an exported recording, as far as anything in it is known.

Published are ``mediaType``, ``mediaSubtype``, ``provider`` and ``userIds`` (Genesys Resource Center, "Working with
exported recordings in AWS S3 bucket"); the rest of the schema is not. What is there under the names that the platform's
other answers use is read, anything else is kept verbatim beside the recording and otherwise ignored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.genesys.conversation import bare_address, is_meant
from include.genesys.json_fields import end_of, id_of, moment_of, text_of, texts_of, uuid_of
from include.genesys.models import Conversation, NamedReference
from include.genesys.redaction import unsigned

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

METADATA_BYTES_MAX = 1024 * 1024
_START = ("conversationStart", "conversationStartTime")
_END = ("conversationEnd", "conversationEndTime")


@dataclass(frozen=True, slots=True)
class ExportMetadata:
    """One such document. ``text`` is its JSON; ``conversation_id`` is empty where it names none."""

    text: str
    conversation_id: str
    fields: Mapping[str, object]

    @classmethod
    def parse(cls, body: bytes) -> ExportMetadata | None:
        """Read the document; ``None`` where the bytes are no JSON object."""
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError):
            return None
        if not isinstance(fields, dict):
            return None
        text = unsigned(json.dumps(fields, sort_keys=True, separators=(",", ":")))
        return cls(text, uuid_of(fields.get("conversationId")) or "", fields)

    def start_near(self, hour: datetime) -> datetime:
        """Return when the conversation began: the recording's own start, in this hour, may lie a day later.

        ``hour`` stands for it where the document does not say, or says what cannot be.
        """
        start = next((moment for name in _START if (moment := moment_of(self.fields.get(name)))), hour)
        return start if is_meant(start, hour, hour) else hour

    @property
    def is_screen(self) -> bool:
        """Whether the recording shows a screen: a container of video may as well hold a call."""
        return "screen" in {str(self.fields.get(name)).lower() for name in ("mediaType", "mediaSubtype")}

    def conversation(self, conversation_id: str, hour: datetime) -> Conversation:
        """Return the facts; ``hour`` is that of the recording."""
        start = self.start_near(hour)
        ani, dnis = text_of(self.fields.get("ani")), text_of(self.fields.get("dnis"))
        return Conversation(
            conversation_id=conversation_id,
            start=start,
            end=end_of(start, next((moment for name in _END if (moment := moment_of(self.fields.get(name)))), None)),
            direction=text_of(self.fields.get("originatingDirection")) or text_of(self.fields.get("direction")),
            ani=bare_address(ani),
            dnis=bare_address(dnis),
            ani_raw=ani,
            dnis_raw=dnis,
            recorded=True,
            media_types=tuple(filter(None, [text_of(self.fields.get("mediaType"))])),
            agents=self._references("userIds"),
            queues=self._references("queueIds"),
            wrap_up_codes=self._references("wrapUpCodes"),
            division_ids=tuple(dict.fromkeys(texts_of(self.fields.get("divisionIds")))),
            external_tag=text_of(self.fields.get("externalTag")),
        )

    def _references(self, name: str) -> tuple[NamedReference, ...]:
        listed = self.fields.get(name)
        ids = [id_of(entry) for entry in listed] if isinstance(listed, list) else []
        return tuple(NamedReference(item) for item in dict.fromkeys(ids) if item is not None)
