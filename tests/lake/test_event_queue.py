"""The queue against a server that speaks SQS: what is looked at stays, what is done goes, the rest comes back."""

from __future__ import annotations

import json

import boto3
import pytest

from include.errors import ConfigurationError, NotAuthorised, SourceUnavailable
from include.lake.event_queue import HIDDEN_SECONDS_MAX, EventQueue, queue_config, region_of
from tests.lake.scripted_bucket import Answer, ScriptedBucket


@pytest.fixture
def queue(sqs, queue_url):
    """An empty queue."""
    return EventQueue(sqs, queue_url)


def fill(sqs, queue, count):
    """Send messages with numbers."""
    for number in range(count):
        sqs.send_message(QueueUrl=queue.url, MessageBody=str(number))


def test_looking_consumes_nothing(sqs, queue):
    """Asked twice it says the same, and everything can still be received."""
    assert 0 == queue.waiting()
    fill(sqs, queue, 3)
    assert 3 == queue.waiting() == queue.waiting()
    assert {"0", "1", "2"} == {message.body for message in queue.receive(100)}


def test_received_messages_are_out_of_sight_until_they_are_deleted(sqs, queue):
    """More than one request's worth; deleted ones never come again, the others do."""
    fill(sqs, queue, 23)
    messages = list(queue.receive(100))
    assert 23 == len({message.id for message in messages})
    assert [0, []] == [queue.waiting(), list(queue.receive(100))]
    queue.delete(messages[:21])
    queue.hide(messages[21:], 0)
    assert {message.body for message in messages[21:]} == {message.body for message in queue.receive(100)}


def test_enough_is_enough(sqs, queue):
    """A flood is left for the next run."""
    fill(sqs, queue, 12)
    assert 10 == len(list(queue.receive(10)))
    assert 2 == queue.waiting()


def test_deleting_and_hiding_twice_is_no_error(sqs, queue, caplog):
    """What SQS would not do is in the log; nothing is hidden longer than SQS lets it be."""
    fill(sqs, queue, 1)
    messages = list(queue.receive(10))
    queue.hide(messages, 10 * HIDDEN_SECONDS_MAX)
    queue.delete(messages)
    queue.delete(messages)
    queue.hide(messages, 10.0)
    assert "not hidden" in caplog.text


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "AWS.SimpleQueueService.NonExistentQueue", ConfigurationError), (403, "AccessDenied", NotAuthorised),
        (400, "InvalidClientTokenId", NotAuthorised), (503, "ServiceUnavailable", SourceUnavailable),
    ],
)  # fmt: skip
def test_refusals_say_whose_turn_it_is(status, code, error):
    """Each by the class that decides whether it is tried again, and with the setting's name."""
    body = json.dumps({"__type": f"com.amazonaws.sqs#{code}"}).encode()
    with (
        ScriptedBucket(POST=[Answer(status, body=body)]) as server,
        pytest.raises(error, match="RECORDING_ARCHIVE_EXPORT_QUEUE_URL"),
    ):
        EventQueue(client_at(server.url), f"{server.url}/1/queue").waiting()


def test_queue_without_an_answer_may_answer_later():
    """Nobody listens: no reason to call a person."""
    with pytest.raises(SourceUnavailable):
        EventQueue(client_at("http://127.0.0.1:1"), "http://127.0.0.1:1/1/queue").waiting()


def client_at(url):
    """Return a client that tries once."""
    config = queue_config().merge(type(queue_config())(retries={"total_max_attempts": 1}))
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-west-1"}
    return boto3.client("sqs", endpoint_url=url, config=config, **keys)


def test_region_is_read_from_addresses_of_aws_only():
    """Elsewhere the connection says it."""
    assert ("eu-central-1", "us-gov-west-1", "cn-north-1") == tuple(
        region_of(f"https://{host}/123456789012/recordings")
        for host in (
            "sqs.eu-central-1.amazonaws.com", "sqs-fips.us-gov-west-1.amazonaws.com", "sqs.cn-north-1.amazonaws.com.cn",
        )
    )  # fmt: skip
    assert None is region_of("https://sqs.eu-west-1.amazonaws.com.example.org/1/q")
    assert None is region_of("http://127.0.0.1:4566/000000000000/recordings")
