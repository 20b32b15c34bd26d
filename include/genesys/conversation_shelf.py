"""Conversations of a large day on disk instead of in memory, found again by their id.

A hundred thousand conversations are some hundred megabytes as objects, and a plan needs a few hundred of them at once.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from include.errors import ConfigurationError
from include.genesys.conversation import from_json, to_json

if TYPE_CHECKING:
    from pathlib import Path

    from include.genesys.models import Conversation

_READ_BYTES = 8192


class ConversationShelf(Mapping[str, "Conversation"]):
    """Id → conversation; ids come sorted. The file has no name, so it goes with the process. Close it.

    Raises:
        ConfigurationError: when the folder cannot be written; from ``add`` also when the disk is full.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Unbuffered: what was added is read back through the same descriptor at once.
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - closed by its owner
        except OSError as error:
            raise _unusable(error) from error
        self._offsets: dict[str, int] = {}
        self._end = 0

    def close(self) -> None:
        """Give the disk back."""
        self._file.close()

    def add(self, conversation: Conversation) -> bool:
        """Keep a conversation; false where its id is here already, and the first word stays."""
        if conversation.conversation_id in self._offsets:
            return False
        line = json.dumps(to_json(conversation), separators=(",", ":")).encode() + b"\n"
        view = memoryview(line)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise _unusable(error) from error
        self._offsets[conversation.conversation_id] = self._end
        self._end += len(line)
        return True

    def __getitem__(self, conversation_id: str) -> Conversation:
        offset = self._offsets[conversation_id]
        line = b""
        while not line.endswith(b"\n"):
            piece = os.pread(self._file.fileno(), _READ_BYTES, offset + len(line))
            line += piece[: piece.find(b"\n") + 1] or piece
        return from_json(json.loads(line))

    def __contains__(self, conversation_id: object) -> bool:
        return conversation_id in self._offsets

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._offsets))

    def __len__(self) -> int:
        return len(self._offsets)


def _unusable(error: OSError) -> ConfigurationError:
    return ConfigurationError(f"RECORDING_ARCHIVE_STATE_DIR cannot be used: {error.strerror}")
