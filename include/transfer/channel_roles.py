"""Who speaks on which channel of a recording; pure, and silent where nobody said so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CUSTOMER, AGENT, BOTH, UNKNOWN = "customer", "agent", "both", "unknown"
DUAL = 2
CHANNEL_KEYS = ("0", "1")
"""Keys of ``mediaUris`` that are the numbers of channels."""


def channel_roles(
    channels: int | None, conversation: Mapping[str, object], *, media_uri: str | None = None
) -> list[str]:
    """Return the role of each channel in the order of the file; an empty list where the number is not known.

    Genesys Cloud puts the external party on channel 0 and the internal one on channel 1 (help.dev-genesys.cloud,
    recording in dual channel). That says customer and agent only of a call that has one of each: of a call inside the
    house, or one whose agent analytics does not name, nothing is claimed.

    >>> channel_roles(2, {"agents": [{"id": "a"}], "ani": "+4930", "direction": "inbound"})
    ['customer', 'agent']
    >>> channel_roles(2, {"agents": []}), channel_roles(1, {}), channel_roles(None, {})
    (['unknown', 'unknown'], ['both'], [])

    A file with one channel that is one of several of its recording has the role of that channel: ``media_uri`` is the
    key under which the source gave it, and those of channels are their numbers.

    >>> channel_roles(1, {"agents": [{"id": "a"}], "ani": "+4930", "direction": "inbound"}, media_uri="1")
    ['agent']
    """
    if channels == 1 and media_uri is not None:
        whole = channel_roles(DUAL, conversation)
        return [whole[int(media_uri)] if media_uri in CHANNEL_KEYS else UNKNOWN]
    if channels == 1:
        return [BOTH]
    has_agent = bool(conversation.get("agents"))
    is_outside = conversation.get("direction") in {"inbound", "outbound"} and bool(
        conversation.get("ani_raw") or conversation.get("ani")
    )
    if channels == DUAL and has_agent and is_outside:
        return [CUSTOMER, AGENT]
    return [UNKNOWN] * (channels or 0)
