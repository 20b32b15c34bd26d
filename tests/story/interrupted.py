"""A shard archived in a process of its own, so that a test can kill it: ``python -m tests.story.interrupted``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import boto3

from include.genesys.client import GenesysClient
from include.genesys.connection import GenesysConnection
from include.lake.plan import ShardPlan
from include.lake.store import LakeStore, client_config
from include.settings import ArchiveSettings, LakeLocation
from include.transfer.archive import archive_shard
from include.transfer.download import MediaDownloader
from include.transfer.submit import SubmittedShard
from tests.story.night import ZONE


def main() -> None:
    """Read the whole order from standard input and archive the shard."""
    order = json.load(sys.stdin)
    client = boto3.client("s3", **order["s3"], config=client_config())
    lake = LakeStore(client, LakeLocation(order["bucket"], order["prefix"]))
    settings = ArchiveSettings(lake=lake.location, timezone=ZONE, state_dir=Path(order["folder"]))
    connection = GenesysConnection.from_fields(name="genesys_cloud", host="mypurecloud.com", **order["connection"])
    submitted = SubmittedShard.from_json(order["submitted"])
    with GenesysClient(connection, settings) as source, MediaDownloader(settings, connection.media_hosts) as downloader:
        plan = ShardPlan.read(lake, submitted.plan_key)
        archive_shard(source, lake, downloader, settings, plan, submitted, unfinished=frozenset())


if __name__ == "__main__":
    main()
