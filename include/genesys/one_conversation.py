"""One conversation by its id: when it was and who took part, without a look at its whole day.

``GET /api/v2/analytics/conversations/{conversationId}/details`` (source: Genesys OpenAPI). The row is that of the
details query, read by the same reader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.genesys.answer import Malformed
from include.genesys.conversation import read_conversation
from include.genesys.gone import told_gone
from include.genesys.json_fields import uuid_of
from include.genesys.request import ApiRequest, path_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.genesys.http import ApiDoor
    from include.genesys.models import Conversation

DETAILS = "/api/v2/analytics/conversations/{}/details"


def conversation_details(door: ApiDoor, conversation_id: str) -> Conversation:
    """Return what analytics says of a conversation.

    Raises:
        RecordingGone: when the source does not know it (fact ``conversation_id``).
        ArchiveError: as ``ApiDoor.fetch``.
    """
    with told_gone(f"Conversation {conversation_id}", conversation_id=conversation_id):
        return door.fetch(ApiRequest("GET", DETAILS, path_of(DETAILS, conversation_id)), _reader(conversation_id))


def _reader(conversation_id: str) -> Callable[[object], Conversation]:
    def read(body: object) -> Conversation:
        found = read_conversation(body)
        if found.conversation_id != uuid_of(conversation_id):
            # Its facts would stand beside the recording as those of the call that was asked for.
            raise Malformed("it speaks of another conversation")
        return found

    return read
