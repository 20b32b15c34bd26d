"""A server that speaks SQS, as a process of its own: moto's. Of nothing else that it can do anything is believed."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
from botocore.exceptions import BotoCoreError

from demo.ports import LOOPBACK, free_ports
from demo.processes import Component, Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_sqs import SQSClient

READY_SECONDS = 40.0


@dataclass(frozen=True)
class SqsServer:
    """Where it listens."""

    endpoint_url: str

    def client(self) -> SQSClient:
        """Return a client; close it with ``close()``."""
        keys = {"aws_access_key_id": "queue", "aws_secret_access_key": "queue", "region_name": "us-east-1"}
        return boto3.client("sqs", endpoint_url=self.endpoint_url, **keys)

    def new_queue(self, client: SQSClient, **attributes: str) -> str:
        """Make a queue that no other test has, and return its URL."""
        return client.create_queue(QueueName=f"export-{uuid4().hex}", Attributes=attributes)["QueueUrl"]


@contextmanager
def running_sqs(directory: Path) -> Iterator[SqsServer]:
    """Run the server for the length of the block."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(port)]
    with Supervisor() as supervisor:
        supervisor.start(Component(name="sqs", command=command, log=directory / "sqs.log", environment={}))
        server = SqsServer(f"http://{LOOPBACK}:{port}")
        supervisor.wait_until(lambda: _answers(server), component="sqs", seconds=READY_SECONDS)
        yield server


def _answers(server: SqsServer) -> bool:
    client = server.client()
    try:
        client.list_queues()
    except BotoCoreError:
        return False
    else:
        return True
    finally:
        client.close()
