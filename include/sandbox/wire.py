"""A conversation in the shape the analytics API gives it (Genesys OpenAPI, AnalyticsConversationWithoutAttributes)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from include.sandbox.dice import uuid_for

if TYPE_CHECKING:
    from include.sandbox.conversations import Conversation, Leg

Json = dict[str, object]


def iso(moment: datetime) -> str:
    """Return the API's form of an instant: UTC, milliseconds, ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_of(text: str) -> datetime:
    """Read an ISO-8601 instant; without an offset it is UTC.

    Raises:
        ValueError: when it is none.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def conversation_json(conversation: Conversation, *, attributes: bool = False) -> Json:
    """Return the conversation; ``attributes`` adds the participant attributes only the asynchronous model has."""
    participants = [_customer(conversation), *_machines(conversation)]
    participants += [_agent(conversation, number, leg) for number, leg in enumerate(conversation.legs)]
    if attributes:
        for participant in participants:
            participant["attributes"] = {}
    answer: Json = {
        "conversationId": conversation.id,
        "conversationStart": iso(conversation.start),
        "divisionIds": list(conversation.division_ids),
        "originatingDirection": conversation.direction,
        "participants": participants,
    }
    if conversation.end:
        answer["conversationEnd"] = iso(conversation.end)
    if conversation.external_tag:
        answer["externalTag"] = conversation.external_tag
    if conversation.kind.media_type == "voice":
        answer["mediaStatsMinConversationMos"] = 4.41
    return answer


def _customer(conversation: Conversation) -> Json:
    last = conversation.legs[-1]
    segments = [
        _segment("interact", conversation.legs[0].start, last.end if conversation.end else None, queueId=last.queue_id)
    ]
    session = _session(conversation, conversation.session_id, segments, conversation.direction)
    if conversation.kind.recorded:
        session["recording"] = True
    if conversation.kind.media_type == "voice":
        session["protocolCallId"] = uuid_for(conversation.id, "protocol call")
    participant: Json = {
        "participantId": uuid_for(conversation.id, "customer"),
        "participantName": "Mobile Caller, Germany",
        "purpose": "customer" if conversation.direction == "inbound" else "external",
        "sessions": [session],
    }
    if conversation.flagged:
        participant["flaggedReason"] = "general"
    if any(recording.media == "screen" for recording in conversation.recordings):
        participant["screenRecording"] = True
    return participant


def _machines(conversation: Conversation) -> list[Json]:
    first, talk = conversation.start, conversation.legs[0].start
    half = first + (talk - first) / 2
    stations = (("ivr", "Main menu DE", first, half), ("acd", "Distributor", half, talk))
    machines: list[Json] = []
    for purpose, name, start, end in stations:
        fields = {"queueId": conversation.legs[0].queue_id} if purpose == "acd" else {}
        segment = _segment("ivr" if purpose == "ivr" else "interact", start, end, **fields)
        session = _session(conversation, uuid_for(conversation.id, purpose, "session"), [segment], "inbound")
        session["peerId"] = conversation.session_id
        machines.append(
            {
                "participantId": uuid_for(conversation.id, purpose),
                "participantName": name,
                "purpose": purpose,
                "sessions": [session],
            }
        )
    return machines


def _agent(conversation: Conversation, number: int, leg: Leg) -> Json:
    open_end = not conversation.end and leg is conversation.legs[-1]
    segments = [_segment("interact", leg.start, None if open_end else leg.end, queueId=leg.queue_id)]
    if not open_end:
        wrap_up: dict[str, object] = {"queueId": leg.queue_id, "wrapUpCode": leg.wrap_up_code}
        if leg.wrap_up_tags:
            wrap_up["wrapUpTags"] = list(leg.wrap_up_tags)
        if leg.wrap_up_note:
            wrap_up["wrapUpNote"] = leg.wrap_up_note
        segments.append(_segment("wrapup", leg.end, leg.end + timedelta(milliseconds=400), **wrap_up))
    session = _session(
        conversation, uuid_for(conversation.id, "agent session", number), segments, conversation.direction
    )
    session["peerId"] = conversation.session_id
    return {
        "participantId": uuid_for(conversation.id, "agent", number),
        "purpose": "agent",
        "userId": leg.user_id,
        "sessions": [session],
    }


def _session(conversation: Conversation, session_id: str, segments: list[Json], direction: str) -> Json:
    session: Json = {
        "sessionId": session_id,
        "mediaType": conversation.kind.media_type,
        "direction": direction,
        "provider": "Edge" if conversation.kind.media_type == "voice" else "PureCloud Messaging",
        "segments": segments,
    }
    if conversation.kind.media_type == "voice":
        session |= {"ani": conversation.ani, "dnis": conversation.dnis, "sessionDnis": conversation.dnis}
    return session


def _segment(kind: str, start: datetime, end: datetime | None, **fields: object) -> Json:
    segment: Json = {"segmentType": kind, "segmentStart": iso(start), "conference": False, **fields}
    if end:
        segment |= {"segmentEnd": iso(end), "disconnectType": "client"}
    return segment
