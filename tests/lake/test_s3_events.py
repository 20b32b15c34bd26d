"""Messages about new objects, in the three forms in which they come, and what is none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.lake.s3_events import EventObject, S3Event
from tests.lake.notifications import by_event_bridge, by_s3, by_sns

KEY = "ex port/org/year=2026/month=3/conversation_id=ü+1/a.ogg"
OBJECT = EventObject("exports", KEY, "d41d8cd98f00b204e9800998ecf8427e")


@pytest.mark.parametrize("wrap", [by_s3, by_event_bridge])
@pytest.mark.parametrize("times", [0, 1, 2])
def test_every_form_names_the_same_object(wrap, times):
    """S3's own with a key that is encoded, EventBridge's with one that is not, and either through SNS."""
    text = wrap(OBJECT.bucket, OBJECT.key, OBJECT.etag)
    for _ in range(times):
        text = by_sns(text)
    assert S3Event((OBJECT,)) == S3Event.parse(text)


def test_several_records_are_several_objects():
    """One message may tell of more than one."""
    one, other = (json.loads(by_s3("exports", key, "e"))["Records"][0] for key in ("a b", "c"))
    event = S3Event.parse(json.dumps({"Records": [one, other]}))
    assert (EventObject("exports", "a b", "e"), EventObject("exports", "c", "e")) == event.objects


def test_what_is_no_new_object_names_none():
    """A removal is a message of S3's all the same."""
    assert S3Event() == S3Event.parse(by_s3("b", "k", "e").replace("ObjectCreated:Put", "ObjectRemoved:Delete"))
    assert S3Event() == S3Event.parse(by_event_bridge("b", "k", "e").replace("Object Created", "Object Deleted"))
    test = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"})
    assert S3Event(is_test=True) == S3Event.parse(test) == S3Event.parse(by_sns(test))


@pytest.mark.parametrize(
    "text",
    [
        "", "no json", "[]", "null", "{}", '{"Records": []}', '{"Records": [{}]}', '{"Records": {"a": 1}}',
        "[" * 100_000,        by_s3("b", "k", "e").replace('"k"', "7"), by_s3("b", "%FF", "e").replace("%25FF", "%FF"),
        by_sns(by_sns(by_sns(by_sns(by_s3("b", "k", "e"))))), '{"source": "aws.s3"}', '{"Type": "Notification"}',
    ],
)  # fmt: skip
def test_what_nobody_sends_is_none(text):
    """No exception, and no object either."""
    assert None is S3Event.parse(text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: (
    st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["Records", "s3", "object", "key", "bucket", "name", "eventName", "source",
                                       "detail", "detail-type", "Type", "Message", "Event", "eTag"]), inner, max_size=4)
)))  # fmt: skip
def test_any_document_is_read_without_an_error(document):
    """Whatever stands in the queue, one message never stops the others."""
    event = S3Event.parse(json.dumps(document))
    assert event is None or isinstance(event, S3Event)
