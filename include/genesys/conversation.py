"""One row of the analytics answer as a ``Conversation``, and a ``Conversation`` as stored JSON.

Shapes: ``AnalyticsConversationWithoutAttributes`` of the Genesys OpenAPI. Unknown fields and new enum values do no
harm; what identifies the row (id, start) is strict.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote

from include.genesys.answer import Malformed
from include.genesys.json_fields import LONGEST, end_of, entries_of, id_of, moment_of, text_of, texts_of, uuid_of
from include.genesys.models import Conversation, NamedReference
from include.genesys.stored_conversation import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = ["bare_address", "from_json", "is_meant", "read_answer", "read_conversation", "to_json"]

OUTER_PURPOSES = frozenset({"customer", "external"})
AGENT_PURPOSES = frozenset({"agent", "user"})
VOICE = "voice"
ADDRESS_SCHEMES = ("tel:", "sip:", "sips:")
NEIGHBOUR = timedelta(days=2)
"""An interval means the days that it touches (Genesys SDK), in whatever zone the source counts them."""

Row = dict[str, object]


def read_conversation(row: object) -> Conversation:
    """Return the facts of one analytics row.

    Raises:
        Malformed: when the id is no UUID or the start is no moment; such a row is reported, never used.
    """
    entry = row if isinstance(row, dict) else {}
    conversation_id, start = uuid_of(entry.get("conversationId")), moment_of(entry.get("conversationStart"))
    if conversation_id is None or start is None:
        raise Malformed("a conversation has no usable id or start")
    participants = entries_of(entry.get("participants"))
    sessions = [session for participant in participants for session in entries_of(participant.get("sessions"))]
    segments = [segment for session in sessions for segment in entries_of(session.get("segments"))]
    outer = _outer_sessions(participants)
    ani_raw, dnis_raw = _first(outer, "ani"), _first(outer, "dnis", "sessionDnis")
    return Conversation(
        conversation_id=conversation_id,
        start=start,
        end=end_of(start, moment_of(entry.get("conversationEnd"))),
        direction=text_of(entry.get("originatingDirection")) or _first(outer, "direction"),
        ani=bare_address(ani_raw),
        dnis=bare_address(dnis_raw),
        ani_raw=ani_raw,
        dnis_raw=dnis_raw,
        recorded=any(session.get("recording") is True for session in sessions),
        media_types=tuple(sorted({text for session in sessions if (text := text_of(session.get("mediaType")))})),
        agents=_agents(participants),
        queues=_references(segments, "queueId"),
        wrap_up_codes=_references(segments, "wrapUpCode"),
        wrap_up_tags=tuple(dict.fromkeys(tag for segment in segments for tag in texts_of(segment.get("wrapUpTags")))),
        wrap_up_notes=tuple(dict.fromkeys(note for row in segments if (note := text_of(row.get("wrapUpNote"))))),
        division_ids=tuple(dict.fromkeys(texts_of(entry.get("divisionIds")))),
        external_tag=text_of(entry.get("externalTag")),
        flagged_reason=_first(participants, "flaggedReason"),
    )


def read_answer(row: object, start: datetime, end: datetime) -> Conversation:
    """Return the facts of one row of those that were asked for in an interval.

    The source may answer with neighbours, whose own day asks for them. One that began years before, or days later, is
    of no day that anybody asks for: its start cannot be meant.

    Raises:
        Malformed: as ``read_conversation``, and for such a start.
    """
    conversation = read_conversation(row)
    if not is_meant(conversation.start, start, end):
        raise Malformed("a conversation has a start that the question excludes")
    return conversation


def is_meant(moment: datetime, start: datetime, end: datetime) -> bool:
    """Whether a conversation that was alive in an interval, or on a day beside it, may have begun at a moment."""
    return start - LONGEST <= moment < end + NEIGHBOUR


def bare_address(raw: str | None) -> str | None:
    """Return a telephone or SIP address without scheme, parameters and percent encoding.

    >>> bare_address("tel:+15550100"), bare_address("sip:agent%20one@example.org;transport=tls")
    ('+15550100', 'agent one@example.org')
    """
    if raw is None:
        return None
    address = raw
    for scheme in ADDRESS_SCHEMES:
        if raw.lower().startswith(scheme):
            # RFC 3261 and 3966: parameters follow a semicolon, SIP headers a question mark.
            address = unquote(raw[len(scheme) :].partition(";")[0].partition("?")[0])
            break
    return text_of(address)


def _outer_sessions(participants: list[Row]) -> list[Row]:
    """Return the voice sessions of the far end, recorded ones first: they carry ANI and DNIS of the call."""
    sessions = [
        session
        for participant in participants
        if text_of(participant.get("purpose")) in OUTER_PURPOSES
        for session in entries_of(participant.get("sessions"))
        if session.get("mediaType") == VOICE
    ]
    return sorted(sessions, key=lambda session: session.get("recording") is not True)


def _first(rows: Iterable[Row], *names: str) -> str | None:
    texts = (text_of(row.get(name)) for row in rows for name in names)
    return next((text for text in texts if text is not None), None)


def _agents(participants: list[Row]) -> tuple[NamedReference, ...]:
    """Return the agents in the order of the answer; a later mention may add the name that an earlier one lacks."""
    names: dict[str, str | None] = {}
    for participant in participants:
        user_id = id_of(participant.get("userId"))
        if text_of(participant.get("purpose")) in AGENT_PURPOSES and user_id is not None:
            names[user_id] = names.get(user_id) or text_of(participant.get("participantName"))
    return tuple(NamedReference(user_id, name) for user_id, name in names.items())


def _references(segments: list[Row], name: str) -> tuple[NamedReference, ...]:
    ids = (id_of(segment.get(name)) for segment in segments)
    return tuple(NamedReference(value) for value in dict.fromkeys(ids) if value is not None)
