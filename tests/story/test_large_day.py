"""A very large day, planned through the asynchronous job: bounded memory, small XCom, few calls."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from demo.options import SandboxOptions
from demo.processes import Supervisor
from demo.sandbox import start_sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from demo.object_store import ObjectStore

DAY = "2026-01-05"
SECONDS = 900.0


def plan(store: ObjectStore, folder: Path, conversations: int) -> dict:
    """Return what planning that day took; the sandbox is another process, so its memory does not count."""
    with Supervisor() as supervisor:
        options = SandboxOptions(date=DAY, conversations=conversations, scenario="clean", job_seconds=0.0)
        box = start_sandbox(supervisor, folder / "sandbox", options)
        task = {
            "bucket": store.bucket,
            "prefix": f"large-{conversations}",
            "folder": str(folder / "state"),
            "date": DAY,
            "s3": {
                "endpoint_url": store.endpoint_url,
                "aws_access_key_id": store.access_key,
                "aws_secret_access_key": store.secret_key,
                "region_name": store.region,
            },
            "connection": {
                "name": "genesys_cloud",
                "host": "mypurecloud.com",
                "login": box.client_id,
                "password": box.client_secret,
                "extra": {
                    "api_base_url": box.api_base_url,
                    "login_base_url": box.login_base_url,
                    "org_id": box.org_id,
                    "requests_per_minute": 300,
                },
            },
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.story.large_day_plan"],
            input=json.dumps(task), capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        assert 0 == done.returncode, done.stderr[-2000:]
        report = json.loads(done.stdout)
        report["truth"] = len(box.truth(DAY)["conversations"])
        return report


def test_a_day_of_thousands(object_store: ObjectStore, tmp_path: Path) -> None:
    """Every conversation is planned, in full batches, with a call for each page of the job and none for a query."""
    report = plan(object_store, tmp_path, 2500)
    assert (report["truth"], -(-report["truth"] // 100)) == (report["expected"], report["batches"])
    results = "GET /api/v2/analytics/conversations/details/jobs/{}/results"
    assert -(-report["truth"] // 1000) <= report["calls"][results] <= 3
    assert [] == [line for line in report["calls"] if line.endswith("/query")]


@pytest.mark.evidence
@pytest.mark.timeout(1200)
def test_a_day_of_a_hundred_thousand(object_store: ObjectStore, tmp_path: Path) -> None:
    """What the worker needs for it beyond its imports, what travels through XCom, and what the source is asked."""
    report = plan(object_store, tmp_path, 100_000)
    sys.stdout.write(f"\n{json.dumps(report, indent=1)}\n")
    assert report["truth"] == report["expected"]
    assert 250.0 > report["peak_megabytes"] - report["idle_megabytes"]
    assert 64 * 1024 > report["xcom_bytes"]
    assert 250 == report["shards"]
