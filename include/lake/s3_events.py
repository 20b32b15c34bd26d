"""Notifications of S3 about new objects, as they arrive in a queue; pure.

Three senders have three forms: S3 itself (``Records``, keys URL-encoded), Amazon EventBridge (``detail``, keys as they
are), and either through Amazon SNS, which puts the text of the other into ``Message`` unless raw delivery is on. When a
notification is set up, S3 sends ``s3:TestEvent`` once (Amazon S3 User Guide, "Event message structure", "EventBridge
event message structure"). Delivery is at least once and in no order.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

_CREATED = "ObjectCreated:"
_CREATED_DETAIL = "Object Created"
_TEST = "s3:TestEvent"
_WRAPPED_MAX = 3


@dataclass(frozen=True, slots=True, order=True)
class EventObject:
    """One object that was created, with its whole key. ``etag`` has no quotes and is empty where none was told."""

    bucket: str
    key: str
    etag: str


@dataclass(frozen=True, slots=True)
class S3Event:
    """One message. Without objects it tells of something else than a new one; ``is_test`` where it tells of nothing."""

    objects: tuple[EventObject, ...] = ()
    is_test: bool = False

    @classmethod
    def parse(cls, text: str) -> S3Event | None:
        """Read the body of a message; ``None`` for what no sender of such messages writes.

        >>> S3Event.parse('{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}')
        S3Event(objects=(), is_test=True)
        """
        try:
            return _read(text, _WRAPPED_MAX)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None


def _read(text: str, wrapped_max: int) -> S3Event | None:
    document = json.loads(text)
    if document.get("Type") == "Notification" and wrapped_max:
        return _read(document["Message"], wrapped_max - 1)
    if document.get("Event") == _TEST:
        return S3Event(is_test=True)
    if document.get("source") == "aws.s3":
        return S3Event((_of_detail(document["detail"]),) if document["detail-type"] == _CREATED_DETAIL else ())
    # An empty list names nothing and is no message of S3's.
    records = document["Records"]
    if not isinstance(records, list) or not records:
        return None
    created = [record for record in records if record["eventName"].removeprefix("s3:").startswith(_CREATED)]
    return S3Event(tuple(_of_record(record["s3"]) for record in created))


def _of_record(told: dict[str, Any]) -> EventObject:
    item = told["object"]
    return _object(told["bucket"]["name"], unquote_plus(item["key"], errors="strict"), item.get("eTag"))


def _of_detail(told: dict[str, Any]) -> EventObject:
    item = told["object"]
    return _object(told["bucket"]["name"], item["key"], item.get("etag"))


def _object(bucket: object, key: object, etag: object) -> EventObject:
    if not (isinstance(bucket, str) and isinstance(key, str) and isinstance(etag, str | None)):
        raise TypeError("not the words of S3")
    return EventObject(bucket, key, (etag or "").strip('"'))
