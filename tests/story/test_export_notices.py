"""Notifications of the export: hints that bring the listing somewhere, and leave the queue when their work is done."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import cycle

import boto3
import pytest

from include.lake.event_queue import EventQueue, queue_config
from include.transfer.export_ingest import find_news, ingest_day
from include.transfer.export_listing import Window
from include.transfer.export_notices import Notices
from tests.lake.notifications import by_event_bridge, by_s3, by_sns
from tests.story.export_desk import NOW, WINDOW, config_of, export_desk
from tests.story.night import DAY

ELSEWHERE = Window.of_local_days(DAY.date + timedelta(days=90), DAY.date + timedelta(days=90))


@pytest.fixture
def desk(lake, lake_client, tmp_path):
    """A small export of a clean day."""
    with export_desk(lake, lake_client, tmp_path, config_of(conversations=12)) as laid:
        yield laid


@pytest.fixture
def queue(sqs, queue_url):
    """An empty queue."""
    return EventQueue(sqs, queue_url)


@pytest.fixture
def announce(desk, sqs, queue):
    """Send a message for each object, in every form in turn; return how many."""

    def send(objects=None):
        forms = cycle([by_s3, by_event_bridge, lambda *facts: by_sns(by_s3(*facts))])
        found = list(desk.ports.export.objects("")) if objects is None else objects
        location = desk.ports.export.location
        for item, form in zip(found, forms, strict=False):
            body = form(location.bucket, f"{location.prefix}/{item.key}", item.etag.strip('"'))
            sqs.send_message(QueueUrl=queue.url, MessageBody=body)
        return len(found)

    return send


def in_queue(sqs, queue):
    """Return how many messages can be received, and how many are only out of sight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=names)["Attributes"]
    return tuple(int(attributes[name]) for name in names)


def one_run(desk, queue, now=NOW, window=WINDOW):
    """Receive, list, ingest, acknowledge: what the task does; return what became of objects and messages."""
    ports = desk.ports
    notices = Notices(ports.export, ports.org, queue)
    notices.receive()
    news = find_news(ports, replace(window, also=notices.dates), now)
    seen = sum((ingest_day(ports, day, found, now).seen for day, found in news.days.items()), Counter())
    return seen, dict(notices.acknowledge(ports.lake))


def test_messages_go_when_what_they_named_is_settled(desk, sqs, queue, announce):
    """Each form, and each twice, since delivery is at least once."""
    desk.write()
    count = announce() + announce()
    seen, messages = one_run(desk, queue)
    truth = desk.written.truth().outcomes
    assert (truth["archived"], truth["conflicting"]) == (seen["archived"], seen["conflicting"])
    assert {"settled": count} == messages
    assert (0, 0) == in_queue(sqs, queue)


def test_message_is_not_deleted_before_its_object_is_durable(desk, sqs, queue, announce):
    """A run that died after it had received them, or could not ingest, leaves every message to come again."""
    desk.write("first")
    count = announce()
    notices = Notices(desk.ports.export, desk.ports.org, queue)
    notices.receive()
    assert (0, count) == in_queue(sqs, queue)
    assert {"waiting": count} == dict(notices.acknowledge(desk.ports.lake))
    assert (0, count) == in_queue(sqs, queue)


def test_recording_that_waits_keeps_its_message(desk, sqs, queue, announce):
    """Its other half may still come; its message is out of sight, and done once the recording is."""
    patient = replace(desk.ports.export_settings, export_patience_seconds=3600.0)
    desk.ports = replace(desk.ports, export_settings=patient)
    desk.write("first")
    announce()
    soon = next(desk.ports.export.objects("")).stored_at + timedelta(minutes=1)
    seen, messages = one_run(desk, queue, soon)
    assert 0 < messages["waiting"] == in_queue(sqs, queue)[1]
    again = announce()
    later, done = one_run(desk, queue)
    assert {"settled": again} == done
    assert 0 < later["without_metadata"]
    assert (
        desk.written.truth().outcomes["archived"] == (seen + later)["archived"] + desk.written.truth().classes["late"]
    )


def test_lost_message_loses_nothing(desk, queue, announce):
    """The listing is the truth: one message of all, and everything is archived."""
    desk.write()
    announce([next(desk.ports.export.objects(""))])
    seen, messages = one_run(desk, queue)
    assert desk.written.truth().outcomes["archived"] == seen["archived"]
    assert {"settled": 1} == messages


def test_message_finds_what_the_window_does_not(desk, queue, announce):
    """What came months late is found under its own date."""
    desk.write("first")
    assert ({}, {}) == one_run(desk, queue, window=ELSEWHERE)
    count = announce()
    seen, messages = one_run(desk, queue, window=ELSEWHERE)
    assert 0 < seen["archived"]
    assert {"settled": count} == messages


def test_what_is_not_of_this_export_is_left_for_the_dead_letters(desk, sqs, queue):
    """Malformed, another bucket, prefix or organisation: counted and not deleted; the test event is done."""
    location = desk.ports.export.location
    key = next(item.key for item in written_one(desk))
    for body in (
        "no json",
        '{"Service": "Amazon S3", "Event": "s3:TestEvent"}',
        by_s3("another-bucket", f"{location.prefix}/{key}", "e"),
        by_s3(location.bucket, f"another/{key}", "e"),
        by_s3(location.bucket, f"{location.prefix}/{key.replace(desk.ports.org, 'f' * 36)}", "e"),
        by_s3(location.bucket, f"{location.prefix}/{key}", "e").replace("ObjectCreated:Put", "ObjectRemoved:Delete"),
    ):
        sqs.send_message(QueueUrl=queue.url, MessageBody=body)
    _, messages = one_run(desk, queue)
    assert {"malformed": 1, "test": 1, "elsewhere": 4} == messages
    assert (0, 5) == in_queue(sqs, queue)


def written_one(desk):
    """Let the integration write; return its objects."""
    desk.write("first")
    return desk.ports.export.objects("")


def test_object_that_is_gone_or_was_written_again_keeps_no_message(desk, lake_client, queue, announce):
    """What counts is what stands there now."""
    desk.write("first")
    announce()
    export = desk.ports.export
    one, other, third = [item for item in export.objects("") if item.key.endswith(".ogg")][:3]
    root = f"{export.location.prefix}/"
    lake_client.delete_object(Bucket=export.location.bucket, Key=root + one.key)
    lake_client.put_object(Bucket=export.location.bucket, Key=root + other.key, Body=export.read(third.key))
    _, messages = one_run(desk, queue)
    assert {"settled"} == messages.keys()


def test_queue_that_is_away_costs_no_recording(desk, caplog):
    """Nobody answers: the listing goes on."""
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-west-1"}
    once = queue_config().merge(type(queue_config())(retries={"total_max_attempts": 1}))
    client = boto3.client("sqs", endpoint_url="http://127.0.0.1:1", config=once, **keys)
    desk.write("first")
    seen, messages = one_run(desk, EventQueue(client, "http://127.0.0.1:1/1/queue"))
    assert 0 < seen["archived"]
    assert {} == messages
    assert "goes on without notifications" in caplog.text
