"""The bodies of messages about one new object, as S3, EventBridge and SNS write them."""

from __future__ import annotations

import json
from urllib.parse import quote_plus


def by_s3(bucket: str, key: str, etag: str) -> str:
    """Return S3's own, as its message structure 2.1 is documented."""
    item = {"key": quote_plus(key, safe="/"), "size": 1, "eTag": etag, "sequencer": "0055AED6DCD90281E5"}
    facts = {"s3SchemaVersion": "1.0", "configurationId": "c", "bucket": {"name": bucket, "arn": "arn"}, "object": item}
    record = {
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1",
        "eventTime": "2026-03-03T01:00:00.000Z", "eventName": "ObjectCreated:Put", "s3": facts,
    }  # fmt: skip
    return json.dumps({"Records": [record]})


def by_event_bridge(bucket: str, key: str, etag: str) -> str:
    """Return EventBridge's."""
    detail = {"version": "0", "bucket": {"name": bucket}, "object": {"key": key, "size": 1, "etag": etag}}
    return json.dumps(
        {"version": "0", "id": "1", "detail-type": "Object Created", "source": "aws.s3", "detail": detail}
    )


def by_sns(message: str) -> str:
    """Return SNS's envelope around another message."""
    return json.dumps({"Type": "Notification", "MessageId": "1", "TopicArn": "arn", "Message": message})
