"""Plan one day by analytics job in a process of its own and print what that took; run by ``test_large_day``."""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import asdict
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import boto3

from include.genesys.client import GenesysClient
from include.genesys.connection import GenesysConnection
from include.lake.store import LakeStore, Writing, client_config
from include.local_day import LocalDay
from include.settings import ArchiveSettings, LakeLocation
from include.transfer.day_plan import plan_day
from include.transfer.large_days import DaySource

POLL_SECONDS = 0.2


def main() -> None:
    """Read the task from standard input, plan, and write the costs to standard output."""
    task = json.load(sys.stdin)
    settings = ArchiveSettings(LakeLocation(task["bucket"], task["prefix"]), state_dir=Path(task["folder"]))
    s3 = boto3.client("s3", config=client_config(), **task["s3"])
    lake = LakeStore(s3, settings.lake, Writing())
    connection = GenesysConnection.from_fields(**task["connection"])
    day = LocalDay(date.fromisoformat(task["date"]), ZoneInfo("UTC"))
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.monotonic()
    with GenesysClient(connection, settings) as client:
        job_id = client.submit_details_job(day.start, day.end)
        while not client.details_job_state(job_id).is_over:
            time.sleep(POLL_SECONDS)
        planned = plan_day(
            DaySource(client, {day.start: job_id}), lake, settings, connection.org_id, day, shards_max=250
        )
        calls = dict(client.counts.calls)
    xcom = [planned.without_shards(), [asdict(shard) for shard in planned.shards]]
    report = {
        "idle_megabytes": idle / 1024,
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "seconds": time.monotonic() - begun,
        "xcom_bytes": len(json.dumps(xcom)),
        "calls": calls,
        "expected": planned.expected,
        "shards": len(planned.shards),
        "batches": sum(shard.batches for shard in planned.shards),
    }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
