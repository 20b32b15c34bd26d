"""Uploads that a killed worker left open: a sweep ends them, and only them."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from include.lake.store import LakeStore
from tests.lake.cutting_proxy import CuttingProxy
from tests.lake.large_object import BODY, KEY, SHA256, open_uploads, put
from tests.lake.scripted_bucket import Answer, ScriptedBucket

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("parts_through", [0, 1, 2])
def test_killed_worker_leaves_nothing_that_a_sweep_does_not_end(
    lake, large_lake, lake_client, object_store, tmp_path, parts_through
):
    """S8: SIGKILL at each part: no object, the next put succeeds, and the sweep ends the upload that was left open."""
    path = tmp_path / "long.wav"
    path.write_bytes(BODY)
    with CuttingProxy(object_store.endpoint_url) as proxy:
        proxy.hold("PUT", after=parts_through)
        place = (object_store.access_key, object_store.secret_key, lake.location.bucket, lake.location.prefix)
        worker = subprocess.Popen(  # noqa: S603 - this very interpreter, and our own module
            [sys.executable, "-m", "tests.lake.upload_killed", proxy.url, *place, KEY, str(path)], cwd=PROJECT
        )
        try:
            assert proxy.held.wait(60), "the worker never came to that part"
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait(10)
    assert (None, 1) == (lake.head(KEY), len(open_uploads(lake_client, lake)))
    assert put(large_lake).created
    assert 0 == large_lake.sweep_uploads()  # younger than a day: perhaps somebody's work
    assert 1 == len(open_uploads(lake_client, lake))
    swept = _with_age(large_lake, lake_client, 0.0)
    assert (1, []) == (swept.sweep_uploads(), open_uploads(lake_client, lake))
    assert hashlib.sha256(lake.read(KEY)).hexdigest() == SHA256


def _with_age(lake, client, seconds):
    """Return the lake with another idea of what is stale, once the server's clock has moved on by a second."""
    deadline = time.monotonic() + 10
    opened = max(upload["Initiated"] for upload in open_uploads(client, lake))
    while LakeStore(client, lake.location).now() <= opened and time.monotonic() < deadline:
        Event().wait(0.05)
    return LakeStore(client, lake.location, replace(lake.writing, stale_upload_seconds=seconds))


def test_sweep_leaves_the_uploads_of_others_alone(lake, lake_client):
    """S8: only what lies below our prefix is ours."""
    prefix = f"{lake.location.prefix}-others/x"
    other = lake_client.create_multipart_upload(Bucket=lake.location.bucket, Key=prefix)
    try:
        mine = lake_client.create_multipart_upload(Bucket=lake.location.bucket, Key=f"{lake.location.prefix}/x")
        swept = LakeStore(lake_client, lake.location, replace(lake.writing, stale_upload_seconds=-5.0)).sweep_uploads()
        left = lake_client.list_multipart_uploads(Bucket=lake.location.bucket, Prefix=lake.location.prefix)["Uploads"]
        assert (1, [other["UploadId"]]) == (swept, [upload["UploadId"] for upload in left])
        assert mine["UploadId"] != other["UploadId"]
    finally:
        lake_client.abort_multipart_upload(Bucket=lake.location.bucket, Key=prefix, UploadId=other["UploadId"])


def test_sweep_that_may_not_list_does_not_fail_the_night(lake_at, caplog):
    """S16: a policy without the permission costs a line in the log."""
    with ScriptedBucket(GET=[Answer(403, "AccessDenied")], HEAD=[Answer(200)]) as bucket:
        lake_at(bucket.url).tidy()
    assert "could not be looked for" in caplog.text
