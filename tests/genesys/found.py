"""What a search for conversations came to, in brief."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from include.genesys.analytics import ConversationsFound


def ids_of(found: ConversationsFound) -> list[str]:
    """Return the ids in the order of the result."""
    return [item.conversation_id for item in found.conversations]
